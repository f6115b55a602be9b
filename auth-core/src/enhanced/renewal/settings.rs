//! What is set for renewals.

use std::time::Duration;

use crate::{UnixTime, config::Reader, jwt::IdToken};

/// How sessions are renewed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RenewalSettings {
    /// While the request waits, where that can be done.
    pub(crate) in_place: bool,
    /// A refresh token in the reply replaces the old one.
    pub(crate) rotates: bool,
    /// How long before the end a session is renewed already.
    ahead: Duration,
    /// How long after its end a session still passes when the provider cannot be asked.
    pub(crate) grace: Duration,
}

impl RenewalSettings {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            in_place: reader.switch("inPlaceRefresh", true),
            rotates: reader.switch("refreshTokenRotation", true),
            ahead: Duration::from_secs(reader.secs("refreshAheadSecs", 0, 3600).unwrap_or(60)),
            grace: Duration::from_secs(reader.secs("refreshGraceSecs", 0, 600).unwrap_or(60)),
        }
    }

    /// Whether a good session comes to its end soon enough to be renewed. Sessions that began together are not
    /// renewed together: each has a share of its own, of a half up to the whole, of the time before its end.
    pub(crate) fn is_due(&self, token: &IdToken, now: UnixTime) -> bool {
        let ahead = self.ahead.as_secs_f64();
        let left = token.seconds_left(now);
        if !self.in_place || left > ahead {
            return false;
        }
        // A short life is not spent on renewals.
        let ahead = token.lifetime().map_or(ahead, |lifetime| ahead.min(lifetime / 4.0));
        left <= ahead * (0.5 + 0.5 * share(token.raw().expose()))
    }
}

/// A number from 0 to 1 that differs from token to token: the end of a signature is as good as random.
fn share(token: &str) -> f64 {
    let sum = token
        .bytes()
        .rev()
        .take(4)
        .fold(0_u32, |sum, byte| sum * 31 + u32::from(byte));
    f64::from(sum % 256) / 255.0
}
