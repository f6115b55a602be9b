//! The refresh path: trades the refresh token for new id and access tokens.

use super::{redirect::redirect, sign_in::id_token};
use crate::{
    CallError, Config, HttpReply, Reason, Request, Step, UnixTime,
    authenticator::{Authenticator, PendingCall},
    cookie_names::{NONCE, NONCE_HMAC, Token},
    cookies::Cookies,
    js::query::{Param, Query},
    jwt::UnverifiedIdToken,
    nonce::{self, MatchedNonce},
    page::{Page, PageKind},
    set_cookie::{CookieWriter, NewTokens, cookie_user},
    state::rooted,
    token_endpoint,
};

/// A refresh that waits for the token endpoint.
struct AwaitingTokens {
    origin: String,
    return_to: String,
    /// The user in the names of the cookies to expire when the refresh token is refused.
    user: String,
}

/// A refresh that this browser was sent to by us.
struct MatchedRefresh {
    id_token: String,
    refresh_token: String,
    _nonce: MatchedNonce,
}

type RefreshError = (Reason, &'static str);

pub(crate) fn begin(auth: &Authenticator, request: &Request<'_>, now: UnixTime) -> Step {
    let config = auth.config();
    let cookies = Cookies::new(request.cookies);
    let origin = request.origin();
    let query = Query::parse(request.query);
    let matched = match match_nonce(config, &query, cookies, now) {
        Ok(matched) => matched,
        Err((reason, details)) => return give_up(config, &origin, reason, details),
    };
    let requested = match query.param("requestedUri") {
        Param::One(path) => rooted(Some(path)),
        Param::Absent | Param::Many(_) => rooted(None),
    };
    // An id token that cannot be read names no user. The name its cookie was found under will do, so
    // that a broken cookie ends in a sign-in and not in an error.
    let user = UnverifiedIdToken::decode(&matched.id_token)
        .and_then(|decoded| cookie_user(&config.cookie_scheme, &decoded).ok())
        .unwrap_or_else(|| config.cookie_scheme.user_in(cookies).into_owned());
    let awaiting = AwaitingTokens {
        return_to: format!("{origin}{requested}"),
        origin,
        user,
    };
    let call = token_endpoint::refresh(config, &matched.refresh_token);
    Step::Call(PendingCall::new(auth, call, move |auth, outcome, _, _| {
        awaiting.resume(auth, &outcome)
    }))
}

impl AwaitingTokens {
    fn resume(self, auth: &Authenticator, outcome: &Result<HttpReply, CallError>) -> Step {
        let config = auth.config();
        let reply = match token_endpoint::judge(outcome) {
            Ok(reply) => reply,
            Err(error) if error.is_invalid_grant() => {
                let cookies = CookieWriter::refresh_refused(config, &self.user);
                return redirect(config, self.return_to, cookies, Reason::RefreshTokenRejected);
            }
            Err(error) => return give_up(config, &self.origin, Reason::TokenEndpoint, &error.details()),
        };
        let cookies = id_token(&reply)
            .and_then(|(id, decoded)| CookieWriter::refresh(config, &NewTokens::from_reply(id, &reply), &decoded).ok());
        match cookies {
            Some(cookies) => redirect(config, self.return_to, cookies, Reason::Refreshed),
            None => {
                let details = "The sign-in service gave no usable id token.";
                give_up(config, &self.origin, Reason::TokenReply, details)
            }
        }
    }
}

/// The checks that a refresh must pass, in the order that decides which answer is given.
fn match_nonce(
    config: &Config,
    query: &Query<'_>,
    cookies: Cookies<'_>,
    now: UnixTime,
) -> Result<MatchedRefresh, RefreshError> {
    let nonce_cookie = cookies.get_non_empty(NONCE).ok_or((
        Reason::NonceMissing,
        "Your browser did not send the cookie that ties this renewal to it.",
    ))?;
    if query.param("nonce") != Param::One(&nonce_cookie) {
        let details = "Another renewal was begun in this browser since, perhaps in another tab.";
        return Err((Reason::NonceMismatch, details));
    }
    let token = |token| config.cookie_scheme.token(token, cookies);
    let id_token = token(Token::Id).ok_or((Reason::IdTokenMissing, "Your browser did not send an id token."))?;
    let refresh_token = token(Token::Refresh).ok_or((
        Reason::RefreshTokenMissing,
        "Your browser did not send a refresh token.",
    ))?;
    let hmac = cookies.get(NONCE_HMAC);
    let nonce = nonce::verify(config, &nonce_cookie, hmac.as_deref(), now)
        .map_err(|error| (error.reason(), error.details()))?;
    Ok(MatchedRefresh {
        id_token: id_token.into_owned(),
        refresh_token: refresh_token.into_owned(),
        _nonce: nonce,
    })
}

fn give_up(config: &Config, origin: &str, reason: Reason, details: &str) -> Step {
    Page {
        kind: PageKind::RefreshIssue,
        reason,
        details,
        link: &format!("{origin}{}", config.sign_out_path),
    }
    .respond(config)
}
