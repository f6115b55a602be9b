//! Writing cookies: Set-Cookie values with the configured attributes, in the reference's order.

use crate::{
    Config,
    cookie_names::{CookieScheme, NONCE, NONCE_HMAC, PKCE, REFRESH_MARKER, Token},
    js::{object::Object, percent::encode_component},
    json::{Json, stringify_text},
    jwt::{Claim, UnverifiedIdToken},
};

/// The cookies a response sets, by name. An additional cookie that bears the name of one of ours keeps
/// its place but gets our value, as in the reference.
pub(crate) struct CookieWriter<'a> {
    config: &'a Config,
    values: Object<String>,
}

/// Why cookies cannot be written: the id token says no user name, which Amplify's names need.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UserNameMissing;

/// The tokens of a token endpoint's reply, as their cookies will show them.
pub(crate) struct NewTokens<'a> {
    pub(crate) id: &'a str,
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl<'a> CookieWriter<'a> {
    fn new(config: &'a Config) -> Self {
        Self {
            config,
            values: config.additional_cookies.clone(),
        }
    }

    /// After a sign-in: every session cookie, the flow's own cookies expired.
    pub(crate) fn sign_in(
        config: &'a Config,
        tokens: &NewTokens<'_>,
        decoded: &UnverifiedIdToken,
    ) -> Result<Vec<String>, UserNameMissing> {
        let user = cookie_user(&config.cookie_scheme, decoded)?;
        let mut writer = Self::new(config);
        writer.set_tokens(tokens, &user);
        writer.set_token(Token::Refresh, &user, &tokens.refresh);
        let values = match &config.cookie_scheme {
            CookieScheme::Amplify { .. } => vec![
                decoded
                    .claim("cognito:username")
                    .map_or_else(String::new, Json::to_template),
                config.scope.clone(),
                encode_component(&user_data(|name| decoded.claim(name).map(Claim::from))),
                "true".to_owned(),
            ],
            CookieScheme::Elasticsearch => vec!["True".to_owned()],
        };
        for ((name, attributes), value) in companions(config, &user).into_iter().zip(values) {
            writer.values.insert(name, format!("{value}; {attributes}"));
        }
        writer.expire_flow();
        Ok(writer.finish())
    }

    /// After a refresh: the new id and access token.
    pub(crate) fn refresh(
        config: &'a Config,
        tokens: &NewTokens<'_>,
        decoded: &UnverifiedIdToken,
    ) -> Result<Vec<String>, UserNameMissing> {
        let user = cookie_user(&config.cookie_scheme, decoded)?;
        let mut writer = Self::new(config);
        writer.set_tokens(tokens, &user);
        writer.expire_flow();
        Ok(writer.finish())
    }

    /// After the provider refused the refresh token: that cookie expired, the marker set. `user` is
    /// who the old id token says, or else whom its cookie is named after.
    pub(crate) fn refresh_refused(config: &'a Config, user: &str) -> Vec<String> {
        let mut writer = Self::new(config);
        writer.expire_token(Token::Refresh, user);
        let marker = format!("failed; {}", config.cookie_settings.nonce);
        writer.values.insert(REFRESH_MARKER.to_owned(), marker);
        writer.expire_nonces();
        writer.finish()
    }

    /// At sign-out: every cookie of the user expired.
    pub(crate) fn sign_out(config: &'a Config, user: &str) -> Vec<String> {
        let mut writer = Self::new(config);
        for token in [Token::Id, Token::Access, Token::Refresh] {
            writer.expire_token(token, user);
        }
        for (name, attributes) in companions(config, user) {
            writer.values.insert(name, expired(attributes));
        }
        writer.expire_flow();
        writer.finish()
    }

    fn set_tokens(&mut self, tokens: &NewTokens<'_>, user: &str) {
        self.set_token(Token::Id, user, tokens.id);
        self.set_token(Token::Access, user, &tokens.access);
    }

    fn set_token(&mut self, token: Token, user: &str, value: &str) {
        let value = format!("{value}; {}", self.config.cookie_settings.of(token));
        self.values
            .insert(self.config.cookie_scheme.token_name(token, user), value);
    }

    fn expire_token(&mut self, token: Token, user: &str) {
        let value = expired(self.config.cookie_settings.of(token));
        self.values
            .insert(self.config.cookie_scheme.token_name(token, user), value);
    }

    fn expire_flow(&mut self) {
        let value = expired(&self.config.cookie_settings.nonce);
        self.values.insert(REFRESH_MARKER.to_owned(), value);
        self.expire_nonces();
    }

    fn expire_nonces(&mut self) {
        let value = expired(&self.config.cookie_settings.nonce);
        for name in [NONCE, NONCE_HMAC, PKCE] {
            self.values.insert(name.to_owned(), value.clone());
        }
    }

    fn finish(self) -> Vec<String> {
        self.values
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect()
    }
}

/// The cookies that stand beside a user's tokens, with their attributes.
pub(crate) fn companions<'c>(config: &'c Config, user: &str) -> Vec<(String, &'c str)> {
    let settings = &config.cookie_settings;
    match &config.cookie_scheme {
        CookieScheme::Amplify { prefix } => vec![
            (format!("{prefix}LastAuthUser"), &settings.id_token),
            (format!("{prefix}{user}.tokenScopesString"), &settings.access_token),
            (format!("{prefix}{user}.userData"), &settings.id_token),
            (HOSTED_UI.to_owned(), &settings.access_token),
        ],
        CookieScheme::Elasticsearch => vec![(COGNITO_ENABLED.to_owned(), &settings.cognito_enabled)],
    }
}

const HOSTED_UI: &str = "amplify-signin-with-hostedUI";
const COGNITO_ENABLED: &str = "COGNITO-ENABLED";

/// The user as it stands in cookie names. Amplify's names need one; a claim that is no string prints
/// as `undefined` there.
pub(crate) fn cookie_user(scheme: &CookieScheme, decoded: &UnverifiedIdToken) -> Result<String, UserNameMissing> {
    match (scheme, decoded.claim("cognito:username")) {
        (CookieScheme::Elasticsearch, _) => Ok(String::new()),
        (CookieScheme::Amplify { .. }, None | Some(Json::Null)) => Err(UserNameMissing),
        (CookieScheme::Amplify { .. }, Some(Json::String(user))) => Ok(user.clone()),
        (CookieScheme::Amplify { .. }, Some(_)) => Ok("undefined".to_owned()),
    }
}

/// Amplify's `userData`: an absent claim drops its key.
pub(crate) fn user_data<'c>(claim: impl Fn(&str) -> Option<Claim<'c>>) -> String {
    let attribute = |name: &str| {
        let value = claim(name).map(|value| format!(r#","Value":{}"#, value.stringify()));
        format!(r#"{{"Name":{}{}}}"#, stringify_text(name), value.unwrap_or_default())
    };
    let user = claim("cognito:username").map(|value| format!(r#","Username":{}"#, value.stringify()));
    format!(
        r#"{{"UserAttributes":[{},{}]{}}}"#,
        attribute("sub"),
        attribute("email"),
        user.unwrap_or_default()
    )
}

/// The value and attributes that make a browser drop the cookie: the settings without their own end,
/// and an end in the past.
pub(crate) fn expired(attributes: &str) -> String {
    let kept = attributes.split(';').map(str::trim).filter(|part| {
        let part = part.to_ascii_lowercase();
        !part.starts_with("max-age") && !part.starts_with("expires")
    });
    let parts: Vec<&str> = [""]
        .into_iter()
        .chain(kept)
        .chain(["Expires=Thu, 01 Jan 1970 00:00:00 GMT"])
        .collect();
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiring_drops_the_settings_own_end_and_keeps_empty_parts() {
        let end = "Expires=Thu, 01 Jan 1970 00:00:00 GMT";
        assert_eq!(expired("Path=/; MAX-AGE=5;Secure"), format!("; Path=/; Secure; {end}"));
        assert_eq!(expired("Max-Ageish=1; Expiresx; Path=/x"), format!("; Path=/x; {end}"));
        assert_eq!(expired(";;"), format!("; ; ; ; {end}"));
        assert_eq!(expired("Path=/;"), format!("; Path=/; ; {end}"));
    }
}
