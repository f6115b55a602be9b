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

use super::{ClaimError, Claimed, IdToken};
use crate::UnixTime;

/// How many tokens share a set. Where as many sessions are in use as half of the room, one in a thousand is one too many
/// for its set; where as many as all of it, one in ten. Those are verified more than once, and lose nothing else.
const WAYS: usize = 16;

/// A bounded cache of verified tokens.
pub(crate) struct TokenCache {
    /// Made when the first token comes.
    sets: OnceLock<Box<[Aligned]>>,
    count: usize,
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

    /// Remembers a token that has been verified: in the memory of the one that gives way, unless somebody still holds
    /// that. To free it and to allocate anew would touch more of what nobody has touched for long. All of that memory is
    /// read first: reads go on side by side, while to see whether somebody holds it is one write that waits for memory,
    /// and the rest of the writing another.
    pub(crate) fn remember(&self, token: &str, claimed: &Claimed<'_>) -> Arc<IdToken> {
        self.put(token, |mut other| {
            if let Some(other) = &other {
                other.touch();
            }
            match other.as_mut().and_then(Arc::get_mut) {
                Some(other) => other.rewrite(token, claimed),
                None => other = None,
            }
            other.unwrap_or_else(|| Arc::new(IdToken::new(token, claimed)))
        })
    }

    /// Remembers a token that is there already.
    pub(crate) fn insert(&self, verified: Arc<IdToken>) {
        let kept = Arc::clone(&verified);
        self.put(verified.raw().expose(), |_| kept);
    }

    /// Keeps what is made of the one that gives way.
    fn put(&self, token: &str, make: impl FnOnce(Option<Arc<IdToken>>) -> Arc<IdToken>) -> Arc<IdToken> {
        let place = Place::of(token);
        let sets = self
            .sets
            .get_or_init(|| (0..self.count).map(|_| Aligned::default()).collect());
        let mut set = self.set_of(place, sets);
        let known = set.way_of(place.tag(), token);
        let way = known.unwrap_or_else(|| set.next_to_give_way());
        let made = make(set.tokens[way].take());
        set.tags[way] = place.tag();
        set.tokens[way] = Some(Arc::clone(&made));
        made
    }

    /// Forgets everything: the keys that vouched for it have changed.
    pub(crate) fn clear(&self) {
        for set in self.sets.get().into_iter().flatten() {
            *set.lock() = Set::default();
        }
    }

    /// How many tokens are known.
    pub(crate) fn len(&self) -> usize {
        let sets = self.sets.get().into_iter().flatten();
        sets.map(|set| set.lock().tokens.iter().flatten().count()).sum()
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
    use crate::{
        js::base64::encode_url_safe,
        jwt::{ClaimsSet, Dialect, Requirements, TokenType},
    };

    fn claims(more: &str) -> String {
        format!(r#"{{"exp":100,"token_use":"id","aud":"c"{more}}}"#)
    }

    /// A token of which that is the end.
    fn token(end: &str) -> String {
        token_with(end, "")
    }

    /// The same with more claims.
    fn token_with(end: &str, more: &str) -> String {
        format!("e30.{}.{end}", encode_url_safe(claims(more).as_bytes()))
    }

    /// Verifies a token and remembers it.
    fn remember(cache: &TokenCache, raw: &str) -> Arc<IdToken> {
        remember_with(cache, raw, "")
    }

    /// The same of one with more claims.
    fn remember_with(cache: &TokenCache, raw: &str, more: &str) -> Arc<IdToken> {
        let requirements = Requirements {
            issuer: "i".to_owned(),
            client_id: "c".to_owned(),
            group: None,
            dialect: Dialect::of_cognito().into(),
        };
        let claims = ClaimsSet::parse_lossy(claims(more).as_bytes()).unwrap();
        let claimed = Claimed::new(&claims, TokenType::Any, &requirements.dialect);
        requirements.verify(&claimed, UnixTime::from_secs(0)).unwrap();
        cache.remember(raw, &claimed)
    }

    fn knows(cache: &TokenCache, raw: &str) -> bool {
        let found = cache.get(raw, UnixTime::from_secs(100));
        found.is_some_and(|found| *found.raw().expose() == raw)
    }

    fn names(token: &IdToken) -> Vec<&str> {
        token.claims().iter().map(|(name, _)| name).collect()
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
        let long = "l".repeat(4_000);
        let more = format!(r#","nbf":0,"email":"jane@example.com","tree":{{"a":1}},"long":"{long}""#);
        let long = token_with(&long, &more);
        let short = token("last");
        for is_asked in [false, true] {
            let cache = TokenCache::new(WAYS);
            let first = remember_with(&cache, &long, &more);
            if is_asked {
                assert_eq!(
                    names(&first),
                    ["exp", "token_use", "aud", "nbf", "email", "tree", "long"]
                );
            }
            let memory = Arc::as_ptr(&first);
            drop(first);
            for at in 1..WAYS {
                remember(&cache, &token(&at.to_string()));
            }
            let last = remember(&cache, &short);
            assert_eq!(Arc::as_ptr(&last), memory);
            assert_eq!(*last.raw().expose(), short);
            assert_eq!(names(&last), ["exp", "token_use", "aud"]);
            assert!(knows(&cache, &short) && !knows(&cache, &long));
        }
    }

    #[test]
    fn what_a_known_token_claims_is_read_for_whoever_asks() {
        let cache = TokenCache::new(WAYS);
        let more = r#","email":"jane@example.com","cognito:groups":["a","b"]"#;
        let raw = token_with("end", more);
        remember_with(&cache, &raw, more);
        for _ in 0..2 {
            let known = cache.get(&raw, UnixTime::from_secs(100)).unwrap();
            assert_eq!(known.text("email"), Some("jane@example.com"));
            assert_eq!(known.groups().collect::<Vec<_>>(), ["a", "b"]);
            assert_eq!(names(&known), ["exp", "token_use", "aud", "email", "cognito:groups"]);
        }
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
