//! The wall clock.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn now_agrees_with_the_systems_clock() {
        let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let now = u64::try_from(now().as_secs()).unwrap();
        assert!(now >= before);
    }
}
