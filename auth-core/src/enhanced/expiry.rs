//! Throwing cookies out of a browser, from every place that they may stand in.

use super::{
    own_cookies::{further_names, is_own, last_users, spelled, user_part},
    places::{self, Place, is_secure},
    viewer::Viewer,
};
use crate::{Config, cookie_names::Token, set_cookie::companions};

/// More names of ours than any honest browser has. What is beyond is left for the next time.
const MOST_NAMES: usize = 40;

/// Throws out cookies of one viewer.
pub(crate) struct Expiry<'a> {
    config: &'a Config,
    viewer: &'a Viewer,
}

/// A cookie of ours that the request brought.
struct Found {
    name: String,
    /// It came more than once.
    several: bool,
}

impl<'a> Expiry<'a> {
    pub(crate) const fn new(config: &'a Config, viewer: &'a Viewer) -> Self {
        Self { config, viewer }
    }

    /// Expires every cookie of ours that the request brought and that is wanted gone, wherever it may stand.
    pub(crate) fn of_request(&self, wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let found = self.found(wanted);
        found.iter().flat_map(|found| self.everywhere(found)).collect()
    }

    /// Expires those cookies of every user named by the request that it cannot have brought, because they are for
    /// another path: the refresh token's often is.
    pub(crate) fn out_of_sight(&self) -> Vec<String> {
        let scheme = &self.config.cookie_scheme;
        let settings = &self.config.cookie_settings;
        // Whatever the settings say now, the reference's own are for the refresh path.
        let refresh_path = format!("Path={}", self.config.refresh_path);
        let mut expired = Vec::new();
        for user in self.users() {
            let tokens = Token::ALL.map(|token| (scheme.token_name(token, &user), settings.of(token)));
            let refresh_token = (scheme.token_name(Token::Refresh, &user), refresh_path.as_str());
            let all: Vec<(String, &str)> = tokens.into_iter().chain([refresh_token]).collect();
            let further = all.iter().flat_map(|(name, attributes)| {
                let names = further_names(self.config, name).into_iter();
                names.map(|name| (name, *attributes))
            });
            let further: Vec<(String, &str)> = further.collect();
            for (name, attributes) in all.into_iter().chain(further).chain(companions(self.config, &user)) {
                let place = Place::of(attributes);
                if is_expirable(&name) && !place.reaches(self.viewer.path()) {
                    expired.push(self.at(&place, &name));
                }
            }
        }
        expired.sort();
        expired.dedup();
        expired
    }

    /// Expires a cookie in every place but its own.
    pub(crate) fn elsewhere(&self, name: &str, own: &Place) -> Vec<String> {
        if name.starts_with("__Host-") {
            return Vec::new();
        }
        let places = self.around().into_iter().filter(|place| place != own);
        places.map(|place| self.at(&place, name)).collect()
    }

    fn everywhere(&self, found: &Found) -> Vec<String> {
        if found.name.starts_with("__Host-") {
            let only = Place::of("Path=/");
            return vec![only.expire(&found.name, true)];
        }
        let places = if found.several {
            self.around()
        } else {
            places::configured(self.config)
        };
        places.iter().map(|place| self.at(place, &found.name)).collect()
    }

    fn at(&self, place: &Place, name: &str) -> String {
        place.expire(name, is_secure(self.config, self.viewer.host.scheme()))
    }

    fn around(&self) -> Vec<Place> {
        places::around(self.config, self.viewer.host.name(), self.viewer.path())
    }

    fn found(&self, wanted: impl Fn(&str) -> bool) -> Vec<Found> {
        self.viewer.with_cookies(|cookies| {
            let mut all: Vec<Found> = Vec::new();
            let ours = cookies.all().map(|(name, _)| name);
            for name in ours.filter(|name| is_own(self.config, name) && is_expirable(name) && wanted(name)) {
                if let Some(found) = all.iter_mut().find(|found| found.name == name) {
                    found.several = true;
                } else if all.len() < MOST_NAMES {
                    all.push(Found {
                        name: name.to_owned(),
                        several: false,
                    });
                }
            }
            all
        })
    }

    /// User parts of names, as the request has them and as its last user would be spelled.
    fn users(&self) -> Vec<String> {
        self.viewer.with_cookies(|cookies| {
            let mut users: Vec<String> = Vec::new();
            let last = last_users(self.config, cookies);
            let of_names = cookies.all().filter_map(|(name, _)| user_part(self.config, name));
            let all = of_names.map(str::to_owned);
            for user in all.chain(last.iter().map(|user| spelled(user).into_owned())) {
                if !users.contains(&user) && users.len() < MOST_NAMES / 4 {
                    users.push(user);
                }
            }
            users
        })
    }
}

/// Whether a name can stand in a Set-Cookie value: a browser cannot hold any other.
fn is_expirable(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte >= b' ' && byte != 0x7f && byte != b'=' && byte != b';')
}
