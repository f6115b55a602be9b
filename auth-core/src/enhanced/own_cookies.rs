//! Which of a request's cookies are ours, and whose: names as they were sent, and as they were meant.
//!
//! The reference writes user names into cookie names as they are, AWS Amplify percent-encodes them, and a browser
//! may hold both, of several users. Nothing here trusts a name further than to know which cookie to read or expire.

use std::borrow::Cow;

use super::parts;
use crate::{
    Config,
    cookie_names::{CookieScheme, NONCE, NONCE_HMAC, PKCE, REFRESH_MARKER, Token},
    cookies::{Cookies, decode},
    js::percent::decode_strict,
};

/// What all names that only this product gives begin with, behind `__Host-` where the viewer's scheme allows that.
pub(crate) const PREFIX: &str = "portcullis";

/// There is one; more were planted.
const MOST_LAST_USERS: usize = 6;

const HOSTED_UI: &str = "amplify-signin-with-hostedUI";
const COGNITO_ENABLED: &str = "COGNITO-ENABLED";
const LAST_AUTH_USER: &str = "LastAuthUser";

/// The cookies of the reference's flows.
pub(crate) const REFERENCE_FLOW: [&str; 4] = [REFRESH_MARKER, NONCE, NONCE_HMAC, PKCE];

/// Whether a cookie is one that we may have set for this client.
pub(crate) fn is_own(config: &Config, name: &str) -> bool {
    is_ours_alone(name)
        || REFERENCE_FLOW.contains(&name)
        || match &config.cookie_scheme {
            CookieScheme::Amplify { prefix } => name == HOSTED_UI || name.starts_with(prefix.as_str()),
            CookieScheme::Elasticsearch => {
                let is_of = |token: &Token| {
                    let known = token.elasticsearch_name();
                    name == known || parts::is_part_of(name, known)
                };
                name == COGNITO_ENABLED || Token::ALL.iter().any(is_of)
            }
        }
}

/// Whether the name is of those that begin with [`PREFIX`]: sealed sessions, attempts, markers.
pub(crate) fn is_ours_alone(name: &str) -> bool {
    let rest = name.strip_prefix("__Host-").unwrap_or(name).strip_prefix(PREFIX);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.', '_']))
}

/// Whether the cookie belongs to a session, rather than to a flow under way.
pub(crate) fn is_of_session(config: &Config, name: &str) -> bool {
    !is_ours_alone(name) && is_own(config, name) && !REFERENCE_FLOW.contains(&name)
}

/// The part of an Amplify cookie's name that stands for the user. `None`: it is no cookie of a user's.
pub(crate) fn user_part<'n>(config: &Config, name: &'n str) -> Option<&'n str> {
    let CookieScheme::Amplify { prefix } = &config.cookie_scheme else {
        return None;
    };
    let rest = name.strip_prefix(prefix.as_str())?;
    let (user, _) = rest.rsplit_once('.')?;
    Some(user)
}

/// The user part of the name of a token's cookie; empty where names hold no user.
pub(crate) fn token_user<'n>(config: &Config, name: &'n str, token: Token) -> Option<&'n str> {
    match &config.cookie_scheme {
        CookieScheme::Elasticsearch => (name == token.elasticsearch_name()).then_some(""),
        CookieScheme::Amplify { .. } => user_part(config, name).filter(|_| name.ends_with(token.amplify_suffix())),
    }
}

/// Every token of a kind that is there as a whole: the name of its cookie, the user part of that, and what it says.
pub(crate) fn tokens<'a>(
    config: &Config,
    cookies: Cookies<'a>,
    token: Token,
) -> impl Iterator<Item = (&'a str, &'a str, Cow<'a, str>)> {
    cookies.all().filter_map(move |(name, value)| {
        let user = token_user(config, name, token)?;
        Some((name, user, whole(config, cookies, name, value)?))
    })
}

/// The names that further parts of a token may have: none where each has to be in one cookie.
pub(crate) fn further_names(config: &Config, name: &str) -> Vec<String> {
    match &config.cookie_scheme {
        CookieScheme::Amplify { .. } => Vec::new(),
        CookieScheme::Elasticsearch => parts::further_names(name).collect(),
    }
}

/// What a token's cookie says, joined where it is one of several. `None`: nothing, or parts are missing.
fn whole<'a>(config: &Config, cookies: Cookies<'a>, name: &str, value: &'a str) -> Option<Cow<'a, str>> {
    let joined = match &config.cookie_scheme {
        CookieScheme::Amplify { .. } => Cow::Borrowed(value),
        CookieScheme::Elasticsearch => parts::join(cookies, name, value)?,
    };
    let said = match joined {
        Cow::Borrowed(value) => decode(value),
        Cow::Owned(value) => Cow::Owned(decode(&value).into_owned()),
    };
    Some(said).filter(|said| !said.is_empty())
}

/// Every value of `LastAuthUser`, decoded, in the order in which they hold.
pub(crate) fn last_users<'a>(config: &Config, cookies: Cookies<'a>) -> Vec<Cow<'a, str>> {
    let CookieScheme::Amplify { prefix } = &config.cookie_scheme else {
        return vec![Cow::Borrowed("")];
    };
    let of_name = |(name, _): &(&str, &str)| name.strip_prefix(prefix.as_str()) == Some(LAST_AUTH_USER);
    cookies
        .all()
        .filter(of_name)
        .map(|(_, value)| decode(value))
        .filter(|user| !user.is_empty())
        .take(MOST_LAST_USERS)
        .collect()
}

/// The token that the reference would take, joined where it is in parts.
pub(crate) fn first_token<'a>(config: &Config, cookies: Cookies<'a>, token: Token) -> Option<Cow<'a, str>> {
    match &config.cookie_scheme {
        scheme @ CookieScheme::Amplify { .. } => scheme.token(token, cookies),
        CookieScheme::Elasticsearch => {
            let known = token.elasticsearch_name();
            let (name, value) = cookies.all().find(|(name, _)| *name == known)?;
            whole(config, cookies, name, value)
        }
    }
}

/// The token of the last user, its name spelled either way.
pub(crate) fn last_users_token<'a>(config: &Config, cookies: Cookies<'a>, token: Token) -> Option<Cow<'a, str>> {
    first_token(config, cookies, token).or_else(|| {
        let CookieScheme::Amplify { .. } = &config.cookie_scheme else {
            return None;
        };
        let user = config.cookie_scheme.user_in(cookies);
        let is_it = |name: &str| token_user(config, name, token).is_some_and(|part| is_user(part, &user));
        let (_, value) = cookies.all().find(|(name, _)| is_it(name))?;
        Some(decode(value)).filter(|value| !value.is_empty())
    })
}

/// Whether a name's user part means this user, spelled either way.
pub(crate) fn is_user(part: &str, user: &str) -> bool {
    part == user || decode_strict(part).is_some_and(|decoded| decoded == user)
}

/// The user in a cookie name: as it is where every parser of cookies can read that, else percent-encoded as a
/// whole, the way AWS Amplify looks it up.
pub(crate) fn spelled(user: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_graphic() && !b";=,%\"\\".contains(&byte);
    if user.bytes().all(plain) {
        Cow::Borrowed(user)
    } else {
        Cow::Owned(crate::js::percent::encode_component(user))
    }
}

/// `{prefix}LastAuthUser`, where the scheme has it.
pub(crate) fn last_user_name(config: &Config) -> Option<String> {
    match &config.cookie_scheme {
        CookieScheme::Amplify { prefix } => Some(format!("{prefix}{LAST_AUTH_USER}")),
        CookieScheme::Elasticsearch => None,
    }
}
