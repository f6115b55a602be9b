//! How often this browser has been sent round lately: what ends a redirect loop.
//!
//! Counted where a sign-in completes or is begun anew, never where one begins: five tabs are no loop. Who has
//! completed three sign-ins within a minute and still has no session will not get one by a fourth.

use std::time::Duration;

use super::{host_cookie::Host, seal::Sealer};
use crate::{Entropy, UnixTime, cookies::Cookies};

const NAME: &str = "portcullis-hops";
const MOST: u8 = 3;
const WINDOW: Duration = Duration::from_secs(60);

/// The hops of the current minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hops {
    count: u8,
    since: UnixTime,
}

impl Hops {
    /// Those that the request tells of; what is not from us or is over counts nothing.
    pub(crate) fn of(sealer: &Sealer, host: &Host, cookies: Cookies<'_>, now: UnixTime) -> Self {
        let cookie_name = host.cookie_name(NAME);
        let opened = cookies
            .get(&cookie_name)
            .and_then(|value| Self::unpack(&sealer.open(&host.bound_to(&cookie_name), &value)?));
        let fresh = Self { count: 0, since: now };
        opened
            .filter(|hops| hops.since <= now && now < hops.since.after(WINDOW))
            .unwrap_or(fresh)
    }

    /// Whether there were too many.
    pub(crate) const fn are_spent(self) -> bool {
        self.count >= MOST
    }

    /// Seconds until counting starts afresh.
    pub(crate) fn over_in_secs(self, now: UnixTime) -> i64 {
        (self.since.after(WINDOW).as_secs() - now.as_secs()).max(1)
    }

    /// The Set-Cookie value with one hop more.
    pub(crate) fn one_more(self, sealer: &Sealer, host: &Host, rng: &mut dyn Entropy) -> String {
        let cookie_name = host.cookie_name(NAME);
        let since = u32::try_from(self.since.as_secs()).unwrap_or(u32::MAX).to_be_bytes();
        let packed = [&[self.count.saturating_add(1)][..], &since].concat();
        let sealed = sealer.seal(&host.bound_to(&cookie_name), &packed, rng);
        host.set(&cookie_name, &sealed.unwrap_or_default(), WINDOW)
    }

    fn unpack(bytes: &[u8]) -> Option<Self> {
        let (&count, since) = bytes.split_first()?;
        let since = u32::from_be_bytes(since.try_into().ok()?);
        Some(Self {
            count,
            since: UnixTime::from_secs(i64::from(since)),
        })
    }
}
