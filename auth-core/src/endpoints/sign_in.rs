//! The sign-in path: redeems the code that the hosted UI sent the viewer back with.

use super::redirect::redirect;
use crate::{
    CallError, Config, HttpReply, Reason, Request, Step, UnixTime,
    authenticator::{Authenticator, PendingCall},
    cookie_names::{NONCE, NONCE_HMAC, PKCE, Token},
    cookies::Cookies,
    js::query::{Param, Query},
    json::Json,
    jwt::UnverifiedIdToken,
    nonce::{self, MatchedNonce, NonceError},
    page::{Page, PageKind},
    set_cookie::{CookieWriter, NewTokens},
    state::State,
    token_endpoint::{self, TokenError},
};

/// A sign-in that waits for the token endpoint.
struct AwaitingTokens {
    /// Where the viewer goes afterwards: their own deep link.
    return_to: String,
    has_session: bool,
}

/// A callback that belongs to a sign-in this browser began.
struct MatchedState {
    code: String,
    verifier: String,
    requested_path: String,
    _nonce: MatchedNonce,
}

/// A callback that does not.
struct CallbackError {
    kind: PageKind,
    reason: Reason,
    details: String,
}

pub(crate) fn begin(auth: &Authenticator, request: &Request<'_>, now: UnixTime) -> Step {
    let config = auth.config();
    let cookies = Cookies::new(request.cookies);
    let origin = request.origin();
    let has_session = config.cookie_scheme.token(Token::Id, cookies).is_some();
    match match_state(config, &Query::parse(request.query), cookies, now) {
        Ok(matched) => {
            let redirect_uri = format!("{origin}{}", config.sign_in_path);
            let call = token_endpoint::exchange_code(config, &redirect_uri, &matched.code, &matched.verifier);
            let awaiting = AwaitingTokens {
                return_to: format!("{origin}{}", matched.requested_path),
                has_session,
            };
            Step::Call(PendingCall::new(auth, call, move |auth, outcome, _, _| {
                awaiting.resume(auth, &outcome)
            }))
        }
        // Before the callback is known to be this browser's own, nothing in it says where to go.
        Err(error) => give_up(config, origin, has_session, &error),
    }
}

impl AwaitingTokens {
    fn resume(self, auth: &Authenticator, outcome: &Result<HttpReply, CallError>) -> Step {
        let config = auth.config();
        let cookies = token_endpoint::judge(outcome)
            .map_err(|error| CallbackError::from_token_error(&error))
            .and_then(|reply| session_cookies(config, &reply));
        match cookies {
            Ok(cookies) => redirect(config, self.return_to, cookies, Reason::SignedIn),
            Err(error) => give_up(config, self.return_to, self.has_session, &error),
        }
    }
}

/// The checks that a callback must pass, in the order that decides which answer is given.
fn match_state(
    config: &Config,
    query: &Query<'_>,
    cookies: Cookies<'_>,
    now: UnixTime,
) -> Result<MatchedState, CallbackError> {
    if let Some(error) = provider_error(query) {
        return Err(CallbackError::new(Reason::ProviderError, error));
    }
    let (Some(code), Some(state)) = (query.param("code").single(), query.param("state").single()) else {
        let details = "The address must carry one code and one state.";
        return Err(CallbackError::new(Reason::CallbackInvalid, details));
    };
    let state = State::open(state)
        .ok_or_else(|| CallbackError::new(Reason::StateInvalid, "The state in the address is not one of ours."))?;
    let Some(nonce_cookie) = cookies.get_non_empty(NONCE) else {
        let details = "Your browser did not send the cookie that ties this sign-in to it.";
        return Err(CallbackError::confirmable(Reason::NonceMissing, details));
    };
    if state.nonce.as_deref() != Some(&*nonce_cookie) {
        let details = "Another sign-in was begun in this browser since, perhaps in another tab.";
        return Err(CallbackError::confirmable(Reason::NonceMismatch, details));
    }
    let Some(verifier) = cookies.get_non_empty(PKCE) else {
        let details = "Your browser did not send the cookie with the code verifier.";
        return Err(CallbackError::new(Reason::PkceMissing, details));
    };
    let hmac = cookies.get(NONCE_HMAC);
    let nonce = nonce::verify(config, &nonce_cookie, hmac.as_deref(), now).map_err(CallbackError::from_nonce_error)?;
    Ok(MatchedState {
        code: code.to_owned(),
        verifier: verifier.into_owned(),
        requested_path: state.requested_path,
        _nonce: nonce,
    })
}

/// What the provider reported (RFC 6749, section 4.1.2.1). An empty report is none.
fn provider_error(query: &Query<'_>) -> Option<String> {
    let text = |param: Param<'_>| match param {
        Param::Absent => None,
        Param::One(value) => Some(value.to_owned()),
        Param::Many(values) => Some(values.join(",")),
    };
    let error = text(query.param("error")).filter(|error| !error.is_empty())?;
    Some(match text(query.param("error_description")) {
        Some(description) => format!("{error}: {description}"),
        None => error,
    })
}

fn session_cookies(config: &Config, reply: &Json) -> Result<Vec<String>, CallbackError> {
    let unusable = |details: &str| CallbackError::new(Reason::TokenReply, details);
    let (id, decoded) = id_token(reply).ok_or_else(|| unusable("The sign-in service gave no usable id token."))?;
    CookieWriter::sign_in(config, &NewTokens::from_reply(id, reply), &decoded)
        .map_err(|_| unusable("The id token names no user."))
}

/// The id token of a reply, decoded. Its signature is checked when it comes back as a cookie.
pub(crate) fn id_token(reply: &Json) -> Option<(&str, UnverifiedIdToken)> {
    let token = reply.member("id_token")?.as_str()?;
    Some((token, UnverifiedIdToken::decode(token)?))
}

impl<'a> NewTokens<'a> {
    /// The tokens of a reply. One that is missing shows in its cookie as the text `undefined`.
    pub(crate) fn from_reply(id: &'a str, reply: &Json) -> Self {
        let text = |name: &str| {
            reply
                .member(name)
                .map_or_else(|| "undefined".to_owned(), Json::to_template)
        };
        Self {
            id,
            access: text("access_token"),
            refresh: text("refresh_token"),
        }
    }
}

/// A viewer who has a session, perhaps from another tab, goes on with it; anyone else is told.
fn give_up(config: &Config, return_to: String, has_session: bool, error: &CallbackError) -> Step {
    if has_session {
        return redirect(config, return_to, Vec::new(), error.reason);
    }
    Page {
        kind: error.kind,
        reason: error.reason,
        details: &error.details,
        link: &return_to,
    }
    .respond(config)
}

impl CallbackError {
    fn new(reason: Reason, details: impl Into<String>) -> Self {
        Self {
            kind: PageKind::SignInIssue,
            reason,
            details: details.into(),
        }
    }

    /// One that is most likely harmless: going on needs no more than a click.
    fn confirmable(reason: Reason, details: impl Into<String>) -> Self {
        Self {
            kind: PageKind::ConfirmSignIn,
            ..Self::new(reason, details)
        }
    }

    fn from_nonce_error(error: NonceError) -> Self {
        let details = error.details();
        match error {
            NonceError::TooOld { sensible: false } => Self::new(error.reason(), details),
            _ => Self::confirmable(error.reason(), details),
        }
    }

    fn from_token_error(error: &TokenError) -> Self {
        Self::new(Reason::TokenEndpoint, error.details())
    }
}
