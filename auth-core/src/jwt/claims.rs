//! The checks on a signed id token's claims, in the order that decides which answer is given.

use std::sync::Arc;

use crate::{Secret, UnixTime, enhanced::Unsealed, json::Json};

/// What claims are held against.
#[derive(Clone, Debug)]
pub(crate) struct Requirements {
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) group: Option<String>,
}

/// The first check that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClaimError {
    Expired,
    /// `exp` lies before any date a calendar knows; the reference cannot report that as expired.
    ExpiryOutOfRange,
    NotYetValid,
    Group,
    TokenUse,
    Audience,
    /// No `exp` where there has to be one.
    NoExpiry,
    /// A bearer token without a scope that is asked for.
    Scope,
}

/// What the rest of the system may know of a verified id token.
#[derive(Debug)]
pub(crate) struct IdToken {
    /// As it was presented; shared with the token cache. The text of the cookie, if it came in a sealed session.
    pub(crate) raw: Secret<Arc<str>>,
    /// What else stood in the sealed session that it came in.
    pub(crate) unsealed: Option<Unsealed>,
    expires: Option<f64>,
    not_before: Option<f64>,
    pub(crate) payload: Json,
    pub(crate) groups: Vec<String>,
}

impl Requirements {
    /// Whether the token says it is from our issuer. Checked before any key is looked for.
    pub(crate) fn accept_issuer(&self, payload: &Json) -> bool {
        text(payload, "iss") == Some(self.issuer.as_str())
    }

    /// Checks the claims of `raw`, a token whose issuer and signature are right.
    pub(crate) fn verify(&self, raw: &str, payload: Json, now: UnixTime) -> Result<IdToken, ClaimError> {
        let token = IdToken::new(raw, payload);
        let payload = &token.payload;
        token.verify_time(now)?;
        if !self.accept_groups(payload.member("cognito:groups")) {
            return Err(ClaimError::Group);
        }
        if text(payload, "token_use") != Some("id") {
            return Err(ClaimError::TokenUse);
        }
        // One string: a list is refused even if it contains the client.
        if text(payload, "aud") != Some(self.client_id.as_str()) {
            return Err(ClaimError::Audience);
        }
        Ok(token)
    }

    /// Scanned from the left: a match ends the scan, an entry that is no string before it is a refusal.
    pub(crate) fn accept_groups(&self, groups: Option<&Json>) -> bool {
        let Some(required) = self.group.as_deref() else {
            return true;
        };
        match groups {
            Some(Json::String(only)) => only == required,
            Some(Json::Array(list)) => list.iter().map_while(Json::as_str).any(|group| group == required),
            _ => false,
        }
    }
}

impl IdToken {
    pub(crate) fn new(raw: &str, payload: Json) -> Self {
        let groups = match payload.member("cognito:groups") {
            Some(Json::Array(list)) => list.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
            Some(Json::String(only)) => vec![only.clone()],
            _ => Vec::new(),
        };
        Self {
            raw: Secret::new(raw.into()),
            unsealed: None,
            expires: payload.member("exp").and_then(Json::as_number),
            not_before: payload.member("nbf").and_then(Json::as_number),
            payload,
            groups,
        }
    }

    /// A claim that is a text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        text(&self.payload, name)
    }

    /// Seconds until it expires; never where it does not.
    pub(crate) fn seconds_left(&self, now: UnixTime) -> f64 {
        self.expires
            .map_or(f64::INFINITY, |expires| expires - now.as_secs_f64())
    }

    /// Seconds from its making to its end.
    pub(crate) fn lifetime(&self) -> Option<f64> {
        let issued = self.payload.member("iat").and_then(Json::as_number)?;
        Some(self.expires? - issued)
    }

    /// Whether there is an `exp`.
    pub(crate) const fn has_expiry(&self) -> bool {
        self.expires.is_some()
    }

    /// Whether an access token was granted this scope (RFC 9068, section 2.2.3).
    pub(crate) fn has_scope(&self, scope: &str) -> bool {
        let mut granted = self.text("scope").unwrap_or_default().split(' ');
        granted.any(|known| known == scope)
    }

    /// No leeway: `exp` and `nbf` equal to now are valid, a fraction beyond is not. A token without
    /// `exp` never expires.
    pub(crate) fn verify_time(&self, now: UnixTime) -> Result<(), ClaimError> {
        const MIN_DATE_SECS: f64 = -8.64e12;
        let now = now.as_secs_f64();
        match self.expires {
            Some(expires) if expires < MIN_DATE_SECS => return Err(ClaimError::ExpiryOutOfRange),
            Some(expires) if expires < now => return Err(ClaimError::Expired),
            _ => {}
        }
        match self.not_before {
            Some(not_before) if not_before > now => Err(ClaimError::NotYetValid),
            _ => Ok(()),
        }
    }
}

fn text<'p>(payload: &'p Json, name: &str) -> Option<&'p str> {
    payload.member(name)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(claims: &str, group: Option<&str>) -> Option<ClaimError> {
        let requirements = Requirements {
            issuer: "i".to_owned(),
            client_id: "c".to_owned(),
            group: group.map(str::to_owned),
        };
        let payload = Json::parse(claims.as_bytes()).unwrap();
        requirements.verify("t", payload, UnixTime::from_secs(100)).err()
    }

    #[test]
    fn exp_and_nbf_are_inclusive_to_the_second() {
        let valid = |times: &str| outcome(&format!(r#"{{{times}"token_use":"id","aud":"c"}}"#), None);
        assert_eq!(valid(r#""exp":100,"#), None);
        assert_eq!(valid(r#""exp":99.999,"#), Some(ClaimError::Expired));
        assert_eq!(valid(r#""nbf":100,"#), None);
        assert_eq!(valid(r#""nbf":100.5,"#), Some(ClaimError::NotYetValid));
        assert_eq!(valid(r#""exp":1,"nbf":200,"#), Some(ClaimError::Expired));
        assert_eq!(valid(r#""exp":1e300,"#), None);
        assert_eq!(valid(r#""exp":-1e300,"#), Some(ClaimError::ExpiryOutOfRange));
        assert_eq!(valid(""), None);
    }

    #[test]
    fn the_use_is_checked_before_the_audience_and_the_group_before_both() {
        assert_eq!(outcome("{}", Some("g")), Some(ClaimError::Group));
        assert_eq!(outcome("{}", None), Some(ClaimError::TokenUse));
        assert_eq!(
            outcome(r#"{"token_use":"id","aud":["c"]}"#, None),
            Some(ClaimError::Audience)
        );
    }

    #[test]
    fn groups_are_scanned_from_the_left() {
        let with = |groups: &str| {
            outcome(
                &format!(r#"{{"token_use":"id","aud":"c","cognito:groups":{groups}}}"#),
                Some("g"),
            )
        };
        assert_eq!(with(r#"["a","g"]"#), None);
        assert_eq!(with(r#"["g",5]"#), None);
        assert_eq!(with(r#"[5,"g"]"#), Some(ClaimError::Group));
        assert_eq!(with(r#""g""#), None);
        assert_eq!(with(r#"["G"]"#), Some(ClaimError::Group));
        assert_eq!(with(r#"["a,g"]"#), Some(ClaimError::Group));
        assert_eq!(with("{}"), Some(ClaimError::Group));
    }
}
