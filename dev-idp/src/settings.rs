//! What the provider is started with: address, pool, clients, users, lifetimes.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};

mod allowed_url;

pub use allowed_url::AllowedUrl;

use crate::random;

/// Everything [`crate::DevIdp::start`] needs; the default listens on a free loopback port, with no client and no user.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// AWS region named in the issuer.
    pub region: String,
    /// User pool id named in the issuer and in the key set's path.
    pub pool_id: String,
    /// Replaces the Cognito-shaped issuer.
    pub issuer: Option<String>,
    /// The app clients.
    pub clients: Vec<Client>,
    /// The users.
    pub users: Vec<User>,
    /// How long tokens live.
    pub lifetimes: Lifetimes,
    /// Whether a refresh hands out a new refresh token.
    pub rotation: RefreshRotation,
    /// Added to the machine's clock for everything issued or checked.
    pub clock_offset_seconds: i64,
    /// Whether faults can be set over HTTP.
    pub control: Control,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            region: "us-east-1".to_owned(),
            pool_id: "us-east-1_DevPool01".to_owned(),
            issuer: None,
            clients: Vec::new(),
            users: Vec::new(),
            lifetimes: Lifetimes::default(),
            rotation: RefreshRotation::Off,
            clock_offset_seconds: 0,
            control: Control::Closed,
        }
    }
}

impl Settings {
    /// The `iss` of every token.
    #[must_use]
    pub fn issuer(&self) -> String {
        self.issuer.clone().unwrap_or_else(|| {
            let suffix = if self.region.starts_with("cn-") { ".cn" } else { "" };
            format!(
                "https://cognito-idp.{}.amazonaws.com{suffix}/{}",
                self.region, self.pool_id
            )
        })
    }

    pub(crate) fn client(&self, id: &str) -> Option<&Client> {
        self.clients.iter().find(|client| client.id == id)
    }

    pub(crate) fn user(&self, username: &str) -> Option<&User> {
        self.users.iter().find(|user| user.username == username)
    }
}

/// Token lifetimes in seconds; the defaults are Cognito's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// Of the id token.
    pub id_seconds: u64,
    /// Of the access token.
    pub access_seconds: u64,
    /// Of the refresh token.
    pub refresh_seconds: u64,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            id_seconds: 3600,
            access_seconds: 3600,
            refresh_seconds: 30 * 86_400,
        }
    }
}

/// What becomes of a refresh token once used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshRotation {
    /// It stays valid and the reply holds none.
    Off,
    /// The reply holds a new one; the old one works for this many seconds more.
    On {
        /// Cognito allows 0 to 60.
        grace_seconds: u64,
    },
}

/// Whether `/_dev/…` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Not found.
    Closed,
    /// Anybody who reaches the port may set faults and rotate keys.
    Open,
}

/// An app client.
#[derive(Clone)]
pub struct Client {
    pub(crate) id: String,
    pub(crate) secret: Option<String>,
    pub(crate) callbacks: Vec<AllowedUrl>,
    pub(crate) sign_outs: Vec<AllowedUrl>,
    pub(crate) scopes: Vec<String>,
    /// Whether it may have tokens of its own, without a user.
    pub(crate) is_machine: bool,
}

impl Client {
    /// A client without a secret, allowed `openid email profile phone aws.cognito.signin.user.admin`, with no URL yet.
    #[must_use]
    pub fn public(id: impl Into<String>) -> Self {
        let scopes = ["phone", "email", "profile", "openid", "aws.cognito.signin.user.admin"];
        Self {
            id: id.into(),
            secret: None,
            callbacks: Vec::new(),
            sign_outs: Vec::new(),
            scopes: scopes.map(str::to_owned).to_vec(),
            is_machine: false,
        }
    }

    /// A client that authenticates with HTTP Basic.
    #[must_use]
    pub fn confidential(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self {
            secret: Some(secret.into()),
            ..Self::public(id)
        }
    }

    /// A client of the client credentials grant, which signs in nobody.
    #[must_use]
    pub fn machine(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self {
            is_machine: true,
            ..Self::confidential(id, secret)
        }
    }

    /// Allows a callback URL; see [`AllowedUrl`] for the patterns.
    #[must_use]
    pub fn callback(mut self, url: impl Into<AllowedUrl>) -> Self {
        self.callbacks.push(url.into());
        self
    }

    /// Allows a sign-out URL.
    #[must_use]
    pub fn sign_out(mut self, url: impl Into<AllowedUrl>) -> Self {
        self.sign_outs.push(url.into());
        self
    }

    /// Replaces the allowed scopes.
    #[must_use]
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// A user of the pool.
#[derive(Clone)]
pub struct User {
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) email: String,
    pub(crate) sub: String,
    pub(crate) groups: Vec<String>,
}

impl User {
    /// A user in no group, with `{username}@example.com` and a `sub` that follows from the name.
    #[must_use]
    pub fn new(username: impl Into<String>, password: impl Into<String>) -> Self {
        let username = username.into();
        Self {
            email: if username.contains('@') {
                username.clone()
            } else {
                format!("{username}@example.com")
            },
            sub: random::uuid_of(username.as_bytes()),
            username,
            password: password.into(),
            groups: Vec::new(),
        }
    }

    /// Puts the user in these groups.
    #[must_use]
    pub fn groups<S: Into<String>>(mut self, groups: impl IntoIterator<Item = S>) -> Self {
        self.groups = groups.into_iter().map(Into::into).collect();
        self
    }

    /// Replaces the email address.
    #[must_use]
    pub fn email(mut self, email: impl Into<String>) -> Self {
        self.email = email.into();
        self
    }

    /// Replaces the subject.
    #[must_use]
    pub fn subject(mut self, sub: impl Into<String>) -> Self {
        self.sub = sub.into();
        self
    }
}

impl fmt::Debug for User {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("User")
            .field("username", &self.username)
            .field("groups", &self.groups)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_issuer_is_shaped_like_cognitos() {
        assert_eq!(
            Settings::default().issuer(),
            "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_DevPool01"
        );
        let china = Settings {
            region: "cn-north-1".into(),
            pool_id: "cn-north-1_x".into(),
            ..Settings::default()
        };
        assert_eq!(
            china.issuer(),
            "https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_x"
        );
        let other = Settings {
            issuer: Some("https://id.example".into()),
            ..Settings::default()
        };
        assert_eq!(other.issuer(), "https://id.example");
    }

    #[test]
    fn debug_output_holds_neither_passwords_nor_client_secrets() {
        let settings = Settings {
            clients: vec![Client::confidential("web", "hush-hush")],
            users: vec![User::new("alice", "pass-word")],
            ..Settings::default()
        };
        let shown = format!("{settings:?}");
        assert!(
            shown.contains("alice") && !shown.contains("hush-hush") && !shown.contains("pass-word"),
            "{shown}"
        );
    }
}
