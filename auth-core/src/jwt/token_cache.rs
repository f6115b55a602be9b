//! Tokens that have passed every check, so that a known session costs no signature verification.
//!
//! A token is looked for by its end and then compared byte for byte: a digest of it would cost more than it saves. The
//! end belongs to the signature, which nobody can choose and no two signed texts have in common. It lies in the cache
//! itself, so that a token which gives way to another is not read once more, for which its memory would have to be
//! fetched. Only valid tokens get in, so that made-up ones cannot push good ones out.

use std::{fmt, sync::Arc};

use quick_cache::sync::Cache;

use super::{ClaimError, IdToken};
use crate::UnixTime;

/// A bounded cache of verified tokens.
#[derive(Debug)]
pub(crate) struct TokenCache(Cache<End, Arc<IdToken>>);

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
        let known = self.0.get(&End::of(token))?;
        (*known.raw().expose() == token).then(|| known.verify_time(now).map(|()| known))
    }

    pub(crate) fn insert(&self, verified: Arc<IdToken>) {
        self.0.insert(End::of(verified.raw().expose()), verified);
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

/// The end of a token, behind nothing if it is shorter.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct End([u8; Self::LENGTH]);

impl End {
    const LENGTH: usize = 32;

    fn of(token: &str) -> Self {
        let bytes = token.as_bytes();
        Self(bytes.last_chunk().copied().unwrap_or_else(|| {
            let mut end = [0; Self::LENGTH];
            end[Self::LENGTH - bytes.len()..].copy_from_slice(bytes);
            end
        }))
    }
}

impl fmt::Debug for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("End(…)")
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
        let others = [
            format!("a.c.{end}"),
            format!("a.b.{end}e"),
            end,
            "d".to_owned(),
            "\0c".to_owned(),
        ];
        for raw in others {
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
