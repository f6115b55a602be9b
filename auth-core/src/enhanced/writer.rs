//! Writing a session into the viewer's cookies: sealed, or as tokens under the names that others read.
//!
//! Every Set-Cookie names its path; what the session replaces is expired, wherever it may stand.

use std::sync::Arc;

use super::{
    Enhanced,
    expiry::Expiry,
    own_cookies::{REFERENCE_FLOW, is_of_session, last_user_name, tokens},
    parts,
    places::{Place, attribute},
    plain::{PlainCookies, token_cookies},
    sealed::{self, ToSeal},
    session::{Order, Session, Times, kept},
    viewer::Viewer,
};
use crate::{
    Config, Entropy, Reason, Scheme, UnixTime, authenticator::Authenticator, cookie_names::Token, json::Json,
    jwt::IdToken,
};

/// A session as the token endpoint gave it.
#[derive(Debug)]
pub(crate) struct NewSession {
    /// Verified.
    pub(crate) token: Arc<IdToken>,
    pub(crate) access: Option<String>,
    /// What the session can be renewed with from now on: a new token, or the one that it was renewed with.
    pub(crate) refresh: Option<String>,
    pub(crate) times: Times,
}

impl NewSession {
    /// A session that begins with this reply, whose id token has been verified.
    pub(crate) fn of_reply(token: Arc<IdToken>, reply: &Json, now: UnixTime) -> Self {
        let text = |name: &str| reply.member(name).and_then(Json::as_str);
        let text = |name: &str| text(name).filter(|text| !text.is_empty()).map(str::to_owned);
        Self {
            token,
            access: text("access_token"),
            refresh: text("refresh_token"),
            times: Times {
                created: now,
                seen: now,
            },
        }
    }
}

/// The cookies that a sign-in sets.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) cookies: Vec<String>,
    /// [`Reason::SignedIn`], or the same with a warning.
    pub(crate) reason: Reason,
}

/// Writes sessions into the cookies of one viewer.
pub(crate) struct SessionWriter<'a> {
    auth: &'a Authenticator,
    enhanced: &'a Enhanced,
    viewer: &'a Viewer,
}

impl<'a> SessionWriter<'a> {
    pub(crate) const fn new(auth: &'a Authenticator, enhanced: &'a Enhanced, viewer: &'a Viewer) -> Self {
        Self { auth, enhanced, viewer }
    }

    /// A session that has just begun. Whatever was there of this client's sessions, anyone's, goes.
    pub(crate) fn sign_in(&self, session: &NewSession, rng: &mut dyn Entropy) -> Written {
        let sealed = self.seal(&session.token, session.refresh.as_deref(), session.times, rng);
        let (set, reason) = match sealed {
            Some(sealed) => (sealed, Reason::SignedIn),
            None => {
                let mut plain = PlainCookies::of_sign_in(self.config(), self.enhanced, session);
                let others = self.bytes_of_others(&plain);
                (plain.fit(self.enhanced, others), plain.reason())
            }
        };
        Written {
            cookies: self.replacing(set),
            reason,
        }
    }

    /// A session that goes on with new tokens.
    pub(crate) fn renew(&self, session: &NewSession, rng: &mut dyn Entropy) -> Vec<String> {
        let sealed = self.seal(&session.token, session.refresh.as_deref(), session.times, rng);
        let set = sealed.unwrap_or_else(|| {
            let known = kept(self.auth, self.enhanced, self.viewer);
            let known = known.as_ref().map(|kept| kept.refresh_token.expose().as_str());
            PlainCookies::of_renewal(self.config(), self.enhanced, session, known).into_cookies()
        });
        if self.enhanced.sealed.is_some() {
            return self.replacing(set);
        }
        let mut cookies = self.left_of_longer(&set);
        cookies.extend(self.with_flow_over(set));
        cookies
    }

    /// A sealed session that has been used: the same, last seen now. Nothing where sessions are not sealed.
    pub(crate) fn touch(&self, session: &Session, now: UnixTime, rng: &mut dyn Entropy) -> Vec<String> {
        let Some(times) = session.times() else {
            return Vec::new();
        };
        self.reseal(&session.token, Times { seen: now, ..times }, rng)
    }

    /// What makes the viewer's cookies as they should be; nothing if they are.
    pub(crate) fn tidy(&self, session: &Session, now: UnixTime, rng: &mut dyn Entropy) -> Vec<String> {
        match session.order {
            Order::Tidy => Vec::new(),
            Order::Unsealed => self.reseal(&session.token, began(&session.token, now), rng),
            Order::Cluttered => self.unclutter(&session.token),
        }
    }

    /// Nothing is left of the session.
    pub(crate) fn forget(&self) -> Vec<String> {
        let config = self.config();
        let expiry = Expiry::new(config, self.viewer);
        let mut cookies = expiry
            .of_request(|name| is_of_session(config, name) || self.is_sealed(name) || REFERENCE_FLOW.contains(&name));
        cookies.extend(expiry.out_of_sight());
        cookies
    }

    fn config(&self) -> &'a Config {
        self.auth.config()
    }

    /// The session at hand, sealed anew.
    fn reseal(&self, token: &IdToken, times: Times, rng: &mut dyn Entropy) -> Vec<String> {
        let kept = kept(self.auth, self.enhanced, self.viewer);
        let refresh_token = kept.as_ref().map(|kept| kept.refresh_token.expose().as_str());
        let Some(set) = self.seal(token, refresh_token, times, rng) else {
            return Vec::new();
        };
        self.replacing(set)
    }

    /// The sealed session's cookies. `None`: sessions are not sealed here, or this one is too large to be.
    fn seal(
        &self,
        token: &IdToken,
        refresh_token: Option<&str>,
        times: Times,
        rng: &mut dyn Entropy,
    ) -> Option<Vec<SetCookie>> {
        let sealed = self.enhanced.sealed.as_ref()?;
        let to_seal = ToSeal {
            token,
            refresh_token,
            times,
        };
        let parts = sealed.seal(self.config(), self.viewer.host.scheme(), &to_seal, rng)?;
        let attributes = self.sealed_attributes();
        let cookies = parts.into_iter().map(|(name, value)| SetCookie {
            name,
            value,
            attributes: attributes.clone(),
        });
        Some(cookies.collect())
    }

    /// How long it stays and where it is sent along to is as configured for the id token; the rest is not for choice.
    fn sealed_attributes(&self) -> String {
        let secure = match self.viewer.host.scheme() {
            Scheme::Https => "; Secure",
            Scheme::Http => "",
        };
        let settings = &self.config().cookie_settings.id_token;
        let same_site = attribute(settings, "samesite").unwrap_or("Lax");
        let max_age = attribute(settings, "max-age").map(|age| format!("; Max-Age={age}"));
        format!(
            "Path=/{secure}; HttpOnly; SameSite={same_site}{}",
            max_age.unwrap_or_default()
        )
    }

    /// The cookies to set, and the end of every other one of a session of ours.
    fn replacing(&self, set: Vec<SetCookie>) -> Vec<String> {
        let config = self.config();
        let expiry = Expiry::new(config, self.viewer);
        let is_set = |name: &str| set.iter().any(|cookie| cookie.name == name);
        let mut cookies = Vec::new();
        if self.enhanced.hygiene.tries_every_candidate || self.enhanced.sealed.is_some() {
            let is_old = |name: &str| !is_set(name) && (is_of_session(config, name) || self.is_sealed(name));
            cookies.extend(expiry.of_request(is_old));
            for cookie in &set {
                if self.values_of(&cookie.name) > 1 {
                    cookies.extend(expiry.elsewhere(&cookie.name, &Place::of(&cookie.attributes)));
                }
            }
        } else {
            cookies.extend(self.left_of_longer(&set));
        }
        cookies.extend(self.with_flow_over(set));
        cookies
    }

    /// The end of those parts of a value which the one that takes its place has not.
    fn left_of_longer(&self, set: &[SetCookie]) -> Vec<String> {
        let is_left = |name: &str| {
            set.iter().any(|cookie| parts::is_part_of(name, &cookie.name))
                && set.iter().all(|cookie| cookie.name != name)
        };
        Expiry::new(self.config(), self.viewer).of_request(is_left)
    }

    /// The cookies to set, those that the operator adds, and the end of the reference's flow cookies.
    fn with_flow_over(&self, set: Vec<SetCookie>) -> Vec<String> {
        let config = self.config();
        let mut cookies = Expiry::new(config, self.viewer).of_request(|name| REFERENCE_FLOW.contains(&name));
        let additional = config.additional_cookies.iter();
        let additional = additional.filter(|(name, _)| !set.iter().any(|cookie| cookie.name == *name));
        cookies.extend(additional.map(|(name, value)| format!("{name}={value}")));
        cookies.extend(set.iter().map(|cookie| cookie.show(self.viewer.host.scheme())));
        cookies
    }

    /// Puts the token that was found in its own place, and drops the others of its name; names its user.
    fn unclutter(&self, token: &IdToken) -> Vec<String> {
        let config = self.config();
        let mut set = Vec::new();
        self.viewer.with_cookies(|cookies| {
            let Some((name, user, _)) =
                tokens(config, cookies, Token::Id).find(|(_, _, value)| value == token.raw().expose())
            else {
                return;
            };
            let attributes = &config.cookie_settings.id_token;
            set.extend(token_cookies(config, name, token.raw().expose(), attributes));
            set.extend(last_user_name(config).map(|name| SetCookie::new(&name, user, attributes)));
        });
        let expiry = Expiry::new(config, self.viewer);
        let mut cookies = Vec::new();
        for cookie in &set {
            if self.values_of(&cookie.name) > 1 {
                cookies.extend(expiry.elsewhere(&cookie.name, &Place::of(&cookie.attributes)));
            }
            cookies.push(cookie.show(self.viewer.host.scheme()));
        }
        cookies
    }

    fn is_sealed(&self, name: &str) -> bool {
        sealed::is_name(name, self.viewer.host.scheme())
    }

    /// How many cookies of that name the request brought.
    fn values_of(&self, name: &str) -> usize {
        self.viewer
            .with_cookies(|cookies| cookies.all().filter(|(found, _)| *found == name).count())
    }

    /// What the application's own cookies take, those that stay.
    fn bytes_of_others(&self, plain: &PlainCookies) -> usize {
        let config = self.config();
        self.viewer.with_cookies(|cookies| {
            let stays = |name: &str| !super::own_cookies::is_own(config, name) && !plain.has(name);
            let others = cookies.all().filter(|(name, _)| stays(name));
            others.map(|(name, value)| bytes(name, value)).sum()
        })
    }
}

/// A cookie to be set.
#[derive(Clone)]
pub(super) struct SetCookie {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) attributes: String,
}

impl SetCookie {
    pub(super) fn new(name: &str, value: &str, attributes: &str) -> Self {
        Self {
            name: name.to_owned(),
            value: value.to_owned(),
            attributes: attributes.to_owned(),
        }
    }

    /// What it takes in a Cookie header.
    pub(super) fn bytes(&self) -> usize {
        bytes(&self.name, &self.value)
    }

    /// What browsers count of it, whatever is added to its attributes.
    pub(super) fn bytes_in_browser(&self) -> usize {
        self.show(Scheme::Https).len()
    }

    /// The header's value. A path is always said: the default would be the folder of whatever page it came with.
    fn show(&self, scheme: Scheme) -> String {
        let Self {
            name,
            value,
            attributes,
        } = self;
        let path = if attribute(attributes, "path").is_none() {
            "; Path=/"
        } else {
            ""
        };
        let secure = if scheme == Scheme::Https && !super::places::has_flag(attributes, "secure") {
            "; Secure"
        } else {
            ""
        };
        format!("{name}={value}; {attributes}{path}{secure}")
    }
}

/// Name, value, and the `=` and `; ` around them.
fn bytes(name: &str, value: &str) -> usize {
    name.len() + value.len() + 3
}

/// When a session began that nobody wrote down: when its viewer proved who they are, as the token says.
fn began(token: &IdToken, now: UnixTime) -> Times {
    let said = ["auth_time", "iat"]
        .iter()
        .find_map(|name| token.claims().number_of(name));
    let created = said.map_or(now, |secs| UnixTime::from_secs(secs as i64));
    Times {
        created: created.min(now),
        seen: now,
    }
}
