//! Pauses between attempts.

use std::time::Duration;

use tokio::time::sleep;

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(5);

/// Waits before attempt `attempt` + 1, counted from 0: twice as long each time, five seconds at most.
pub(crate) async fn pause(attempt: u32) {
    sleep(length(attempt)).await;
}

fn length(attempt: u32) -> Duration {
    FIRST.saturating_mul(1 << attempt.min(10)).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit() {
        let lengths: Vec<u128> = [0, 1, 4, 5, 40].map(|attempt| length(attempt).as_millis()).into();
        assert_eq!(lengths, [200, 400, 3200, 5000, 5000]);
    }
}
