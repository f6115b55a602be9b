//! Where the identity provider is asked what, and how the client proves itself there.
//!
//! All of it is settled when the configuration is read: nothing that a request or a token says chooses an address
//! (T-JWT-4).

use crate::{
    Config, Secret,
    js::{base64::encode_standard, percent::encode_component, query::stringify},
};

/// A longer address is not everywhere understood; then the provider has to find the session by its own cookie.
const MOST_HINT_BYTES: usize = 4096;

/// The provider's endpoints, whole URLs.
#[derive(Clone, Debug)]
pub(crate) struct Endpoints {
    /// RFC 6749, section 3.1.
    pub(crate) authorization: String,
    /// RFC 6749, section 3.2.
    pub(crate) token: String,
    /// RFC 7009.
    pub(crate) revocation: Option<String>,
    pub(crate) sign_out: SignOut,
    pub(crate) authentication: ClientAuthentication,
}

/// How a session at the provider is ended.
#[derive(Clone, Debug)]
pub(crate) enum SignOut {
    /// The hosted UI's logout, with parameters of its own.
    HostedUi(String),
    /// OpenID Connect RP-Initiated Logout 1.0.
    EndSession(String),
    /// It cannot be, from here.
    Nowhere,
}

/// How the client proves itself at the token endpoint (RFC 6749, section 2.3; OpenID Connect Core, section 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientAuthentication {
    /// As the reference does it: `client_id` in the body always, and HTTP Basic, nothing encoded, with a secret.
    Reference,
    /// `client_secret_basic`.
    Basic,
    /// `client_secret_post`.
    Post,
    /// `none`: a public client.
    Public,
}

impl Endpoints {
    /// Those below the hosted UI of a user pool.
    pub(crate) fn of_hosted_ui(hosted_ui: &str) -> Self {
        Self {
            authorization: format!("{hosted_ui}/oauth2/authorize"),
            token: format!("{hosted_ui}/oauth2/token"),
            revocation: Some(format!("{hosted_ui}/oauth2/revoke")),
            sign_out: SignOut::HostedUi(format!("{hosted_ui}/logout")),
            authentication: ClientAuthentication::Reference,
        }
    }

    /// The address of an authorization request.
    pub(crate) fn authorize_url(&self, parameters: &[(&str, &str)]) -> String {
        with_query(&self.authorization, &stringify(parameters))
    }

    /// Where a viewer who signs out is sent, to be sent back to `landing`. `None`: there is nothing to be ended
    /// elsewhere.
    pub(crate) fn sign_out_url(&self, client_id: &str, landing: &str, id_token: Option<&str>) -> Option<String> {
        match &self.sign_out {
            SignOut::HostedUi(url) => {
                let parameters = [("logout_uri", landing), ("client_id", client_id)];
                Some(with_query(url, &stringify(&parameters)))
            }
            SignOut::EndSession(url) => {
                let mut parameters = vec![("post_logout_redirect_uri", landing), ("client_id", client_id)];
                let hint = id_token.filter(|token| token.len() <= MOST_HINT_BYTES);
                parameters.extend(hint.map(|token| ("id_token_hint", token)));
                Some(with_query(url, &stringify(&parameters)))
            }
            SignOut::Nowhere => None,
        }
    }

    /// Whether a sign-out is told whose session it is to end.
    pub(crate) const fn wants_hint(&self) -> bool {
        matches!(self.sign_out, SignOut::EndSession(_))
    }
}

impl ClientAuthentication {
    /// The Authorization header of a request by the client.
    pub(crate) fn header(self, config: &Config) -> Option<Secret<String>> {
        let secret = config.client_secret.as_ref()?.expose();
        let credentials = match self {
            Self::Reference => format!("{}:{secret}", config.client_id),
            Self::Basic => format!("{}:{}", encode_component(&config.client_id), encode_component(secret)),
            Self::Post | Self::Public => return None,
        };
        Some(Secret::new(format!(
            "Basic {}",
            encode_standard(credentials.as_bytes())
        )))
    }

    /// What it adds to the body of a request.
    pub(crate) fn parameters(self, config: &Config) -> Vec<(&'static str, &str)> {
        let id = ("client_id", config.client_id.as_str());
        match (self, &config.client_secret) {
            (Self::Basic, _) => Vec::new(),
            (Self::Post, Some(secret)) => vec![id, ("client_secret", secret.expose())],
            (Self::Reference | Self::Post | Self::Public, _) => vec![id],
        }
    }
}

/// The query behind an endpoint's own, if it has one (RFC 6749, section 3.1).
fn with_query(url: &str, query: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints(sign_out: SignOut) -> Endpoints {
        Endpoints {
            authorization: "https://id.example/authorize?tenant=7".to_owned(),
            sign_out,
            ..Endpoints::of_hosted_ui("https://id.example")
        }
    }

    #[test]
    fn an_endpoint_with_a_query_keeps_it() {
        let url = endpoints(SignOut::Nowhere).authorize_url(&[("scope", "openid email")]);
        assert_eq!(url, "https://id.example/authorize?tenant=7&scope=openid%20email");
    }

    #[test]
    fn a_hint_that_makes_the_address_too_long_is_left_out() {
        let end = endpoints(SignOut::EndSession("https://id.example/end".to_owned()));
        let url = |hint: &str| end.sign_out_url("c", "https://site.example/", Some(hint)).unwrap();
        assert!(url("a.b.c").ends_with("&client_id=c&id_token_hint=a.b.c"));
        assert!(url(&"x".repeat(MOST_HINT_BYTES)).contains("id_token_hint"));
        assert!(!url(&"x".repeat(MOST_HINT_BYTES + 1)).contains("id_token_hint"));
        assert_eq!(endpoints(SignOut::Nowhere).sign_out_url("c", "/", Some("t")), None);
    }
}
