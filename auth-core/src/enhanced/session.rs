//! The session that a request brings: which of what it carries counts, and whether it is good.

use std::sync::Arc;

use crate::{
    Reason, Request, UnixTime,
    authenticator::Authenticator,
    cookie_names::Token,
    cookies::Cookies,
    jwt::IdToken,
    verification::{Verdict, verify},
};

/// What a request brings.
pub(crate) enum Found {
    /// A good session.
    Valid(Session),
    /// One whose token names a key that is not known and should be fetched.
    KeysDue { token: String, key_id: String },
    /// None that is good.
    Nothing(Reason),
}

/// A good session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) token: Arc<IdToken>,
    /// [`Reason::SessionKnown`] or [`Reason::SessionVerified`].
    pub(crate) reason: Reason,
}

/// Looks for a session. A known one costs a look into the token cache.
pub(crate) fn find(auth: &Authenticator, request: &Request<'_>, now: UnixTime) -> Found {
    let cookies = Cookies::new(request.cookies);
    let Some(token) = auth.config().cookie_scheme.token(Token::Id, cookies) else {
        return Found::Nothing(Reason::SessionAbsent);
    };
    if let Some(token) = auth.tokens().get(&token, now) {
        let reason = Reason::SessionKnown;
        return Found::Valid(Session { token, reason });
    }
    match verify(auth, &token, now) {
        Verdict::Verified(token) => Found::Valid(Session::verified(token)),
        Verdict::KeysDue { key_id } => Found::KeysDue {
            token: token.into_owned(),
            key_id,
        },
        Verdict::Rejected(reason) => Found::Nothing(reason),
    }
}

impl Session {
    pub(crate) const fn verified(token: Arc<IdToken>) -> Self {
        Self {
            token,
            reason: Reason::SessionVerified,
        }
    }
}
