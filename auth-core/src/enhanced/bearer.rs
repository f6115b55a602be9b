//! Tokens in the Authorization header (RFC 6750): for programs that have no cookies, with a user or without.
//!
//! Where this is switched on, a bearer token decides alone: a bad one is refused, and never made up for by a cookie.
//! Access tokens count here and nowhere else; in the id token's cookie they are refused (T-JWT-3). What is verified
//! here is remembered apart from sessions, so that neither can stand for the other. Of other providers than Cognito
//! access tokens count only where it is said for whom they are made (`audiences`; RFC 9068, section 4).

use std::sync::Arc;

use super::{api, audience::Audience, check, rules::Demand, viewer::Viewer};
use crate::{
    Access, Config, Decision, Forward, Reason, Request, Step, UnixTime, VerifiedIdToken,
    authenticator::Authenticator,
    config::{Reader, describe},
    json::Json,
    jwt::{Claim, ClaimError, Claimed, IdToken, Requirements, TokenUse},
    verification::{Kind, Verdict, fetch_keys_as_then, verify_as},
};

pub(super) const KEYS: [&str; 6] = ["audiences", "clients", "tokens", "scopes", "allScopes", "passOn"];

/// Longer ones are no tokens of anybody's.
const MOST_BYTES: usize = 8 * 1024;

/// Which bearer tokens are good.
#[derive(Clone, Debug)]
pub(crate) struct Bearer {
    /// `aud` of id tokens, `client_id` of access tokens.
    clients: Vec<String>,
    /// One of these has to be in the `aud` of an access token of a provider other than Cognito.
    audiences: Vec<String>,
    accepts_id: bool,
    accepts_access: bool,
    /// One of these has to be in an access token's `scope`.
    scopes: Vec<String>,
    /// All of these have to be.
    all_scopes: Vec<String>,
    /// Whether the origin is given the token.
    pub(crate) passes_on: bool,
}

/// What the Authorization header fields of a request are, where they are about bearer tokens.
#[derive(Clone, Copy)]
pub(crate) enum Presented<'r> {
    /// One bearer token.
    Token(&'r str),
    /// Several, or one that is none.
    Malformed(Reason),
}

impl Bearer {
    /// `bearerTokens`: absent or false, none are accepted; true, those of the site's own client.
    pub(crate) fn read(reader: &mut Reader<'_>, config: &Config) -> Option<Self> {
        const KEY: &str = "bearerTokens";
        match reader.value(KEY) {
            None | Some(Json::Bool(false)) => None,
            Some(Json::Bool(true)) => Some(Self::of_client(&config.client_id)),
            Some(Json::Object(_)) => Some(reader.section(KEY, &KEYS, |section| Self::read_section(section, config))),
            found => {
                reader.problem(KEY, describe(found), "true, false or an object");
                None
            }
        }
    }

    fn of_client(client_id: &str) -> Self {
        Self {
            clients: vec![client_id.to_owned()],
            audiences: Vec::new(),
            accepts_id: true,
            accepts_access: true,
            scopes: Vec::new(),
            all_scopes: Vec::new(),
            passes_on: false,
        }
    }

    fn read_section(section: &mut Reader<'_>, config: &Config) -> Self {
        for key in ["audiences", "clients", "tokens", "scopes", "allScopes"] {
            let is_empty = |value: &Json| matches!(value, Json::Array(list) if list.is_empty());
            if section.value(key).is_some_and(is_empty) {
                section.problem(key, "an empty list", "at least one entry, or no such key");
            }
        }
        let mut bearer = Self::of_client(&config.client_id);
        bearer.audiences = section.list("audiences");
        if !bearer.audiences.is_empty() && !config.requirements.dialect.is_generic() {
            let expected = "no such key: access tokens of Cognito say their client, see `clients`";
            section.problem("audiences", "a list", expected);
        }
        if section.value("clients").is_some() {
            bearer.clients = section.list("clients");
        }
        if section.value("tokens").is_some() {
            let kinds = section.list("tokens");
            bearer.accepts_id = kinds.iter().any(|kind| kind == "id");
            bearer.accepts_access = kinds.iter().any(|kind| kind == "access");
            if kinds.iter().any(|kind| !matches!(kind.as_str(), "id" | "access")) {
                section.problem("tokens", kinds.join(", "), "a list of `id` and `access`");
            }
        }
        bearer.scopes = section.list("scopes");
        bearer.all_scopes = section.list("allScopes");
        bearer.passes_on = section.flag("passOn");
        bearer
    }

    /// What the request brings. The scheme's name is compared without case (RFC 9110, section 11.1).
    pub(crate) fn presented<'r>(request: &'r Request<'_>) -> Option<Presented<'r>> {
        let fields = request.headers.get_all("authorization");
        let field = match fields[..] {
            [] => return None,
            [field] => field,
            _ => return Some(Presented::Malformed(Reason::AuthorizationRepeated)),
        };
        let (scheme, token) = field.split_once(' ').unwrap_or((field, ""));
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let token = token.trim_matches(' ');
        if token.is_empty() || token.len() > MOST_BYTES {
            return Some(Presented::Malformed(Reason::TokenMalformed));
        }
        Some(Presented::Token(token))
    }

    /// Checks the claims of a token whose issuer and signature are right. `exp` has to be there.
    pub(crate) fn verify(
        &self,
        requirements: &Requirements,
        token: &Claimed<'_>,
        now: UnixTime,
    ) -> Result<(), ClaimError> {
        let dialect = &requirements.dialect;
        token.verify_presence()?;
        if !token.has_expiry() {
            return Err(ClaimError::NoExpiry);
        }
        token.verify_time(now)?;
        let is_client = |client: &str| self.clients.iter().any(|known| known == client);
        let is_for_us = match token.token_use() {
            TokenUse::Id if self.accepts_id => dialect.is_for(token.claims, is_client),
            TokenUse::Access if self.accepts_access && dialect.is_generic() => self.is_audience(token),
            TokenUse::Access if self.accepts_access => token.claims.text_of("client_id").is_some_and(is_client),
            _ => return Err(ClaimError::TokenUse),
        };
        if !is_for_us {
            return Err(ClaimError::Audience);
        }
        if !requirements.accept_groups(token.claims) {
            return Err(ClaimError::Group);
        }
        if token.token_use() == TokenUse::Access && !self.grants(token) {
            return Err(ClaimError::Scope);
        }
        Ok(())
    }

    fn is_audience(&self, token: &Claimed<'_>) -> bool {
        let is_ours = |audience: Claim<'_>| self.audiences.iter().any(|known| audience.as_str() == Some(known));
        token.claims.get("aud").is_some_and(|aud| aud.entries().any(is_ours))
    }

    fn grants(&self, token: &Claimed<'_>) -> bool {
        let has = |scope: &String| token.has_scope(scope);
        (self.scopes.is_empty() || self.scopes.iter().any(has)) && self.all_scopes.iter().all(has)
    }
}

/// Decides a request that brings a bearer token.
pub(crate) fn begin(
    auth: &Authenticator,
    demand: Demand<'_>,
    request: &Request<'_>,
    presented: Presented<'_>,
    now: UnixTime,
) -> Step {
    let token = match presented {
        Presented::Token(token) => token,
        Presented::Malformed(reason) => return turn_away(auth, demand, || Viewer::of(auth, request), reason),
    };
    match verify_as(auth, Kind::Bearer, token, now) {
        Verdict::Passed(token, reason) => admit(auth, demand, || Viewer::of(auth, request), token, reason),
        Verdict::Rejected(reason) => turn_away(auth, demand, || Viewer::of(auth, request), reason),
        Verdict::KeysDue { key_id } => {
            let Demand::Session(requirement) = demand else {
                // Whoever may pass anyway causes no call.
                return turn_away(auth, demand, || Viewer::of(auth, request), Reason::TokenKey);
            };
            let (viewer, requirement) = (Viewer::of(auth, request), Arc::clone(requirement));
            fetch_keys_as_then(auth, Kind::Bearer, token, key_id, move |auth, verification, _, _| {
                let demand = Demand::Session(&requirement);
                match verification {
                    Ok(verified) => admit(auth, demand, || viewer, verified, Reason::BearerVerified),
                    Err(reason) => turn_away(auth, demand, || viewer, reason),
                }
            })
        }
    }
}

/// A good token passes, if the rule admits its holder.
fn admit(
    auth: &Authenticator,
    demand: Demand<'_>,
    viewer: impl FnOnce() -> Viewer,
    token: Arc<IdToken>,
    reason: Reason,
) -> Step {
    match demand {
        Demand::Session(requirement) => match requirement.admits(&token) {
            Ok(()) => pass(Access::Session(VerifiedIdToken(token)), reason),
            Err(reason) => refuse(auth, viewer(), reason),
        },
        Demand::Anyone => pass(Access::Session(VerifiedIdToken(token)), reason),
        Demand::Nobody(reason) => forbid(auth, viewer(), reason),
    }
}

/// A bad token is refused, unless nobody asked for one.
fn turn_away(auth: &Authenticator, demand: Demand<'_>, viewer: impl FnOnce() -> Viewer, reason: Reason) -> Step {
    match demand {
        Demand::Anyone => pass(Access::Public, Reason::Public),
        Demand::Session(_) => refuse(auth, viewer(), reason),
        Demand::Nobody(reason) => forbid(auth, viewer(), reason),
    }
}

const fn pass(access: Access, reason: Reason) -> Step {
    Step::Decided(Decision::Forward(Forward {
        access,
        response_cookies: Vec::new(),
        reason,
    }))
}

/// A refusal as RFC 6750, section 3.1, has it. Never a redirect, and JSON whoever asks.
fn refuse(auth: &Authenticator, viewer: Viewer, reason: Reason) -> Step {
    let (status, error) = match reason {
        Reason::AuthorizationRepeated => (400, "invalid_request"),
        Reason::ScopeRequired => (403, "insufficient_scope"),
        Reason::GroupRequired | Reason::ClaimRequired | Reason::EmailDomain | Reason::RuleDenied => {
            return forbid(auth, viewer, reason);
        }
        _ => (401, "invalid_token"),
    };
    let description = reason.as_str();
    let challenge = format!("Bearer realm=\"portcullis\", error=\"{error}\", error_description=\"{description}\"");
    api::failure(status, error, &viewer, reason)
        .with("WWW-Authenticate", challenge)
        .decide(auth.config())
}

/// Nothing the token's holder can do would help.
fn forbid(auth: &Authenticator, mut viewer: Viewer, reason: Reason) -> Step {
    viewer.audience = Audience::Program;
    check::forbid(auth, &viewer, reason)
}
