//! Tokens that have passed every check, so that a known session costs no signature verification.
//!
//! The key is the whole token, compared byte for byte: a digest would cost more than it saves. Only
//! valid tokens get in, so that made-up ones cannot push good ones out.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use quick_cache::{Equivalent, sync::Cache};

use super::{ClaimError, IdToken};
use crate::UnixTime;

/// A bounded cache of verified tokens.
#[derive(Debug)]
pub(crate) struct TokenCache(Cache<Known, Arc<IdToken>>);

impl TokenCache {
    pub(crate) fn new(max_entries: usize) -> Self {
        Self(Cache::new(max_entries))
    }

    /// The token's claims, if it was verified before and is within its times at `now`.
    pub(crate) fn get(&self, token: &str, now: UnixTime) -> Option<Arc<IdToken>> {
        self.judge(token, now)?.ok()
    }

    /// What becomes of a token at `now` that was verified before: its claims, or why it does not count any more. The
    /// times are the first of the claims to be checked, so nothing else could come before.
    pub(crate) fn judge(&self, token: &str, now: UnixTime) -> Option<Result<Arc<IdToken>, ClaimError>> {
        let known = self.0.get(&Asked(token))?;
        Some(known.verify_time(now).map(|()| known))
    }

    pub(crate) fn insert(&self, verified: Arc<IdToken>) {
        self.0.insert(Known(Arc::clone(&verified)), verified);
    }

    /// Forgets everything: the keys that vouched for it have changed.
    pub(crate) fn clear(&self) {
        self.0.clear();
    }

    /// How many tokens are known.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// A verified token.
struct Known(Arc<IdToken>);

impl Known {
    fn raw(&self) -> &str {
        self.0.raw().expose()
    }
}

impl PartialEq for Known {
    fn eq(&self, other: &Self) -> bool {
        self.raw() == other.raw()
    }
}

impl Eq for Known {}

/// A token that may be known.
#[derive(Clone, Copy)]
struct Asked<'t>(&'t str);

impl Hash for Known {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Asked(self.raw()).hash(state);
    }
}

/// Only the end counts. It belongs to the signature, which nobody can choose and no two signed texts have in common.
impl Hash for Asked<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let bytes = self.0.as_bytes();
        state.write(&bytes[bytes.len().saturating_sub(32)..]);
    }
}

impl Equivalent<Known> for Asked<'_> {
    fn equivalent(&self, known: &Known) -> bool {
        self.0 == known.raw()
    }
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Known(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jwt::{ClaimsSet, Dialect, IdToken, Requirements, TokenType};

    fn token(raw: &str) -> Arc<IdToken> {
        let requirements = Requirements {
            issuer: "i".to_owned(),
            client_id: "c".to_owned(),
            group: None,
            dialect: Dialect::of_cognito().into(),
        };
        let claims = ClaimsSet::parse_lossy(br#"{"exp":100,"token_use":"id","aud":"c"}"#.to_vec()).unwrap();
        Arc::new(
            requirements
                .verify(raw, claims, TokenType::Any, UnixTime::from_secs(0))
                .unwrap(),
        )
    }

    #[test]
    fn tokens_that_differ_anywhere_are_told_apart() {
        let cache = TokenCache::new(10);
        let end = "e".repeat(64);
        for raw in [format!("a.b.{end}"), "c".to_owned(), String::new()] {
            cache.insert(token(&raw));
            let found = cache.get(&raw, UnixTime::from_secs(100)).unwrap();
            assert_eq!(*found.raw().expose(), raw);
        }
        for raw in [format!("a.c.{end}"), format!("a.b.{end}e"), end, "d".to_owned()] {
            assert!(cache.get(&raw, UnixTime::from_secs(100)).is_none(), "{raw}");
        }
    }

    #[test]
    fn a_known_token_that_has_expired_is_known_as_that() {
        let cache = TokenCache::new(10);
        cache.insert(token("a.b.c"));
        let refusal = |token, now| cache.judge(token, UnixTime::from_secs(now)).and_then(Result::err);
        assert!(cache.get("a.b.c", UnixTime::from_secs(101)).is_none());
        assert_eq!(refusal("a.b.c", 101), Some(ClaimError::Expired));
        assert_eq!(refusal("a.b.c", 100), None);
        assert_eq!(refusal("a.b.d", 101), None);
    }
}
