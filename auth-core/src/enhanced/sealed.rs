//! Sealed sessions: one encrypted cookie in place of the tokens, for viewers whose scripts need none of them.
//!
//! What stands in it was verified when it was sealed, and the seal is our own word for that; times, groups and
//! rules are checked again whenever it is opened. Nothing of it is readable without a secret of ours, and nothing
//! in it is taken for something else: the seal is bound to the cookie's name and to the site.

mod chunks;
mod content;

use std::sync::Arc;

pub(crate) use self::chunks::{is_name, text, texts};
use self::content::Content;
use super::{
    parts,
    seal::{Purpose, Sealer},
    session::{Kept, Order, Session, Times, Unsealed},
};
use crate::{
    Config, Entropy, Reason, Scheme, Secret, UnixTime,
    authenticator::Authenticator,
    config::{Reader, describe},
    json::Json,
    jwt::{Claimed, ClaimsSet, IdToken, TokenType},
    verification,
};

/// Seals and opens the sessions of one site.
#[derive(Clone, Debug)]
pub(crate) struct SealedSessions {
    sealer: Sealer,
    id_token: IdTokenInside,
}

/// Whether the id token itself is sealed, or its claims alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum IdTokenInside {
    Kept,
    Dropped,
}

/// A session that is to be sealed.
pub(crate) struct ToSeal<'s> {
    pub(crate) token: &'s IdToken,
    pub(crate) refresh_token: Option<&'s str>,
    pub(crate) times: Times,
}

/// The name of the cookie. Browsers take `__Host-` over https alone, for this host and all paths; in return no
/// other host, and nobody between, can plant one.
pub(crate) const fn cookie_name(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Https => "__Host-portcullis",
        Scheme::Http => "portcullis",
    }
}

impl SealedSessions {
    pub(super) const KEYS: [&'static str; 1] = ["keepIdToken"];

    /// `sealedSession`: true, or an object; off unless asked for, but with a provider other than Cognito.
    pub(crate) fn read(reader: &mut Reader<'_>, config: &Config, secrets: &[Secret<String>]) -> Option<Self> {
        let id_token = match reader.value("sealedSession") {
            // Nobody but us reads another provider's tokens, whose size and characters nobody can tell.
            None if config.requirements.dialect.is_generic() => IdTokenInside::Dropped,
            None | Some(Json::Bool(false)) => return None,
            Some(Json::Bool(true)) => IdTokenInside::Dropped,
            Some(Json::Object(_)) => reader.section("sealedSession", &Self::KEYS, |section| {
                if section.flag("keepIdToken") {
                    IdTokenInside::Kept
                } else {
                    IdTokenInside::Dropped
                }
            }),
            found => {
                reader.problem("sealedSession", describe(found), "true, false or an object");
                return None;
            }
        };
        Some(Self::new(config, secrets, id_token))
    }

    fn new(config: &Config, secrets: &[Secret<String>], id_token: IdTokenInside) -> Self {
        let site = format!("{}\0{}", config.requirements.issuer, config.client_id);
        Self {
            sealer: Sealer::new(secrets, Purpose::Session, site),
            id_token,
        }
    }

    /// The cookies that hold a session, named and valued. `None`: it is too large for any browser.
    pub(crate) fn seal(
        &self,
        config: &Config,
        scheme: Scheme,
        session: &ToSeal<'_>,
        rng: &mut dyn Entropy,
    ) -> Option<Vec<(String, String)>> {
        let content = Content::encode(config, session, self.id_token)?;
        let name = cookie_name(scheme);
        parts::split(name, &self.sealer.seal(name, &content, rng)?)
    }

    /// The session in a sealed text, or why there is none. What opens is remembered by its text.
    pub(crate) fn find(
        &self,
        auth: &Authenticator,
        text: &str,
        scheme: Scheme,
        now: UnixTime,
    ) -> Result<Session, Reason> {
        if let Some(token) = auth.tokens().get(text, now) {
            return Ok(Session {
                token,
                reason: Reason::SessionKnown,
                order: Order::Tidy,
            });
        }
        let content = self.open(auth.config(), text, scheme).ok_or(Reason::SessionSeal)?;
        let claims = ClaimsSet::of(&content.claims).ok_or(Reason::SessionSeal)?;
        let requirements = &auth.config().requirements;
        let claimed = Claimed::new(&claims, TokenType::Any, &requirements.dialect);
        requirements
            .verify(&claimed, now)
            .map_err(|error| verification::reason_of(error, verification::Kind::Session))?;
        let unsealed = Unsealed {
            id_token: content.id_token.map(Secret::new),
            times: content.times,
        };
        let token = Arc::new(IdToken::with_claims(text, &claimed, Some(unsealed)));
        auth.tokens().insert(Arc::clone(&token));
        Ok(Session {
            token,
            reason: Reason::SessionVerified,
            order: Order::Tidy,
        })
    }

    /// What a sealed session can be renewed with, be it good or over.
    pub(crate) fn kept(&self, config: &Config, text: &str, scheme: Scheme) -> Option<Kept> {
        let content = self.open(config, text, scheme)?;
        Some(Kept {
            refresh_token: Secret::new(content.refresh_token?),
            subject: content.claims.get("sub").and_then(Json::as_str).map(str::to_owned),
            times: Some(content.times),
            claims: Some(Secret::new(content.claims)),
        })
    }

    /// The id token in a sealed session, where it is kept there.
    pub(crate) fn id_token(&self, config: &Config, text: &str, scheme: Scheme) -> Option<Secret<String>> {
        self.open(config, text, scheme)?.id_token.map(Secret::new)
    }

    fn open(&self, config: &Config, text: &str, scheme: Scheme) -> Option<Content> {
        if text.len() > parts::MOST_BYTES {
            return None;
        }
        Content::decode(config, &self.sealer.open(cookie_name(scheme), text)?)
    }
}
