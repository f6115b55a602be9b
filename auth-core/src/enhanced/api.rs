//! Answers for programs: JSON with a status that says what is wrong, never a redirect that would be lost on them.
//!
//! A script whose session has ended reads here why, and which two ways lead on: a page that signs its viewer in,
//! and a path that renews the session. Nothing in such an answer is a secret, and no sign-in is begun by it.
//! Errors of bearer tokens are named as RFC 6750, section 3.1, has them.

use super::{answer::Answer, rules::PathPattern, session_info::default_claims, viewer::Viewer};
use crate::{Config, Reason, config::Reader, js::query::stringify, json::stringify_text, jwt::Dialect};

/// Where a page begins a sign-in.
const SIGN_IN: &str = "/_portcullis/sign-in";
/// Where a script renews its session.
const RENEWAL: &str = "/_portcullis/refresh";

/// How programs are answered.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    /// Off: programs are answered like persons, as in the reference.
    pub(crate) is_on: bool,
    /// On these everybody counts as a program.
    paths: Vec<PathPattern>,
    /// What is told of a session.
    pub(crate) session_claims: Vec<String>,
}

impl Api {
    pub(crate) fn read(reader: &mut Reader<'_>, dialect: &Dialect) -> Self {
        let is_on = reader.switch("apiResponses", true);
        let mut paths = Vec::new();
        for path in reader.list("apiPaths") {
            match PathPattern::parse(&path) {
                Ok(pattern) => paths.push(pattern),
                Err(error) => reader.problem("apiPaths", format!("{path:?}, {error}"), "paths as those of rules"),
            }
        }
        let session_claims = match reader.value("sessionClaims") {
            Some(_) => reader.list("sessionClaims"),
            None => default_claims(dialect),
        };
        Self {
            is_on,
            paths,
            session_claims,
        }
    }

    /// Whether this path, as it was sent, is only for programs.
    pub(crate) fn covers(&self, path: &str) -> bool {
        !self.paths.is_empty() && {
            let path = crate::config::decoded(path);
            self.paths.iter().any(|known| known.matches(&path))
        }
    }
}

/// 401: a sign-in would help, or a renewal.
pub(crate) fn unauthorized(config: &Config, viewer: &Viewer, reason: Reason) -> Answer {
    let error = match reason {
        Reason::SessionAbsent => "unauthorized",
        _ => "invalid_token",
    };
    let refresh_url = match reason {
        Reason::RefreshTokenMissing | Reason::RefreshTokenRejected | Reason::SessionTooOld | Reason::SessionIdle => {
            None
        }
        _ => Some(format!("{}{}", viewer.origin, renewal_path(config))),
    };
    let challenge = match reason {
        // Who brought nothing is told nothing about it (RFC 6750, section 3.1).
        Reason::SessionAbsent => "Bearer realm=\"portcullis\"".to_owned(),
        _ => format!(
            "Bearer realm=\"portcullis\", error=\"{error}\", error_description=\"{}\"",
            reason.as_str()
        ),
    };
    let return_to = viewer.way_back.as_ref();
    let query = return_to.map(|path| format!("?{}", stringify(&[("return_to", path)])));
    let sign_in_url = format!("{}{SIGN_IN}{}", viewer.origin, query.unwrap_or_default());
    let body = object(&[
        ("error", Some(error)),
        ("reason", Some(reason.as_str())),
        ("sign_in_url", Some(&sign_in_url)),
        ("refresh_url", refresh_url.as_deref()),
    ]);
    json(401, reason, viewer, body).with("WWW-Authenticate", challenge)
}

/// 403, or 400: nothing the viewer can do would help.
pub(crate) fn refused(status: u16, viewer: &Viewer, reason: Reason) -> Answer {
    let error = if status == 403 { "forbidden" } else { "bad_request" };
    failure(status, error, viewer, reason)
}

/// An answer of this status with an error code and the reason, and nothing else.
pub(crate) fn failure(status: u16, error: &str, viewer: &Viewer, reason: Reason) -> Answer {
    let body = object(&[("error", Some(error)), ("reason", Some(reason.as_str()))]);
    json(status, reason, viewer, body)
}

/// A JSON answer that the pages of listed origins may read.
pub(crate) fn json(status: u16, reason: Reason, viewer: &Viewer, body: String) -> Answer {
    viewer.cors.allow(Answer::json(status, reason, body))
}

/// The path to which a script's request brings the refresh token: the cookie may be kept for one path alone.
fn renewal_path(config: &Config) -> &str {
    match refresh_token_path(config) {
        Some(path) if !RENEWAL.starts_with(path) => &config.refresh_path,
        _ => RENEWAL,
    }
}

/// The one path, with all below, on which browsers send the refresh token. `None`: on every path.
pub(crate) fn refresh_token_path(config: &Config) -> Option<&str> {
    let attributes = config.cookie_settings.refresh_token.split(';');
    let path = attributes
        .filter_map(|attribute| attribute.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("path"))
        .map(|(_, path)| path.trim())?;
    (path.starts_with('/') && path != "/").then_some(path)
}

/// A JSON object of texts; `None` is null.
pub(crate) fn object(members: &[(&str, Option<&str>)]) -> String {
    let members: Vec<String> = members
        .iter()
        .map(|(name, value)| {
            let value = value.map_or_else(|| "null".to_owned(), stringify_text);
            format!("{}:{value}", stringify_text(name))
        })
        .collect();
    format!("{{{}}}", members.join(","))
}
