//! Tokens that have passed every check, so that a known session costs no signature verification.
//!
//! A token is looked for by its end and then compared byte for byte: a digest of it would cost more than it saves. The
//! end belongs to a signature or a seal, which nobody can choose and no two signed texts have in common. Only valid
//! tokens get in, so that made-up ones cannot push good ones out.
//!
//! The end leads to a set of sixteen, in which the next gives way that was not asked for since the hand last came by
//! (a set-associative cache with CLOCK replacement). Under load this memory is in none of the processor's near caches,
//! so what counts is how many places of it are touched. Caches with one order for all their entries keep it in links
//! from entry to entry: with `quick_cache`, and three blocks of memory a token to free and to allocate, to remember a
//! token in place of another took 0.6 to 1 µs of the 25 that a first-seen one takes.

use std::{
    array, fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use super::{ClaimError, ClaimsSet, Dialect, IdToken, TokenType};
use crate::UnixTime;

/// How many tokens share a set. Where as many sessions are in use as half of the room, one in a thousand is one too many
/// for its set; where as many as all of it, one in ten. Those are verified more than once, and lose nothing else.
const WAYS: usize = 16;

/// A bounded cache of verified tokens.
pub(crate) struct TokenCache {
    /// Made when the first token comes.
    sets: OnceLock<Box<[Aligned]>>,
    count: usize,
    /// The last that has given way.
    spare: Mutex<Option<Arc<IdToken>>>,
}

/// A set that begins with a line of the processor's cache.
#[derive(Default)]
#[repr(align(64))]
struct Aligned(Mutex<Set>);

/// In this order, so that to look for a token that is not there takes the first line alone.
#[derive(Default)]
#[repr(C)]
struct Set {
    /// A bit for each token that was asked for since the hand came by.
    used: u16,
    /// The next to give way, unless it is used.
    hand: u8,
    tags: [u16; WAYS],
    tokens: [Option<Arc<IdToken>>; WAYS],
}

impl TokenCache {
    /// A cache of so many tokens, rounded down to whole sets, of which there is one at least.
    pub(crate) const fn new(max_entries: usize) -> Self {
        let sets = max_entries / WAYS;
        Self {
            sets: OnceLock::new(),
            count: if sets == 0 { 1 } else { sets },
            spare: Mutex::new(None),
        }
    }

    /// The token's claims, if it was verified before and is within its times at `now`.
    pub(crate) fn get(&self, token: &str, now: UnixTime) -> Option<Arc<IdToken>> {
        self.judge(token, now)?.ok()
    }

    /// What becomes of a token at `now` that was verified before: its claims, or why it does not count any more. The
    /// times are the first of the claims to be checked, so nothing else could come before.
    pub(crate) fn judge(&self, token: &str, now: UnixTime) -> Option<Result<Arc<IdToken>, ClaimError>> {
        let place = Place::of(token);
        let known = self.set_of(place, self.sets.get()?).get(place.tag(), token)?;
        Some(known.verify_time(now).map(|()| known))
    }

    /// Writes a token down whose signature is good, where it can be left if its claims are, too. That is the memory of
    /// the last one that has given way, unless somebody still holds it: to free that and to allocate anew would touch
    /// more of what nobody has touched for long.
    pub(crate) fn write(
        &self,
        token: &str,
        claims: &ClaimsSet,
        token_type: TokenType,
        dialect: &Arc<Dialect>,
    ) -> Arc<IdToken> {
        let mut spare = self.spare().take();
        match spare.as_mut().and_then(Arc::get_mut) {
            Some(other) => other.rewrite(token, claims, token_type, dialect),
            None => spare = None,
        }
        spare.unwrap_or_else(|| Arc::new(IdToken::new(token, claims, token_type, dialect)))
    }

    /// Remembers a token that has been verified.
    pub(crate) fn insert(&self, verified: Arc<IdToken>) {
        let place = Place::of(verified.raw().expose());
        let sets = self
            .sets
            .get_or_init(|| (0..self.count).map(|_| Aligned::default()).collect());
        let given_way = self.set_of(place, sets).put(place.tag(), verified);
        if given_way.is_some() {
            *self.spare() = given_way;
        }
    }

    /// Forgets everything: the keys that vouched for it have changed.
    pub(crate) fn clear(&self) {
        for set in self.sets.get().into_iter().flatten() {
            *set.lock() = Set::default();
        }
        *self.spare() = None;
    }

    /// How many tokens are known.
    pub(crate) fn len(&self) -> usize {
        let sets = self.sets.get().into_iter().flatten();
        sets.map(|set| set.lock().tokens.iter().flatten().count()).sum()
    }

    fn spare(&self) -> MutexGuard<'_, Option<Arc<IdToken>>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_of<'s>(&self, place: Place, sets: &'s [Aligned]) -> MutexGuard<'s, Set> {
        sets[place.set(self.count)].lock()
    }
}

impl Aligned {
    fn lock(&self) -> MutexGuard<'_, Set> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Set {
    fn get(&mut self, tag: u16, token: &str) -> Option<Arc<IdToken>> {
        let way = self.way_of(tag, token)?;
        self.used |= 1 << way;
        self.tokens[way].clone()
    }

    /// Keeps a token. Returns the one that gives way.
    fn put(&mut self, tag: u16, token: Arc<IdToken>) -> Option<Arc<IdToken>> {
        let known = self.way_of(tag, token.raw().expose());
        let way = known.unwrap_or_else(|| self.next_to_give_way());
        self.tags[way] = tag;
        self.tokens[way].replace(token)
    }

    fn way_of(&self, tag: u16, token: &str) -> Option<usize> {
        // All are compared before any is looked at, since that is a few instructions for the sixteen.
        let alike: [bool; WAYS] = array::from_fn(|way| self.tags[way] == tag);
        let holds = |way: usize| {
            let known = self.tokens[way].as_ref();
            known.is_some_and(|known| *known.raw().expose() == token)
        };
        (0..WAYS).find(|&way| alike[way] && holds(way))
    }

    fn next_to_give_way(&mut self) -> usize {
        loop {
            let way = usize::from(self.hand);
            self.hand = (self.hand + 1) % WAYS as u8;
            let mark = 1 << way;
            if self.used & mark == 0 {
                return way;
            }
            self.used &= !mark;
        }
    }
}

/// Where a token belongs, as its end says.
#[derive(Clone, Copy)]
struct Place(u64);

impl Place {
    fn of(token: &str) -> Self {
        let mut end = [0; 16];
        let bytes = token.as_bytes();
        let length = bytes.len().min(end.len());
        end[..length].copy_from_slice(&bytes[bytes.len() - length..]);
        let end = u128::from_le_bytes(end);
        // Characters have six bits in eight; multiplied, all of them have a part in the upper ones.
        Self(((end >> 64) as u64 ^ end as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    /// Which of so many sets.
    const fn set(self, count: usize) -> usize {
        ((self.0 as u128 * count as u128) >> 64) as usize
    }

    /// What tells those of one set apart, mostly.
    const fn tag(self) -> u16 {
        (self.0 >> 24) as u16
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache")
            .field("sets", &self.count)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{js::base64::encode_url_safe, jwt::Requirements};

    /// Verifies a token and remembers it.
    fn remember(cache: &TokenCache, raw: &str) -> Arc<IdToken> {
        remember_with(cache, raw, "")
    }

    /// The same with more claims.
    fn remember_with(cache: &TokenCache, raw: &str, more: &str) -> Arc<IdToken> {
        let requirements = Requirements {
            issuer: "i".to_owned(),
            client_id: "c".to_owned(),
            group: None,
            dialect: Dialect::of_cognito().into(),
        };
        let claims = format!(r#"{{"exp":100,"token_use":"id","aud":"c"{more}}}"#);
        let claims = ClaimsSet::parse_lossy(claims.as_bytes()).unwrap();
        let token = cache.write(raw, &claims, TokenType::Any, &requirements.dialect);
        requirements.verify(&token, UnixTime::from_secs(0)).unwrap();
        cache.insert(Arc::clone(&token));
        token
    }

    fn knows(cache: &TokenCache, raw: &str) -> bool {
        let found = cache.get(raw, UnixTime::from_secs(100));
        found.is_some_and(|found| *found.raw().expose() == raw && found.text("aud") == Some("c"))
    }

    #[test]
    fn tokens_that_differ_anywhere_are_told_apart() {
        let cache = TokenCache::new(10);
        let end = "e".repeat(64);
        for raw in [format!("a.b.{end}"), "c".to_owned(), String::new()] {
            remember(&cache, &raw);
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
        remember(&cache, "a.b.c");
        let refusal = |token, now| cache.judge(token, UnixTime::from_secs(now)).and_then(Result::err);
        assert!(cache.get("a.b.c", UnixTime::from_secs(101)).is_none());
        assert_eq!(refusal("a.b.c", 101), Some(ClaimError::Expired));
        assert_eq!(refusal("a.b.c", 100), None);
        assert_eq!(refusal("a.b.d", 101), None);
    }

    #[test]
    fn those_that_were_not_asked_for_give_way() {
        let cache = TokenCache::new(WAYS);
        let name = |at: usize| format!("token {at}");
        for at in 0..WAYS {
            remember(&cache, &name(at));
        }
        assert_eq!(cache.len(), WAYS);
        assert!(knows(&cache, &name(0)) && knows(&cache, &name(2)));
        for at in 0..3 {
            remember(&cache, &name(WAYS + at));
        }
        let gone: Vec<usize> = (0..WAYS + 3).filter(|&at| !knows(&cache, &name(at))).collect();
        assert_eq!(gone, [1, 3, 4]);
        assert_eq!(cache.len(), WAYS);
    }

    #[test]
    fn a_token_that_somebody_holds_stays_what_it_is() {
        let cache = TokenCache::new(WAYS);
        let held = remember(&cache, "held");
        // The last two come when it has given way.
        for at in 0..WAYS + 2 {
            remember(&cache, &format!("token {at}"));
        }
        assert!(!knows(&cache, "held"));
        assert_eq!(*held.raw().expose(), "held");
    }

    #[test]
    fn nothing_is_left_of_a_token_in_whose_memory_another_is_written() {
        let cache = TokenCache::new(WAYS);
        let long = "l".repeat(4_000);
        let more = format!(r#","nbf":0,"email":"jane@example.com","tree":{{"a":1}},"long":"{long}""#);
        let first = Arc::as_ptr(&remember_with(&cache, &long, &more));
        for at in 0..WAYS {
            remember(&cache, &format!("token {at}"));
        }
        let last = remember(&cache, "last");
        assert_eq!(Arc::as_ptr(&last), first);
        assert_eq!(*last.raw().expose(), "last");
        let names: Vec<&str> = last.claims.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["exp", "token_use", "aud"]);
        assert!(knows(&cache, "last") && !knows(&cache, &long));
    }

    #[test]
    fn a_token_is_remembered_once_and_a_cleared_cache_knows_none() {
        let cache = TokenCache::new(1_000);
        assert_eq!(cache.len(), 0);
        cache.clear();
        let long = "l".repeat(5_000);
        for raw in ["a", "a", "b", &long] {
            remember(&cache, raw);
            assert!(knows(&cache, raw));
        }
        assert_eq!(cache.len(), 3);
        cache.clear();
        assert_eq!(cache.len(), 0);
        assert!(!knows(&cache, "a"));
    }

    #[test]
    fn there_is_room_for_most_of_what_it_may_hold() {
        let cache = TokenCache::new(4_096);
        // Ends as signatures have them, of a generator that is good enough for that (xorshift).
        let mut state = 0x2545_F491_4F6C_DD1D_u64;
        let mut names = Vec::new();
        for _ in 0..3_072 {
            let end: Vec<u8> = (0..43)
                .map(|_| {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    (state >> 56) as u8
                })
                .collect();
            let name = encode_url_safe(&end);
            remember(&cache, &name);
            names.push(name);
        }
        let known = names.iter().filter(|name| knows(&cache, name)).count();
        assert!(known >= 2_900, "{known} of {}", names.len());
        assert_eq!(known, cache.len());
    }
}
