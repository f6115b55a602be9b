//! The names of our cookies, in the two schemes that other software expects.

use std::borrow::Cow;

use crate::cookies::Cookies;

/// Marks a session whose refresh has failed.
pub(crate) const REFRESH_MARKER: &str = "spa-auth-edge-refresh";
/// The nonce of the sign-in or refresh under way.
pub(crate) const NONCE: &str = "spa-auth-edge-nonce";
/// The nonce's signature.
pub(crate) const NONCE_HMAC: &str = "spa-auth-edge-nonce-hmac";
/// The PKCE code verifier (RFC 7636) of the sign-in under way.
pub(crate) const PKCE: &str = "spa-auth-edge-pkce";

/// How the session cookies are named.
#[derive(Clone, Debug)]
pub(crate) enum CookieScheme {
    /// As AWS Amplify's cookie storage names them. Holds `CognitoIdentityServiceProvider.{clientId}.`
    Amplify { prefix: String },
    /// As Amazon Elasticsearch (OpenSearch) Service names them.
    Elasticsearch,
}

/// One of the three tokens of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Id,
    Access,
    Refresh,
}

impl Token {
    pub(crate) const ALL: [Self; 3] = [Self::Id, Self::Access, Self::Refresh];

    pub(crate) const fn amplify_suffix(self) -> &'static str {
        match self {
            Self::Id => ".idToken",
            Self::Access => ".accessToken",
            Self::Refresh => ".refreshToken",
        }
    }

    pub(crate) const fn elasticsearch_name(self) -> &'static str {
        match self {
            Self::Id => "ID-TOKEN",
            Self::Access => "ACCESS-TOKEN",
            Self::Refresh => "REFRESH-TOKEN",
        }
    }
}

impl CookieScheme {
    pub(crate) fn amplify(client_id: &str) -> Self {
        Self::Amplify {
            prefix: format!("CognitoIdentityServiceProvider.{client_id}."),
        }
    }

    /// The value of a token cookie, unless absent or empty.
    pub(crate) fn token<'a>(&self, token: Token, cookies: Cookies<'a>) -> Option<Cow<'a, str>> {
        let value = match self {
            Self::Elasticsearch => cookies.get(token.elasticsearch_name()),
            Self::Amplify { prefix } => {
                let user = last_auth_user(prefix, cookies);
                cookies.get_composed(&[prefix, &user, token.amplify_suffix()])
            }
        };
        value.filter(|value| !value.is_empty())
    }

    /// The name of a token cookie of `user`.
    pub(crate) fn token_name(&self, token: Token, user: &str) -> String {
        match self {
            Self::Elasticsearch => token.elasticsearch_name().to_owned(),
            Self::Amplify { prefix } => format!("{prefix}{user}{}", token.amplify_suffix()),
        }
    }

    /// The user whose cookies this request carries, as far as the names tell.
    pub(crate) fn user_in<'a>(&self, cookies: Cookies<'a>) -> Cow<'a, str> {
        match self {
            Self::Elasticsearch => Cow::Borrowed(""),
            Self::Amplify { prefix } => last_auth_user(prefix, cookies),
        }
    }
}

/// The user whose tokens are read. Without the cookie the reference builds names with the text
/// `undefined`, and so cookies of that name count.
fn last_auth_user<'a>(prefix: &str, cookies: Cookies<'a>) -> Cow<'a, str> {
    cookies
        .get_composed(&[prefix, "LastAuthUser"])
        .unwrap_or(Cow::Borrowed("undefined"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_token(fields: &[&str]) -> Option<String> {
        let scheme = CookieScheme::amplify("c");
        scheme.token(Token::Id, Cookies::new(fields)).map(Cow::into_owned)
    }

    #[test]
    fn the_user_is_the_decoded_value_of_last_auth_user() {
        let field =
            "CognitoIdentityServiceProvider.c.LastAuthUser=j%40x; CognitoIdentityServiceProvider.c.j@x.idToken=t";
        assert_eq!(id_token(&[field]).as_deref(), Some("t"));
    }

    #[test]
    fn without_last_auth_user_the_user_is_undefined() {
        assert_eq!(
            id_token(&["CognitoIdentityServiceProvider.c.undefined.idToken=t"]).as_deref(),
            Some("t")
        );
        assert_eq!(id_token(&["CognitoIdentityServiceProvider.c.j.idToken=t"]), None);
    }

    #[test]
    fn the_user_s_token_is_found_before_and_behind_the_user() {
        let cookie = |name: &str| format!("CognitoIdentityServiceProvider.c.{name}");
        let [last, of_j, of_k] = ["LastAuthUser=j", "j.idToken=t", "k.idToken=u"].map(cookie);
        for order in [[&last, &of_j, &of_k], [&of_k, &of_j, &last], [&of_k, &last, &of_j]] {
            let field = order.map(String::as_str).join("; ");
            assert_eq!(id_token(&[&field]).as_deref(), Some("t"), "{field}");
            assert_eq!(id_token(&order.map(String::as_str)).as_deref(), Some("t"), "{order:?}");
        }
        let other = cookie("j.idToken=other");
        assert_eq!(id_token(&[&of_j, &last, &other]).as_deref(), Some("other"));
        assert_eq!(id_token(&[&format!("{of_j}; {other}"), &last]).as_deref(), Some("t"));
    }

    #[test]
    fn an_empty_user_gives_a_double_dot() {
        let field = "CognitoIdentityServiceProvider.c.LastAuthUser=; CognitoIdentityServiceProvider.c..idToken=t";
        assert_eq!(id_token(&[field]).as_deref(), Some("t"));
    }

    #[test]
    fn an_empty_token_is_no_token() {
        assert_eq!(id_token(&["CognitoIdentityServiceProvider.c.undefined.idToken="]), None);
    }
}
