//! What a person is told when something went wrong: whose fault it is decides the status.

use super::{
    pages::{Explanation, Shown, show},
    viewer::Viewer,
};
use crate::{
    CallError, HttpReply, Reason, Step, authenticator::Authenticator, page::PageKind, token_endpoint::TokenError,
};

/// A flow that ends in a page.
#[derive(Debug)]
pub(crate) struct Trouble {
    reason: Reason,
    details: Explanation,
    retry_after_secs: Option<i64>,
}

impl Trouble {
    pub(crate) fn new(reason: Reason, details: Explanation) -> Self {
        Self {
            reason,
            details,
            retry_after_secs: match status(reason) {
                429 | 503 => Some(5),
                _ => None,
            },
        }
    }

    /// The browser signs in again and again; `why` is what is wrong with its session each time.
    pub(crate) fn going_round(why: Reason, over_in_secs: i64) -> Self {
        let (reason, details) = match why {
            Reason::SessionExpired | Reason::SessionNotRefreshable | Reason::TokenNotYetValid => {
                (Reason::LoopClock, Explanation::EachOutOfTime)
            }
            Reason::SessionAbsent => (Reason::LoopCookies, Explanation::EachLost),
            _ => (Reason::LoopToken, Explanation::EachRefused),
        };
        Self {
            reason,
            details,
            retry_after_secs: Some(over_in_secs),
        }
    }

    /// The provider's word at the callback (RFC 6749, section 4.1.2.1). Its text is shown only to the browser whose
    /// sign-in it is about.
    pub(crate) fn reported(error: &str, description: Option<&str>) -> Self {
        let reason = match error {
            "access_denied" => Reason::ProviderDenied,
            "temporarily_unavailable" => Reason::ProviderUnavailable,
            "server_error" => Reason::ProviderFailed,
            "invalid_scope" => Reason::ScopeRefused,
            "unauthorized_client" | "invalid_client" => Reason::ClientRefused,
            _ => Reason::ProviderError,
        };
        let description = description.map(|text| format!(" ({text})")).unwrap_or_default();
        Self::new(reason, Explanation::ProviderSays(format!("{error}{description}")))
    }

    /// What the token endpoint made of the code.
    pub(crate) fn redeeming(outcome: &Result<HttpReply, CallError>, error: &TokenError) -> Self {
        let reason = match (outcome, error) {
            (Err(CallError::Timeout), _) => Reason::ProviderTimeout,
            (Err(_), _) => Reason::ProviderUnreachable,
            (Ok(reply), _) if reply.status == 429 => Reason::ProviderThrottled,
            (Ok(reply), _) if reply.status == 503 => Reason::ProviderUnavailable,
            (Ok(reply), _) if reply.status >= 500 => Reason::ProviderFailed,
            (_, TokenError::Refused { error: Some(error), .. }) => refusal(error),
            _ => Reason::TokenEndpoint,
        };
        Self::new(reason, error.into())
    }

    pub(crate) const fn reason(&self) -> Reason {
        self.reason
    }

    /// The page; its link leads to a path of ours.
    pub(crate) fn respond(self, auth: &Authenticator, viewer: &Viewer, link: &str) -> Step {
        let shown = Shown {
            kind: kind(self.reason),
            reason: self.reason,
            details: Some(&self.details),
            link: &viewer.address(link),
            who: None,
        };
        let answer = show(auth, viewer, status(self.reason), shown);
        match self.retry_after_secs {
            Some(secs) => answer.with("Retry-After", secs.to_string()),
            None => answer,
        }
        .decide(auth.config())
    }
}

/// An error code of RFC 6749, section 5.2.
fn refusal(error: &str) -> Reason {
    match error {
        "invalid_grant" => Reason::CodeRefused,
        "invalid_client" | "unauthorized_client" => Reason::ClientRefused,
        "invalid_scope" => Reason::ScopeRefused,
        _ => Reason::TokenEndpoint,
    }
}

const fn kind(reason: Reason) -> PageKind {
    match (reason, status(reason)) {
        (Reason::GroupRequired, _) => PageKind::NotAuthorized,
        (Reason::LoopClock | Reason::LoopCookies | Reason::LoopToken, _) => PageKind::SignInLoop,
        (_, 429 | 502..) => PageKind::ProviderIssue,
        _ => PageKind::SignInIssue,
    }
}

/// 400 the viewer's callback, 403 the viewer's account, 429 too often, 502, 503 and 504 the identity provider.
const fn status(reason: Reason) -> u16 {
    match reason {
        Reason::GroupRequired | Reason::ProviderDenied => 403,
        Reason::LoopClock | Reason::LoopCookies | Reason::LoopToken | Reason::ProviderThrottled => 429,
        Reason::ProviderUnavailable => 503,
        Reason::ProviderTimeout => 504,
        Reason::ProviderFailed
        | Reason::ProviderUnreachable
        | Reason::ClientRefused
        | Reason::ScopeRefused
        | Reason::TokenEndpoint
        | Reason::TokenReply
        | Reason::TokenUnverified
        | Reason::ClockSkew => 502,
        _ => 400,
    }
}
