//! Tokens for a sign-in, true or tampered with.

use thiserror::Error;

use crate::claims::{self, SignIn};
use crate::idp::Idp;
use crate::jws;
use crate::keys::Purpose;
use crate::settings::User;
use crate::tamper::Overrides;

/// The tokens of one session.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenSet {
    /// Signed id token.
    pub id_token: String,
    /// Signed access token.
    pub access_token: String,
    /// A refresh token that the token endpoint redeems.
    pub refresh_token: String,
}

impl std::fmt::Debug for TokenSet {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("TokenSet").finish_non_exhaustive()
    }
}

/// A token was asked for that the settings do not provide for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MintError {
    /// No user of this name.
    #[error("unknown user {0:?}")]
    User(String),
    /// No client of this id.
    #[error("unknown client {0:?}")]
    Client(String),
}

impl Idp {
    /// Id token, tampered with as told, and access token.
    pub(crate) fn mint(&self, sign_in: &SignIn, user: &User, overrides: &Overrides) -> (String, String) {
        let now = self.clock.now();
        let claims = sign_in.access_claims(&self.settings, user, now);
        let access = jws::sign(&self.keys, Purpose::AccessToken, claims, &Overrides::none(), now);
        let claims = sign_in.id_claims(&self.settings, user, &access, now);
        let id = jws::sign(&self.keys, Purpose::IdToken, claims, overrides, now);
        (id, access)
    }

    /// An access token of a client without a user.
    pub(crate) fn mint_machine(&self, client_id: &str, scope: &str) -> String {
        let now = self.clock.now();
        let claims = claims::of_machine(&self.settings, client_id, scope, now);
        jws::sign(&self.keys, Purpose::AccessToken, claims, &Overrides::none(), now)
    }

    /// A whole session without a browser.
    pub(crate) fn mint_session(
        &self,
        username: &str,
        client_id: &str,
        overrides: &Overrides,
    ) -> Result<TokenSet, MintError> {
        let user = self
            .settings
            .user(username)
            .ok_or_else(|| MintError::User(username.to_owned()))?;
        let client = self
            .settings
            .client(client_id)
            .ok_or_else(|| MintError::Client(client_id.to_owned()))?;
        let now = self.clock.now();
        let sign_in = SignIn::new(username, client_id, &client.scopes.join(" "), now);
        let (id_token, access_token) = self.mint(&sign_in, user, overrides);
        let refresh_token = self.grants.issue_refresh_token(sign_in, self.settings.lifetimes, now);
        Ok(TokenSet {
            id_token,
            access_token,
            refresh_token,
        })
    }
}
