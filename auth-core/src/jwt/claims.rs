//! The checks on a signed id token's claims, in the order that decides which answer is given.

use std::{
    hint::black_box,
    sync::{Arc, OnceLock},
};

use super::{Claim, ClaimsSet, Dialect, TokenType, TokenUse, claims_set::Texts, parse::read_claims};
use crate::{Secret, UnixTime, enhanced::Unsealed};

/// How far a generic provider's clock may be ahead of ours. Cognito's tokens have no `nbf`.
const LEEWAY_SECS: f64 = 60.0;

/// What claims are held against.
#[derive(Clone, Debug)]
pub(crate) struct Requirements {
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) group: Option<String>,
    /// How the issuer's tokens say it.
    pub(crate) dialect: Arc<Dialect>,
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
    /// No `sub` where there has to be one.
    NoSubject,
    /// A bearer token without a scope that is asked for.
    Scope,
}

/// What the rest of the system may know of a verified id token.
#[derive(Debug)]
pub(crate) struct IdToken {
    /// What else stood in the sealed session that it came in.
    pub(crate) unsealed: Option<Unsealed>,
    facts: Facts,
    dialect: Arc<Dialect>,
    /// Few sites ask for any once they are checked. They are read anew from the token for the first who does.
    claims: OnceLock<Box<ClaimsSet>>,
    raw: Texts<RAW_ROOM>,
}

/// Most tokens are shorter.
const RAW_ROOM: usize = 1_392;

/// With the counters of an Arc it is to fit into a KiB and a half, a size of block that allocators have.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<IdToken>() + 2 * size_of::<usize>() <= 1_536);

/// What is asked of a token each time that it is presented.
#[derive(Clone, Copy, Debug)]
struct Facts {
    expires: Option<f64>,
    not_before: Option<f64>,
    token_use: TokenUse,
}

/// What a rightly signed token claims: looked at by the checks, and remembered with the token once they are passed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claimed<'c> {
    pub(crate) claims: &'c ClaimsSet,
    facts: Facts,
    dialect: &'c Arc<Dialect>,
}

impl Requirements {
    /// Whether the token says it is from our issuer. Checked before any key is looked for.
    pub(crate) fn accept_issuer(&self, claims: &ClaimsSet) -> bool {
        claims.text_of("iss") == Some(self.issuer.as_str())
    }

    /// Checks the claims of a token whose issuer and signature are right.
    pub(crate) fn verify(&self, token: &Claimed<'_>, now: UnixTime) -> Result<(), ClaimError> {
        token.verify_presence()?;
        token.verify_time(now)?;
        if !self.accept_groups(token.claims) {
            return Err(ClaimError::Group);
        }
        if token.token_use() != TokenUse::Id {
            return Err(ClaimError::TokenUse);
        }
        if !self.dialect.is_for(token.claims, |client| client == self.client_id) {
            return Err(ClaimError::Audience);
        }
        Ok(())
    }

    /// Scanned from the left: a match ends the scan, an entry that is no string before it is a refusal.
    pub(crate) fn accept_groups(&self, claims: &ClaimsSet) -> bool {
        let Some(required) = self.group.as_deref() else {
            return true;
        };
        let listed = claims.get(&self.dialect.groups).into_iter().flat_map(Claim::entries);
        listed.map_while(Claim::as_str).any(|group| group == required)
    }
}

impl<'c> Claimed<'c> {
    /// Claims of a token whose header says that.
    pub(crate) fn new(claims: &'c ClaimsSet, token_type: TokenType, dialect: &'c Arc<Dialect>) -> Self {
        let facts = Facts {
            expires: claims.number_of("exp"),
            not_before: not_before(claims, dialect),
            token_use: dialect.use_of(token_type, claims),
        };
        Self { claims, facts, dialect }
    }

    /// What it is for.
    pub(crate) const fn token_use(&self) -> TokenUse {
        self.facts.token_use
    }

    /// Whether there is an `exp`.
    pub(crate) const fn has_expiry(&self) -> bool {
        self.facts.expires.is_some()
    }

    /// Whether an access token was granted this scope.
    pub(crate) fn has_scope(&self, scope: &str) -> bool {
        self.dialect.grants(self.claims, scope)
    }

    /// What OpenID Connect Core, section 2, requires, and Cognito's tokens have anyway; the reference does not ask.
    pub(crate) fn verify_presence(&self) -> Result<(), ClaimError> {
        if !self.dialect.is_generic() || self.token_use() != TokenUse::Id {
            return Ok(());
        }
        if !self.has_expiry() {
            return Err(ClaimError::NoExpiry);
        }
        match self.claims.text_of("sub") {
            Some(subject) if !subject.is_empty() => Ok(()),
            _ => Err(ClaimError::NoSubject),
        }
    }

    /// See [`IdToken::verify_time`].
    pub(crate) fn verify_time(&self, now: UnixTime) -> Result<(), ClaimError> {
        self.facts.verify_time(now)
    }
}

impl IdToken {
    /// A token of that text, a JWT, whose claims have been checked.
    pub(super) fn new(raw: &str, claimed: &Claimed<'_>) -> Self {
        let mut text = Texts::default();
        text.push_str(raw);
        Self {
            unsealed: None,
            facts: claimed.facts,
            dialect: Arc::clone(claimed.dialect),
            claims: OnceLock::new(),
            raw: text,
        }
    }

    /// One in whose text the claims cannot be read.
    pub(crate) fn with_claims(raw: &str, claimed: &Claimed<'_>, unsealed: Option<Unsealed>) -> Self {
        let mut token = Self::new(raw, claimed);
        let mut claims = Box::<ClaimsSet>::default();
        claims.copy_from(claimed.claims);
        token.claims = claims.into();
        token.unsealed = unsealed;
        token
    }

    /// Reads a byte of each line of memory that its text lies in.
    pub(super) fn touch(&self) {
        const LINE: usize = 64;
        let lines = self.raw.as_str().as_bytes().iter().step_by(LINE);
        black_box(lines.fold(0, |all, byte| all ^ byte));
    }

    /// Becomes another token, in the same memory.
    pub(super) fn rewrite(&mut self, raw: &str, claimed: &Claimed<'_>) {
        self.raw.clear();
        self.raw.push_str(raw);
        self.unsealed = None;
        self.facts = claimed.facts;
        if !Arc::ptr_eq(&self.dialect, claimed.dialect) {
            self.dialect = Arc::clone(claimed.dialect);
        }
        // Where somebody asked for the last one's, somebody will ask for these.
        if let Some(claims) = self.claims.get_mut() {
            claims.copy_from(claimed.claims);
        }
    }

    /// All that it claims.
    pub(crate) fn claims(&self) -> &ClaimsSet {
        self.claims.get_or_init(|| {
            let mut claims = Box::default();
            // They have been read before, from the same text.
            read_claims(self.raw().expose(), &mut claims);
            claims
        })
    }

    /// As it was presented: the text of the cookie, if it came in a sealed session.
    pub(crate) fn raw(&self) -> Secret<&str> {
        Secret::new(self.raw.as_str())
    }

    /// The id token itself. `None`: the sealed session that it came in does not hold it.
    pub(crate) fn id_token(&self) -> Option<Secret<&str>> {
        match &self.unsealed {
            None => Some(self.raw()),
            Some(unsealed) => Some(Secret::new(unsealed.id_token.as_ref()?.expose())),
        }
    }

    /// A claim that is a text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.claims().text_of(name)
    }

    /// Whom it names.
    pub(crate) fn username(&self) -> Option<&str> {
        self.dialect.username(self.claims())
    }

    /// The groups that it lists, or the only one that it names.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &str> {
        let listed = self.claims().get(&self.dialect.groups);
        listed.into_iter().flat_map(Claim::entries).filter_map(Claim::as_str)
    }

    /// The claim that lists its groups.
    pub(crate) fn groups_claim(&self) -> &str {
        &self.dialect.groups
    }

    /// What it is for.
    pub(crate) const fn token_use(&self) -> TokenUse {
        self.facts.token_use
    }

    /// Seconds until it expires; never where it does not.
    pub(crate) fn seconds_left(&self, now: UnixTime) -> f64 {
        let expires = self.facts.expires;
        expires.map_or(f64::INFINITY, |expires| expires - now.as_secs_f64())
    }

    /// Seconds from its making to its end.
    pub(crate) fn lifetime(&self) -> Option<f64> {
        let issued = self.claims().number_of("iat")?;
        Some(self.facts.expires? - issued)
    }

    /// Whether an access token was granted this scope.
    pub(crate) fn has_scope(&self, scope: &str) -> bool {
        self.dialect.grants(self.claims(), scope)
    }

    /// No leeway: `exp` and `nbf` equal to now are valid, a fraction beyond is not. A token without `exp` never expires.
    pub(crate) fn verify_time(&self, now: UnixTime) -> Result<(), ClaimError> {
        self.facts.verify_time(now)
    }
}

impl Facts {
    fn verify_time(&self, now: UnixTime) -> Result<(), ClaimError> {
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

fn not_before(claims: &ClaimsSet, dialect: &Dialect) -> Option<f64> {
    let secs = claims.number_of("nbf")?;
    Some(if dialect.is_generic() { secs - LEEWAY_SECS } else { secs })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(claims: &str, group: Option<&str>) -> Option<ClaimError> {
        let requirements = Requirements {
            issuer: "i".to_owned(),
            client_id: "c".to_owned(),
            group: group.map(str::to_owned),
            dialect: Dialect::of_cognito().into(),
        };
        let claims = ClaimsSet::parse_lossy(claims.as_bytes()).unwrap();
        let token = Claimed::new(&claims, TokenType::Any, &requirements.dialect);
        requirements.verify(&token, UnixTime::from_secs(100)).err()
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
