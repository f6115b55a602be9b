//! How long a session may last, and how long it may lie unused, whatever its tokens say (T-SESS-2).
//!
//! The beginning is the id token's `auth_time` (OpenID Connect Core, section 2), which a renewal does not change.
//! The last use is in the sealed session, or in a small sealed cookie beside the tokens, bound to their subject and
//! beginning. Where that cookie is missing, only a session that began within the idle time is taken for used:
//! leaving the cookie out gains nothing. Where no cookies can be set on what is forwarded, use is noted less often,
//! for each note is a way round.

use std::time::Duration;

use super::{
    host_cookie::Host,
    seal::{Purpose, Sealer},
    session::{Session, kept},
    viewer::Viewer,
    writer::SessionWriter,
};
use crate::{
    Config, Entropy, ForwardCookies, Reason, Request, UnixTime, authenticator::Authenticator, config::Reader,
    cookies::Cookies, jwt::IdToken,
};

const NAME: &str = "portcullis-seen";
/// Less often than this the last use is not written down.
const MOST_SECS_BETWEEN_NOTES: u64 = 60;
const YEAR: u32 = 366 * 86_400;

/// The limits, where there are any.
#[derive(Clone, Debug)]
pub(crate) struct Lifetime {
    idle: Option<Duration>,
    absolute: Option<Duration>,
    sealer: Sealer,
}

/// Why a session is over, and what follows for the viewer's cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judged {
    Good,
    /// Good, and its use is to be noted.
    Unnoted,
    Over(Reason),
}

/// What it takes to note a use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effort {
    /// A cookie on an answer that goes out anyway.
    Cookie,
    /// Two answers of our own.
    WayRound,
}

impl Effort {
    fn of(auth: &Authenticator) -> Self {
        match auth.capabilities().forward_cookies {
            ForwardCookies::Possible => Self::Cookie,
            ForwardCookies::Impossible => Self::WayRound,
        }
    }

    /// How long a note stands until a use is noted again.
    fn between(self, idle: Duration) -> Duration {
        match self {
            Self::Cookie => Duration::from_secs(MOST_SECS_BETWEEN_NOTES).min(idle / 4),
            Self::WayRound => idle / 4,
        }
    }
}

impl Lifetime {
    pub(super) const KEYS: [&'static str; 2] = ["absoluteSecs", "idleSecs"];

    /// `sessionLifetime`: off unless it has a limit.
    pub(crate) fn read(reader: &mut Reader<'_>, config: &Config) -> Option<Self> {
        reader.value("sessionLifetime")?;
        let (idle, absolute) = reader.section("sessionLifetime", &Self::KEYS, |section| {
            let secs = |found: Option<u64>| found.map(Duration::from_secs);
            (
                secs(section.secs("idleSecs", 60, YEAR)),
                secs(section.secs("absoluteSecs", 60, YEAR)),
            )
        });
        let site = format!("{}\0{}", config.requirements.issuer, config.client_id);
        (idle.is_some() || absolute.is_some()).then(|| Self {
            idle,
            absolute,
            sealer: Sealer::new([&config.secrets.nonce_signing], Purpose::Use, site),
        })
    }

    /// Whether a session that began then, and was last used then, still is one. An unknown time is no excuse.
    fn judge(&self, began: Option<UnixTime>, used: Option<UnixTime>, effort: Effort, now: UnixTime) -> Judged {
        let is_over = |since: Option<UnixTime>, limit: Duration| since.is_none_or(|since| since.after(limit) <= now);
        if self.absolute.is_some_and(|limit| is_over(began, limit)) {
            return Judged::Over(Reason::SessionTooOld);
        }
        let Some(idle) = self.idle else {
            return Judged::Good;
        };
        if is_over(used.max(began), idle) {
            return Judged::Over(Reason::SessionIdle);
        }
        if is_over(used, effort.between(idle)) {
            Judged::Unnoted
        } else {
            Judged::Good
        }
    }

    /// Judges the session that a request brings.
    pub(crate) fn of_request(
        &self,
        auth: &Authenticator,
        session: &Session,
        request: &Request<'_>,
        now: UnixTime,
    ) -> Judged {
        let used = match session.times() {
            Some(times) => Some(times.seen),
            None => self.noted(&Host::of(request), Cookies::new(request.cookies), &session.token),
        };
        self.of_session(auth, session, used, now)
    }

    /// The same for a session that has just been renewed for this viewer.
    pub(crate) fn of_viewer(&self, auth: &Authenticator, session: &Session, viewer: &Viewer, now: UnixTime) -> Judged {
        let enhanced = auth.config().enhanced.as_deref();
        let times = session.times().or_else(|| kept(auth, enhanced?, viewer)?.times);
        let noted = || viewer.with_cookies(|cookies| self.noted(&viewer.host, cookies, &session.token));
        let used = times.map_or_else(noted, |times| Some(times.seen));
        self.of_session(auth, session, used, now)
    }

    fn of_session(&self, auth: &Authenticator, session: &Session, used: Option<UnixTime>, now: UnixTime) -> Judged {
        let began = began(&session.token).or(session.times().map(|times| times.created));
        self.judge(began, used, Effort::of(auth), now)
    }

    /// How long the marker of one way round lives: less than lies between two.
    pub(crate) fn one_try(&self) -> Duration {
        const MOST: Duration = Duration::from_secs(60);
        self.idle.map_or(MOST, |idle| (idle / 8).min(MOST))
    }

    /// The cookies that say that a session is used now.
    pub(crate) fn note(
        &self,
        auth: &Authenticator,
        session: &Session,
        viewer: &Viewer,
        now: UnixTime,
        rng: &mut dyn Entropy,
    ) -> Vec<String> {
        match auth.config().enhanced.as_deref() {
            Some(enhanced) if session.times().is_some() => {
                SessionWriter::new(auth, enhanced, viewer).touch(session, now, rng)
            }
            // A renewal has just sealed it anew, or the answer does.
            Some(enhanced) if enhanced.sealed.is_some() && Effort::of(auth) == Effort::Cookie => Vec::new(),
            _ => self.note_for(&session.token, viewer, now, rng).into_iter().collect(),
        }
    }

    /// The cookie that says that the session of this token is used now.
    pub(crate) fn note_for(
        &self,
        token: &IdToken,
        viewer: &Viewer,
        now: UnixTime,
        rng: &mut dyn Entropy,
    ) -> Option<String> {
        let idle = self.idle?;
        let name = viewer.host.cookie_name(NAME);
        let value = format!("{}\0{}", now.as_secs(), whose(token));
        let sealed = self.sealer.seal(&viewer.host.bound_to(&name), value.as_bytes(), rng)?;
        Some(viewer.host.set(&name, &sealed, idle))
    }

    /// The Set-Cookie value that takes the cookie away.
    pub(crate) fn forget(viewer: &Viewer) -> String {
        viewer.host.expire(&viewer.host.cookie_name(NAME))
    }

    /// When the session was last used, as its own cookie says.
    fn noted(&self, host: &Host, cookies: Cookies<'_>, token: &IdToken) -> Option<UnixTime> {
        let name = host.cookie_name(NAME);
        let times = cookies.values_of(&name).filter_map(|value| {
            let opened = String::from_utf8(self.sealer.open(&host.bound_to(&name), &value)?).ok()?;
            let (secs, session) = opened.split_once('\0')?;
            (session == whose(token))
                .then(|| secs.parse().ok().map(UnixTime::from_secs))
                .flatten()
        });
        times.max()
    }
}

/// When the viewer proved who they are.
fn began(token: &IdToken) -> Option<UnixTime> {
    let secs = token.claims().number_of("auth_time")?;
    Some(UnixTime::from_secs(secs as i64))
}

/// Tells this session from all others, before and after renewals.
fn whose(token: &IdToken) -> String {
    let began = began(token).map_or(0, UnixTime::as_secs);
    format!("{began}\0{}", token.text("sub").unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lifetime(idle: Option<u64>, absolute: Option<u64>) -> Lifetime {
        Lifetime {
            idle: idle.map(Duration::from_secs),
            absolute: absolute.map(Duration::from_secs),
            sealer: Sealer::new([], Purpose::Use, "site"),
        }
    }

    const fn at(secs: i64) -> Option<UnixTime> {
        Some(UnixTime::from_secs(secs))
    }

    /// T-SESS-2
    #[test]
    fn t_sess_2_the_limits_hold_to_the_second() {
        let now = UnixTime::from_secs(10_000);
        for (limits, began, used, expected) in [
            ((None, Some(1000)), at(9001), None, Judged::Good),
            (
                (None, Some(1000)),
                at(9000),
                at(10_000),
                Judged::Over(Reason::SessionTooOld),
            ),
            (
                (None, Some(1000)),
                None,
                at(10_000),
                Judged::Over(Reason::SessionTooOld),
            ),
            ((Some(1000), None), at(0), at(9999), Judged::Good),
            ((Some(1000), None), at(0), at(9940), Judged::Unnoted),
            ((Some(1000), None), at(0), at(9001), Judged::Unnoted),
            ((Some(1000), None), at(0), at(9000), Judged::Over(Reason::SessionIdle)),
            ((Some(1000), None), at(0), None, Judged::Over(Reason::SessionIdle)),
            ((Some(1000), None), at(9001), None, Judged::Unnoted),
            ((Some(1000), None), None, None, Judged::Over(Reason::SessionIdle)),
            (
                (Some(1000), Some(5000)),
                at(4000),
                at(9999),
                Judged::Over(Reason::SessionTooOld),
            ),
        ] {
            let judged = lifetime(limits.0, limits.1).judge(began, used, Effort::Cookie, now);
            assert_eq!(judged, expected, "{limits:?} {began:?} {used:?}");
        }
    }
}
