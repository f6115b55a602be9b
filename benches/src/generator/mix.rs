//! What is asked for: kinds of requests, each with its share.

use std::sync::Arc;

/// A Cookie header in up to three pieces, so that a hundred thousand sessions can share what is equal in them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Cookies(pub [Arc<str>; 3]);

impl Cookies {
    /// One piece.
    #[must_use]
    pub fn fixed(header: &str) -> Self {
        Self([header.into(), "".into(), "".into()])
    }

    /// Whether there is none at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|piece| piece.is_empty())
    }

    /// The header's value.
    #[must_use]
    pub fn header(&self) -> String {
        self.0.concat()
    }
}

impl std::fmt::Debug for Cookies {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // They are sessions.
        formatter.write_str("Cookies(…)")
    }
}

/// A GET.
#[derive(Clone, Debug)]
pub struct Request {
    /// Path and query.
    pub target: Arc<str>,
    /// What the viewer brings.
    pub cookies: Cookies,
    /// The value of an Authorization header.
    pub authorization: Option<Arc<str>>,
}

impl Request {
    /// Without cookies.
    #[must_use]
    pub fn get(target: &str) -> Self {
        Self {
            target: target.into(),
            cookies: Cookies::default(),
            authorization: None,
        }
    }

    /// With these.
    #[must_use]
    pub fn cookies(mut self, cookies: Cookies) -> Self {
        self.cookies = cookies;
        self
    }
}

/// Which answers are right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// All.
    Any,
    /// Those with this status.
    Status(u16),
    /// Those that lead elsewhere: 301, 302, 303, 307 and 308.
    Redirect,
}

impl Expected {
    /// Whether an answer with that status is one of them.
    #[must_use]
    pub const fn is(self, status: u16) -> bool {
        match self {
            Self::Any => true,
            Self::Status(expected) => status == expected,
            Self::Redirect => matches!(status, 301..=303 | 307 | 308),
        }
    }
}

/// One kind of requests.
#[derive(Clone, Debug)]
pub struct Share {
    /// As the report shows it.
    pub name: String,
    /// How many of them there are, relative to the others.
    pub weight: u32,
    /// Sent in turn.
    pub requests: Vec<Request>,
    /// Which answers are right.
    pub expected: Expected,
}

/// All kinds.
#[derive(Clone, Debug)]
pub struct Mix {
    pub(super) shares: Vec<Share>,
}

impl Mix {
    /// Kinds without weight or requests are left out.
    #[must_use]
    pub fn new(shares: Vec<Share>) -> Self {
        let wanted = |share: &Share| share.weight > 0 && !share.requests.is_empty();
        Self {
            shares: shares.into_iter().filter(wanted).collect(),
        }
    }

    /// One kind, one request.
    #[must_use]
    pub fn single(name: &str, request: Request, expected: u16) -> Self {
        Self::new(vec![Share {
            name: name.to_owned(),
            weight: 1,
            requests: vec![request],
            expected: Expected::Status(expected),
        }])
    }

    /// How many kinds.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.shares.len()
    }

    /// Whether there is nothing to ask for.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.shares.is_empty()
    }
}

/// As `valid=80,anonymous=20`.
impl std::fmt::Display for Mix {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, share) in self.shares.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(formatter, "{comma}{}={}", share.name, share.weight)?;
        }
        Ok(())
    }
}

/// Which request is next. No randomness: any run of requests as long as the sum of the weights holds each kind
/// exactly by its weight, spread evenly; and each thread begins elsewhere in a kind's list.
#[derive(Debug)]
pub(super) struct Rotation {
    /// Per kind: what it is owed, and the next of its requests.
    states: Vec<(i64, usize)>,
}

impl Rotation {
    pub(super) fn new(mix: &Mix, thread: usize, threads: usize) -> Self {
        let start = |share: &Share| (0, share.requests.len() * thread / threads);
        Self {
            states: mix.shares.iter().map(start).collect(),
        }
    }

    /// The kind, and which of its requests.
    pub(super) fn next(&mut self, mix: &Mix) -> (usize, usize) {
        let mut best = 0;
        let mut total = 0;
        for (index, share) in mix.shares.iter().enumerate() {
            let weight = i64::from(share.weight);
            total += weight;
            self.states[index].0 += weight;
            if self.states[index].0 > self.states[best].0 {
                best = index;
            }
        }
        let (owed, next) = &mut self.states[best];
        *owed -= total;
        let request = *next;
        *next = (request + 1) % mix.shares[best].requests.len();
        (best, request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mix(weights: &[u32]) -> Mix {
        let share = |(index, &weight): (usize, &u32)| Share {
            name: index.to_string(),
            weight,
            requests: vec![Request::get("/"); 4],
            expected: Expected::Status(200),
        };
        Mix::new(weights.iter().enumerate().map(share).collect())
    }

    #[test]
    fn each_kind_has_exactly_its_share_and_is_spread_out() {
        let mix = mix(&[5, 2, 1]);
        let mut rotation = Rotation::new(&mix, 0, 1);
        let kinds: Vec<usize> = (0..80).map(|_| rotation.next(&mix).0).collect();
        for eight in kinds.chunks(8) {
            let count = |kind| eight.iter().filter(|&&found| found == kind).count();
            assert_eq!([count(0), count(1), count(2)], [5, 2, 1]);
        }
        assert!(
            kinds.windows(4).all(|four| four.iter().any(|&kind| kind != 0)),
            "{kinds:?}"
        );
    }

    #[test]
    fn the_requests_of_a_kind_take_turns() {
        let mix = mix(&[1]);
        let mut rotation = Rotation::new(&mix, 0, 1);
        let order: Vec<usize> = (0..6).map(|_| rotation.next(&mix).1).collect();
        assert_eq!(order, [0, 1, 2, 3, 0, 1]);
    }

    #[test]
    fn threads_begin_at_different_requests() {
        let mix = mix(&[1]);
        let first: Vec<usize> = (0..2)
            .map(|thread| Rotation::new(&mix, thread, 2).next(&mix).1)
            .collect();
        assert_eq!(first, [0, 2]);
    }

    #[test]
    fn a_redirect_is_one_of_five_statuses() {
        let redirects: Vec<u16> = (100..600).filter(|&status| Expected::Redirect.is(status)).collect();
        assert_eq!(redirects, [301, 302, 303, 307, 308]);
        assert!(Expected::Status(404).is(404) && !Expected::Status(404).is(200) && Expected::Any.is(500));
    }

    #[test]
    fn kinds_without_weight_or_requests_are_left_out() {
        let mut mix = mix(&[3, 0]);
        assert_eq!(mix.len(), 1);
        mix.shares[0].requests.clear();
        assert!(Mix::new(mix.shares).is_empty());
    }
}
