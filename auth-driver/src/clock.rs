//! The wall clock, and clocks that stand still.

use std::time::{SystemTime, UNIX_EPOCH};

use auth_core::UnixTime;

/// The present moment.
#[must_use]
pub fn now() -> UnixTime {
    let millis = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |millis| -millis),
    };
    UnixTime::from_millis(millis)
}

/// Where the present moment comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// The system's clock.
    #[default]
    System,
    /// Always this moment, as where recorded requests are answered again.
    Stopped(UnixTime),
}

impl Clock {
    /// What the clock shows.
    #[must_use]
    pub fn now(self) -> UnixTime {
        match self {
            Self::System => now(),
            Self::Stopped(moment) => moment,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn now_agrees_with_the_systems_clock() {
        let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let now = u64::try_from(now().as_secs()).unwrap();
        assert!(now >= before);
    }

    #[test]
    fn a_stopped_clock_shows_its_moment() {
        let moment = UnixTime::from_secs(1_795_323_600);
        assert_eq!(Clock::Stopped(moment).now(), moment);
        assert_eq!(Clock::default(), Clock::System);
    }
}
