//! What an origin is told of the viewer: claims of the verified id token in headers of the operator's choice.
//!
//! Only a session's own claims are told, and only by us: whatever a viewer sends under such a name, in any
//! spelling that some origin could take for it, is removed from every request, also where nothing is told
//! (T-HDR-1, T-HDR-3; RFC 9110, section 5.1).

pub(crate) mod assertion;
pub(crate) mod spelling;
mod value;

use auth_core::{Access, Reason, UnixTime, VerifiedIdToken};
use http::{HeaderName, HeaderValue, header::AUTHORIZATION};

use crate::config::IdentitySettings;
use assertion::Assertion;
use spelling::Pattern;
use value::{Value, write};

/// Header fields about the viewer.
pub(crate) type Fields = Vec<(HeaderName, HeaderValue)>;

/// How a site speaks of its viewers.
#[derive(Debug)]
pub(crate) struct Identity {
    settings: IdentitySettings,
    removed: Vec<Pattern>,
    assertion: Option<Assertion>,
    /// How many names there are; without any, a request costs nothing.
    names: usize,
}

/// The request about whose viewer something is to be told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About<'a> {
    /// On whose behalf it passes.
    pub(crate) access: &'a Access,
    /// Why it passes.
    pub(crate) reason: Reason,
    /// The id in log events.
    pub(crate) request_id: &'a str,
    /// When.
    pub(crate) now: UnixTime,
}

impl Identity {
    /// Ready to speak.
    pub(crate) fn new(settings: IdentitySettings) -> Self {
        let removed = settings.names().map(Pattern::exactly);
        let removed = removed.chain(settings.remove.iter().cloned()).collect();
        let names = settings.names().count();
        let assertion = settings.assertion.clone().map(Assertion::new);
        Self {
            settings,
            removed,
            assertion,
            names,
        }
    }

    /// Whether a viewer's header of this name must not reach an origin.
    pub(crate) fn removes(&self, name: &HeaderName) -> bool {
        spelling::is_trusted_by_origins(name.as_str())
            || !self.removed.is_empty() && spelling::is_any_of(name.as_str(), &self.removed)
    }

    /// What is told of this viewer; nothing of a public request's.
    pub(crate) fn fields(&self, about: About<'_>) -> Fields {
        match about.access {
            Access::Session(viewer) => self.of_session(viewer, about),
            Access::Public => Vec::new(),
        }
    }

    /// The JWK set to publish at a path, if there is one to publish at it.
    pub(crate) fn published_at(&self, path: &str) -> Option<String> {
        let assertion = self.assertion.as_ref()?;
        (path == assertion::JWKS_PATH).then(|| assertion.jwks())
    }

    /// The same for a server that asks on behalf of the origin: what is not known is told as nothing, so that
    /// nobody else's word stays in its place.
    pub(crate) fn complete_fields(&self, about: About<'_>) -> Fields {
        let mut fields = self.fields(about);
        for name in self.settings.names() {
            if !fields.iter().any(|(told, _)| told == name) {
                fields.push((name.clone(), HeaderValue::from_static("")));
            }
        }
        fields
    }

    fn of_session(&self, viewer: &VerifiedIdToken, about: About<'_>) -> Fields {
        let mut fields = Vec::with_capacity(self.names);
        for (name, claim) in &self.settings.headers {
            let Some(Value { text, is_cut }) = viewer.claim(claim).map(|claim_value| {
                let groups = (claim == viewer.groups_claim()).then_some(self.settings.groups.as_slice());
                write(claim_value, groups.unwrap_or_default(), self.settings.max_bytes)
            }) else {
                continue;
            };
            if is_cut {
                report_cut(name, about);
            }
            fields.extend(text.map(|text| (name.clone(), text)));
        }
        if let Some(name) = &self.settings.id_token {
            fields.extend(id_token(name, viewer).map(|value| (name.clone(), value)));
        }
        if let Some(assertion) = &self.assertion {
            let signed = assertion.of(viewer, about.now);
            fields.extend(signed.map(|value| (assertion.header().clone(), value)));
        }
        fields
    }
}

/// Said aloud once a session, when its token is first seen.
fn report_cut(name: &HeaderName, about: About<'_>) {
    let (header, request_id) = (name.as_str(), about.request_id);
    if matches!(about.reason, Reason::SessionKnown | Reason::BearerKnown) {
        tracing::debug!(target: "portcullis", request_id, header, "an identity header is cut to its limit");
    } else {
        tracing::warn!(target: "portcullis", request_id, header, "an identity header is cut to its limit");
    }
}

/// Absent where the session is sealed without it.
fn id_token(name: &HeaderName, viewer: &VerifiedIdToken) -> Option<HeaderValue> {
    let token = *viewer.token()?.expose();
    let mut value = if *name == AUTHORIZATION {
        HeaderValue::try_from(format!("Bearer {token}")).ok()?
    } else {
        HeaderValue::from_str(token).ok()?
    };
    value.set_sensitive(true);
    Some(value)
}
