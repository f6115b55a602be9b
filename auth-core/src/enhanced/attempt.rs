//! A sign-in that a browser has begun: one sealed cookie each, so that tabs and parallel requests do not undo each
//! other's.
//!
//! The cookie holds a secret of 256 bits and the return URI byte for byte. The code verifier (RFC 7636), the nonce
//! (OpenID Connect Core 1.0, section 3.1.2.1) and `state` are derived from that secret, so that they stay constant in
//! size and belong together. The cookies' names are few and their sizes bounded: even if fifty requests begin a
//! sign-in at once, none of which knows of the others, less than 4 KB come back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use super::{
    host_cookie::Host,
    seal::{Purpose, Sealer},
};
use crate::{
    Config, Entropy, UnixTime,
    cookies::Cookies,
    hmac::{bytes_equal, sign},
    js::base64::encode_url_safe,
};

/// More attempts than this are nobody's tabs: the oldest make room.
const MOST: usize = 5;
/// The names for return URIs of usual length, and what one such cookie may take in a request.
const SHORT: (&[char], usize) = (&['0', '1', '2', '3', '4', '5'], 300);
/// The names for long ones. All together stay below 4 KB.
const LONG: (&[char], usize) = (&['6', '7'], 1100);
/// Prefix, `__Host-` included, id, `=` and the separator behind it.
const NAME_LENGTH: usize = "__Host-portcullis-attempt-0=; ".len();
const SECRET_LENGTH: usize = 32;
const TIME_LENGTH: usize = 4;
/// Of `state`: id, generation, and the part that nobody can guess.
const STATE_LENGTH: usize = 32;

/// How sign-ins are begun and recognised.
#[derive(Clone, Debug)]
pub(crate) struct Attempts {
    sealer: Sealer,
    lifetime: Duration,
    /// Whose turn it is among the names: parallel requests that cannot see each other get different ones.
    turn: Arc<AtomicU32>,
}

/// A sign-in under way.
#[derive(Clone)]
pub(crate) struct Attempt {
    id: char,
    /// How often this sign-in has been begun anew.
    pub(crate) generation: u8,
    secret: [u8; SECRET_LENGTH],
    created: UnixTime,
    /// Path and query to return to, as they were sent.
    pub(crate) return_to: String,
}

/// `state` in our form: it names the attempt, and only the attempt's own cookie proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AttemptState {
    id: char,
    pub(crate) generation: u8,
    text: String,
}

/// Why there is no attempt for a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// Its cookie did not come, or cannot be opened here.
    Missing,
    /// The cookie is of another sign-in, begun later.
    Replaced,
    /// Too long ago; this is where it was to return to.
    Expired(String),
}

impl Attempts {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            sealer: Sealer::new([&config.secrets.nonce_signing], Purpose::Attempt, site(config)),
            lifetime: Duration::from_secs_f64(config.secrets.nonce_max_age_secs.clamp(60.0, 86_400.0)),
            turn: Arc::new(AtomicU32::new(u32::MAX)),
        }
    }

    /// For what else is sealed while signing in.
    pub(crate) const fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// Begins a sign-in: the attempt, and the Set-Cookie values that keep it and drop those that it replaces.
    pub(crate) fn begin(
        &self,
        host: &Host,
        cookies: Cookies<'_>,
        return_to: &str,
        generation: u8,
        now: UnixTime,
        rng: &mut dyn Entropy,
    ) -> (Attempt, Vec<String>) {
        let (mut living, mut leaving) = self.present(host, cookies, now);
        living.sort_by_key(|attempt| attempt.created);
        let surplus = (living.len() + 1).saturating_sub(MOST);
        leaving.extend(living.drain(..surplus).map(|attempt| attempt.id));
        let (return_to, names) = fit(return_to);
        let id = self.choose(names, &living, rng);
        let mut secret = [0; SECRET_LENGTH];
        rng.fill(&mut secret);
        let attempt = Attempt {
            id,
            generation,
            secret,
            created: now,
            return_to,
        };
        let mut changes = vec![self.keep(&attempt, host, rng)];
        let expired = leaving.into_iter().filter(|&left| left != id);
        changes.extend(expired.map(|id| host.expire(&host.cookie_name(&name(id)))));
        (attempt, changes)
    }

    /// The attempt that a state belongs to.
    pub(crate) fn find(
        &self,
        host: &Host,
        cookies: Cookies<'_>,
        state: &AttemptState,
        now: UnixTime,
    ) -> Result<Attempt, Lost> {
        let cookie_name = host.cookie_name(&name(state.id));
        let mut lost = Lost::Missing;
        for value in cookies.values_of(&cookie_name) {
            let Some(mut attempt) = self.open(host, state.id, &value) else {
                continue;
            };
            attempt.generation = state.generation;
            if !bytes_equal(attempt.state().as_bytes(), state.text.as_bytes()) {
                lost = Lost::Replaced;
            } else if attempt.is_over(self.lifetime, now) {
                return Err(Lost::Expired(attempt.return_to));
            } else {
                return Ok(attempt);
            }
        }
        Err(lost)
    }

    /// The attempts in a request, and the names whose cookies are of no use.
    fn present(&self, host: &Host, cookies: Cookies<'_>, now: UnixTime) -> (Vec<Attempt>, Vec<char>) {
        let (mut living, mut useless) = (Vec::new(), Vec::new());
        for &id in SHORT.0.iter().chain(LONG.0) {
            let Some(value) = cookies.get(&host.cookie_name(&name(id))) else {
                continue;
            };
            match self.open(host, id, &value) {
                Some(attempt) if !attempt.is_over(self.lifetime, now) => living.push(attempt),
                _ => useless.push(id),
            }
        }
        (living, useless)
    }

    /// The next name in turn that no living attempt bears; of those that all do, the next in turn.
    fn choose(&self, names: &[char], living: &[Attempt], rng: &mut dyn Entropy) -> char {
        let count = names.len();
        let start = self.next_turn(rng) as usize;
        let turn = |offset: usize| names[start.wrapping_add(offset) % count];
        let is_free = |id: &char| living.iter().all(|attempt| attempt.id != *id);
        (0..count).map(turn).find(is_free).unwrap_or_else(|| turn(0))
    }

    /// Begins anywhere, for at the edge each parallel request may meet a process of its own.
    fn next_turn(&self, rng: &mut dyn Entropy) -> u32 {
        let drawn = self.turn.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |turn| {
            (turn != u32::MAX).then(|| turn.wrapping_add(1) % (u32::MAX - 1))
        });
        drawn.unwrap_or_else(|_| {
            let mut bytes = [0; 2];
            rng.fill(&mut bytes);
            let start = u32::from(u16::from_be_bytes(bytes));
            self.turn.store(start + 1, Ordering::Relaxed);
            start
        })
    }

    fn keep(&self, attempt: &Attempt, host: &Host, rng: &mut dyn Entropy) -> String {
        let cookie_name = host.cookie_name(&name(attempt.id));
        let sealed = self.sealer.seal(&host.bound_to(&cookie_name), &attempt.pack(), rng);
        host.set(&cookie_name, &sealed.unwrap_or_default(), self.lifetime)
    }

    fn open(&self, host: &Host, id: char, value: &str) -> Option<Attempt> {
        let cookie_name = host.cookie_name(&name(id));
        let bytes = self.sealer.open(&host.bound_to(&cookie_name), value)?;
        Attempt::unpack(id, &bytes)
    }
}

impl Attempt {
    /// The Set-Cookie value that ends it.
    pub(crate) fn expire(&self, host: &Host) -> String {
        host.expire(&host.cookie_name(&name(self.id)))
    }

    /// The code verifier: 43 characters for 256 bits.
    pub(crate) fn verifier(&self) -> String {
        encode_url_safe(&self.secret)
    }

    /// What the id token must repeat.
    pub(crate) fn nonce(&self) -> String {
        self.derive("nonce", 22)
    }

    pub(crate) fn state(&self) -> String {
        let (id, generation) = (self.id, self.generation);
        let proof = self.derive(&format!("state {id}{generation}"), STATE_LENGTH - 2);
        format!("{id}{generation}{proof}")
    }

    fn derive(&self, label: &str, length: usize) -> String {
        let mut text = encode_url_safe(&sign(&self.secret, label.as_bytes()));
        text.truncate(length);
        text
    }

    fn is_over(&self, lifetime: Duration, now: UnixTime) -> bool {
        self.created.after(lifetime) < now
    }

    fn pack(&self) -> Vec<u8> {
        let created = u32::try_from(self.created.as_secs()).unwrap_or(u32::MAX);
        [&self.secret[..], &created.to_be_bytes(), self.return_to.as_bytes()].concat()
    }

    fn unpack(id: char, bytes: &[u8]) -> Option<Self> {
        let (secret, rest) = bytes.split_first_chunk::<SECRET_LENGTH>()?;
        let (created, return_to) = rest.split_first_chunk::<TIME_LENGTH>()?;
        Some(Self {
            id,
            generation: 0,
            secret: *secret,
            created: UnixTime::from_secs(i64::from(u32::from_be_bytes(*created))),
            return_to: std::str::from_utf8(return_to).ok()?.to_owned(),
        })
    }
}

impl AttemptState {
    /// Reads a state in our form; the reference's is much longer.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut chars = text.chars();
        let id = chars.next().filter(|id| SHORT.0.contains(id) || LONG.0.contains(id))?;
        let generation = chars.next()?.to_digit(10)?;
        (text.len() == STATE_LENGTH).then(|| Self {
            id,
            generation: generation as u8,
            text: text.to_owned(),
        })
    }
}

fn name(id: char) -> String {
    format!("portcullis-attempt-{id}")
}

/// Whatever tells this site from those that may share its secret.
fn site(config: &Config) -> String {
    format!("{}|{}", config.requirements.issuer, config.client_id)
}

/// The return URI that can be kept, and the names under which it can: all of it, else its path, else the root.
fn fit(return_to: &str) -> (String, &'static [char]) {
    let path = return_to.split('?').next().unwrap_or_default();
    [return_to, path]
        .into_iter()
        .find_map(|uri| {
            let fits = |budget| uri.len() <= longest(budget);
            let names = [SHORT, LONG].into_iter().find(|(_, budget)| fits(*budget))?.0;
            Some((uri.to_owned(), names))
        })
        .unwrap_or_else(|| ("/".to_owned(), SHORT.0))
}

/// The longest return URI that a cookie of so many characters holds.
const fn longest(budget: usize) -> usize {
    (budget - NAME_LENGTH) / 4 * 3 - Sealer::OVERHEAD - SECRET_LENGTH - TIME_LENGTH
}

#[cfg(test)]
mod tests;
