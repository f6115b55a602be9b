//! The token endpoint: what is sent to it and how its replies are judged (RFC 6749, sections 3.2, 5).

use std::time::Duration;

use crate::{
    CallError, CallPurpose, Config, HttpCall, HttpReply, RetryPolicy, Secret, Sharing,
    hmac::sha256,
    js::{base64::encode_url_safe, query::stringify},
    json::Json,
    provider::ClientAuthentication,
};

const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(4);
/// Three tokens of at most some KB each; whatever is far longer is no reply of a token endpoint.
const MAX_REPLY_BYTES: usize = 256 * 1024;
/// Requests with the cookies of before come in for about as long after a renewal.
const LINGER: Duration = Duration::from_secs(30);

/// Who waits for a renewal, and so how long it may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// A request that cannot go on without.
    Needed,
    /// One that is no use of the session: a script may ask by itself.
    Asked,
    /// A request whose session is still good.
    Ahead,
}

/// Redeems an authorization code.
pub(crate) fn exchange_code(config: &Config, redirect_uri: &str, code: &str, verifier: &str) -> HttpCall {
    let form = [
        ("redirect_uri", redirect_uri),
        ("code", code),
        ("code_verifier", verifier),
    ];
    call(
        config,
        CallPurpose::TokenExchange,
        ("grant_type", "authorization_code"),
        &form,
    )
}

/// Redeems a refresh token.
pub(crate) fn refresh(config: &Config, refresh_token: &str) -> HttpCall {
    let form = [("refresh_token", refresh_token)];
    call(
        config,
        CallPurpose::TokenRefresh,
        ("grant_type", "refresh_token"),
        &form,
    )
}

/// Renews a session. All that renew the same one share a reply.
pub(crate) fn renew(config: &Config, refresh_token: &str, pace: Pace) -> HttpCall {
    let key = sha256(format!("{}\0{refresh_token}", config.client_id).as_bytes());
    let (retry, attempt_timeout, pause) = match pace {
        Pace::Needed | Pace::Asked => (RetryPolicy::Renewal, ATTEMPT_TIMEOUT, Duration::from_secs(1)),
        Pace::Ahead => (RetryPolicy::Once, Duration::from_millis(1500), Duration::from_secs(10)),
    };
    HttpCall {
        retry,
        attempt_timeout,
        sharing: Sharing::SameSession {
            key: encode_url_safe(&key),
            linger: LINGER,
            pause,
        },
        ..refresh(config, refresh_token)
    }
}

/// Revokes a refresh token, and with it the access tokens that came of it (RFC 7009). `None`: the provider does not.
pub(crate) fn revoke(config: &Config, refresh_token: &str, timeout: Duration) -> Option<HttpCall> {
    let endpoints = &config.endpoints;
    let hint: &[(&str, &str)] = match endpoints.authentication {
        // Cognito knows no hint.
        ClientAuthentication::Reference => &[],
        _ => &[("token_type_hint", "refresh_token")],
    };
    Some(HttpCall {
        url: endpoints.revocation.clone()?,
        attempt_timeout: timeout,
        retry: RetryPolicy::Once,
        ..call(config, CallPurpose::Revocation, ("token", refresh_token), hint)
    })
}

/// A POST by the client: `first`, who it is, and the `rest`.
fn call(config: &Config, purpose: CallPurpose, first: (&str, &str), rest: &[(&str, &str)]) -> HttpCall {
    let authentication = config.endpoints.authentication;
    let form = [&[first], &*authentication.parameters(config), rest].concat();
    HttpCall {
        purpose,
        url: config.endpoints.token.clone(),
        authorization: authentication.header(config),
        form: Some(Secret::new(stringify(&form))),
        attempt_timeout: ATTEMPT_TIMEOUT,
        max_reply_bytes: MAX_REPLY_BYTES,
        retry: RetryPolicy::TokenEndpoint,
        sharing: Sharing::Alone,
    }
}

/// How long the access token of a reply lives, where it says so (RFC 6749, section 5.1).
pub(crate) fn lifetime(reply: &Json) -> Option<Duration> {
    let secs = reply.member("expires_in").and_then(Json::as_number)?;
    Duration::try_from_secs_f64(secs).ok()
}

/// Why there are no tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TokenError {
    /// No complete reply.
    Call(CallError),
    /// The reply is of another type than JSON; the type, if it had one.
    ContentType(Option<String>),
    /// The reply is not readable as JSON.
    Body,
    /// Refused, with the `error` it gave as text, and the status.
    Refused { status: u16, error: Option<String> },
}

impl TokenError {
    /// Whether the provider says that the grant itself is no longer good. A comparison by substring,
    /// for the reference takes the code anywhere in its error text, of any status, as that verdict.
    pub(crate) fn is_invalid_grant(&self) -> bool {
        match self {
            Self::Refused { error: Some(text), .. } | Self::ContentType(Some(text)) => text.contains("invalid_grant"),
            _ => false,
        }
    }

    /// What a viewer may read about it.
    pub(crate) fn details(&self) -> String {
        match self {
            Self::Call(error) => format!("The sign-in service could not be reached: {error}"),
            Self::ContentType(found) => {
                let found = found.as_deref().unwrap_or("no type");
                format!("The sign-in service answered with {found} instead of application/json")
            }
            Self::Body => "The sign-in service's answer was not readable".to_owned(),
            Self::Refused { error: Some(error), .. } => format!("The sign-in service refused: {error}"),
            Self::Refused { status, error: None } => format!("The sign-in service answered with status {status}"),
        }
    }
}

/// The reply's JSON, if it counts as success: judged by type, then body, then status.
pub(crate) fn judge(outcome: &Result<HttpReply, CallError>) -> Result<Json, TokenError> {
    let reply = outcome.as_ref().map_err(|error| TokenError::Call(error.clone()))?;
    let content_type = reply.content_type.as_deref();
    if !content_type.is_some_and(|found| found.starts_with("application/json")) {
        return Err(TokenError::ContentType(content_type.map(str::to_owned)));
    }
    let json = Json::parse_lossy(&reply.body).ok_or(TokenError::Body)?;
    match (reply.status, &json) {
        (200, _) => Ok(json),
        // Without a body to read an error from, the reply counts as broken, whatever its status.
        (_, Json::Null) => Err(TokenError::Body),
        (status, _) => Err(TokenError::Refused {
            status,
            error: json
                .member("error")
                .filter(|error| error.is_truthy())
                .map(Json::to_template),
        }),
    }
}

/// Whether another attempt could not change the outcome: success, or a readable 4xx.
pub(crate) fn is_final(outcome: &Result<HttpReply, CallError>) -> bool {
    match judge(outcome) {
        Ok(_) => true,
        Err(TokenError::Refused { status, .. }) => (400..500).contains(&status),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, content_type: &str, body: &str) -> Result<HttpReply, CallError> {
        Ok(HttpReply {
            status,
            content_type: Some(content_type.to_owned()),
            body: body.as_bytes().to_vec(),
        })
    }

    #[test]
    fn a_readable_4xx_is_final_and_an_unreadable_one_is_not() {
        assert!(is_final(&reply(
            400,
            "application/json",
            r#"{"error":"invalid_grant"}"#
        )));
        assert!(is_final(&reply(499, "application/jsonp", "[]")));
        for (status, content_type, body) in [
            (400, "application/json", "null"),
            (400, "application/json", "<"),
            (400, "text/html", "{}"),
            (400, "Application/JSON", "{}"),
            (500, "application/json", "{}"),
            (201, "application/json", "{}"),
            (302, "application/json", "{}"),
        ] {
            assert!(
                !is_final(&reply(status, content_type, body)),
                "{status} {content_type} {body}"
            );
        }
        assert!(!is_final(&Err(CallError::Timeout)));
    }

    #[test]
    fn a_byte_order_mark_makes_the_body_unreadable() {
        assert_eq!(
            judge(&reply(200, "application/json", "\u{feff}{}")),
            Err(TokenError::Body)
        );
    }

    #[test]
    fn invalid_grant_is_found_in_the_error_and_not_in_its_description() {
        let verdict = |body: &str| {
            judge(&reply(400, "application/json", body))
                .unwrap_err()
                .is_invalid_grant()
        };
        assert!(verdict(r#"{"error":"xinvalid_grantx"}"#));
        assert!(!verdict(r#"{"error":"Invalid_Grant"}"#));
        assert!(!verdict(r#"{"error":"other","error_description":"invalid_grant"}"#));
    }
}
