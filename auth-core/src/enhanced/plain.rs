//! The session as cookies under the names that others read: AWS Amplify's, or Elasticsearch's.

use super::{
    Enhanced,
    hygiene::AccessToken,
    own_cookies::spelled,
    parts,
    writer::{NewSession, SetCookie},
};
use crate::{
    Config, Reason,
    cookie_names::{CookieScheme, Token},
    js::percent::encode_component,
    jwt::IdToken,
    set_cookie::{companions, user_data},
};

/// The cookies of a session, and whether they fit.
pub(super) struct PlainCookies {
    cookies: Vec<(Need, SetCookie)>,
    reason: Reason,
}

/// What a cookie is needed for; the first are the first to go.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    UserData,
    Scopes,
    AccessToken,
    Session,
}

impl PlainCookies {
    /// All of them.
    pub(super) fn of_sign_in(config: &Config, enhanced: &Enhanced, session: &NewSession) -> Self {
        let mut cookies = Self::of_renewal(config, enhanced, session, None);
        let user = user_of(&session.token);
        let part = spelled(user);
        let claim = |name: &str| session.token.claims().get(name);
        let values = match &config.cookie_scheme {
            // What else AWS Amplify reads is about Cognito's users.
            CookieScheme::Amplify { .. } if config.requirements.dialect.is_generic() => {
                vec![(Need::Session, part.to_string())]
            }
            CookieScheme::Amplify { .. } => vec![
                (Need::Session, part.to_string()),
                (Need::Scopes, encode_component(&config.scope)),
                (Need::UserData, encode_component(&user_data(claim))),
                (Need::Session, "true".to_owned()),
            ],
            CookieScheme::Elasticsearch => vec![(Need::Session, "True".to_owned())],
        };
        for ((name, attributes), (need, value)) in companions(config, &part).into_iter().zip(values) {
            cookies.cookies.push((need, SetCookie::new(&name, &value, attributes)));
        }
        cookies
    }

    /// The tokens; the refresh token only if it is another than the `known` one.
    pub(super) fn of_renewal(config: &Config, enhanced: &Enhanced, session: &NewSession, known: Option<&str>) -> Self {
        let user = spelled(user_of(&session.token));
        let access = session.access.as_deref();
        let tokens = [
            (
                Need::Session,
                Token::Id,
                session.token.id_token().map(|token| *token.expose()),
            ),
            (
                Need::AccessToken,
                Token::Access,
                access.filter(|_| enhanced.hygiene.access_token != AccessToken::Dropped),
            ),
            (
                Need::Session,
                Token::Refresh,
                session.refresh.as_deref().filter(|&token| known != Some(token)),
            ),
        ];
        let cookies = tokens.into_iter().flat_map(|(need, token, value)| {
            let name = config.cookie_scheme.token_name(token, &user);
            let attributes = config.cookie_settings.of(token);
            // Tokens of other providers than Cognito need not be fit for cookies (RFC 6749, appendix A).
            let cookies = value.map(|value| token_cookies(config, &name, &spelled(value), attributes));
            cookies
                .unwrap_or_default()
                .into_iter()
                .map(move |cookie| (need, cookie))
        });
        Self {
            cookies: cookies.collect(),
            reason: Reason::SignedIn,
        }
    }

    /// The cookies that fit beside `others`' bytes: what is not needed goes first.
    pub(super) fn fit(&mut self, enhanced: &Enhanced, others: usize) -> Vec<SetCookie> {
        if let Some(budget) = enhanced.hygiene.budget_bytes {
            for need in [Need::UserData, Need::Scopes, Need::AccessToken] {
                let may_go = need != Need::AccessToken || enhanced.hygiene.access_token != AccessToken::Kept;
                if may_go && others + self.bytes() > budget {
                    self.cookies.retain(|(found, _)| *found != need);
                }
            }
            if others + self.bytes() > budget {
                self.reason = Reason::SignedInOverBudget;
            }
        }
        self.cookies.iter().map(|(_, cookie)| cookie.clone()).collect()
    }

    /// What is to be told of the sign-in.
    pub(super) const fn reason(&self) -> Reason {
        self.reason
    }

    pub(super) fn into_cookies(self) -> Vec<SetCookie> {
        self.cookies.into_iter().map(|(_, cookie)| cookie).collect()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.cookies.iter().any(|(_, cookie)| cookie.name == name)
    }

    fn bytes(&self) -> usize {
        self.cookies.iter().map(|(_, cookie)| cookie.bytes()).sum()
    }
}

/// The cookies of one token: several if no browser would keep it in one, unless AWS Amplify has to find it there.
pub(super) fn token_cookies(config: &Config, name: &str, value: &str, attributes: &str) -> Vec<SetCookie> {
    let whole = SetCookie::new(name, value, attributes);
    let may_split = matches!(config.cookie_scheme, CookieScheme::Elasticsearch);
    if !may_split || whole.bytes_in_browser() <= parts::MOST_COOKIE_BYTES {
        return vec![whole];
    }
    match parts::split(name, value) {
        Some(parts) => parts
            .iter()
            .map(|(name, value)| SetCookie::new(name, value, attributes))
            .collect(),
        None => vec![whole],
    }
}

/// Whom the cookies are named after. A provider other than Cognito has only the subject.
fn user_of(token: &IdToken) -> &str {
    let named = token.username().or_else(|| token.text("sub"));
    named.filter(|user| !user.is_empty()).unwrap_or("undefined")
}
