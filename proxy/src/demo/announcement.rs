//! What a demo says of itself once everything answers.

use std::io::{self, Write};

use serde_json::json;

use super::{Demo, DemoError, arguments::reachable};
use crate::server::Running;

/// Someone who can sign in. The password is meant to be shown.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Account {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: String,
    /// The user's groups.
    pub groups: Vec<String>,
}

impl From<&(&str, &str, &[&str])> for Account {
    fn from((username, password, groups): &(&str, &str, &[&str])) -> Self {
        Self {
            username: (*username).to_owned(),
            password: (*password).to_owned(),
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        }
    }
}

/// By name, so that the site and the identity provider (by address) are two sites for a browser, as they are in earnest.
pub(super) fn site_url(server: &Running) -> Result<String, DemoError> {
    let address = server.http_addrs.first().ok_or(DemoError::Interrupted)?;
    Ok(format!("http://localhost:{}", address.port()))
}

pub(super) fn admin_url(server: &Running) -> Result<String, DemoError> {
    let address = server.admin_addr.ok_or(DemoError::Interrupted)?;
    Ok(format!("http://{}", reachable(address)))
}

impl Demo {
    /// Writes the announcement: one line of JSON, or text.
    ///
    /// # Errors
    /// When nobody reads it.
    pub(super) fn announce(&self, json: bool, mut out: impl Write) -> io::Result<()> {
        if json {
            writeln!(out, "{}", self.to_json())?
        } else {
            self.describe(&mut out)?
        }
        out.flush()
    }

    fn to_json(&self) -> serde_json::Value {
        json!({
            "url": self.url,
            "admin": self.admin,
            "idp": self.idp,
            "users": self.accounts,
            "pid": std::process::id(),
        })
    }

    fn describe(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(
            out,
            "\n  A private bucket behind Cognito sign-in, all on this machine.\n"
        )?;
        writeln!(out, "  Open      {}\n", self.url)?;
        for account in &self.accounts {
            let Account {
                username,
                password,
                groups,
            } = account;
            write!(out, "  Sign in   {username:<6} password {password}")?;
            if groups.is_empty() {
                writeln!(out)?
            } else {
                writeln!(out, "   in {}", groups.join(", "))?
            }
        }
        writeln!(out, "\n  Metrics   {}/metrics", self.admin)?;
        writeln!(out, "  Sign-in is served by {}, as Cognito would.", self.idp)?;
        writeln!(out, "\n  Ctrl-C stops it and leaves nothing behind.\n")
    }
}
