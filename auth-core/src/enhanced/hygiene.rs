//! How tidy the viewer's cookies are kept: what is tried, what is thrown out, and how much may stay.

use crate::{config::Reader, json::Json, jwt::Speaker};

/// What [`enhancements`](super::Enhanced) say of cookies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hygiene {
    /// Off: only the cookies that the reference would look at, and none thrown out.
    pub(crate) tries_every_candidate: bool,
    /// How many bytes all cookies of the viewer may take after a sign-in; `None`: any number.
    pub(crate) budget_bytes: Option<usize>,
    pub(crate) access_token: AccessToken,
}

/// What becomes of the access token, which nothing here reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccessToken {
    /// It has its cookie, as applications with AWS Amplify expect.
    Kept,
    /// It has, unless that would go over the budget.
    KeptWithinBudget,
    /// It has none.
    Dropped,
}

impl Hygiene {
    /// Servers and buckets refuse header sections beyond this, whatever they hold.
    const DEFAULT_BUDGET: usize = 8192;

    pub(crate) fn read(reader: &mut Reader<'_>, speaker: Speaker) -> Self {
        let choices = [
            ("keep", AccessToken::Kept),
            ("withinBudget", AccessToken::KeptWithinBudget),
            ("drop", AccessToken::Dropped),
        ];
        let access_token = match reader.value("accessTokenCookie") {
            // AWS Amplify reads Cognito's; nobody reads another's.
            None if speaker == Speaker::Generic => AccessToken::Dropped,
            None => AccessToken::Kept,
            Some(_) => reader
                .choice("accessTokenCookie", &choices)
                .unwrap_or(AccessToken::Kept),
        };
        Self {
            tries_every_candidate: reader.switch("cookieHygiene", true),
            budget_bytes: budget(reader),
            access_token,
        }
    }
}

/// `false` is no budget.
fn budget(reader: &mut Reader<'_>) -> Option<usize> {
    const LEAST: f64 = 2048.0;
    const MOST: f64 = 65_536.0;
    match reader.value("cookieBudgetBytes") {
        None => Some(Hygiene::DEFAULT_BUDGET),
        Some(Json::Bool(false)) => None,
        Some(Json::Number(bytes)) if bytes.fract() == 0.0 && (LEAST..=MOST).contains(bytes) => Some(*bytes as usize),
        found => {
            let expected = "a whole number from 2048 to 65536, or false";
            reader.problem("cookieBudgetBytes", crate::config::describe(found), expected);
            None
        }
    }
}
