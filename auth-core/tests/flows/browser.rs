//! A browser at one site: it keeps cookies as a browser does, and follows nothing by itself.

use std::collections::BTreeMap;

use auth_core::{Authenticator, Decision, HttpReply, Response, Step, UnixTime};
use serde_json::{Value, json};

use crate::fixture::{self, Asking, Rng, json_reply, response, token};

/// The header fields of a browser's navigation.
pub(crate) const NAVIGATION: &[(&str, &str)] = &[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];

/// Cookies by name; paths and domains are not told apart.
#[derive(Clone, Default)]
pub(crate) struct Browser {
    pub(crate) jar: BTreeMap<String, String>,
}

impl Browser {
    pub(crate) fn cookies(&self) -> String {
        let pairs: Vec<String> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    /// Takes in what a response sets and expires.
    pub(crate) fn keep(&mut self, response: &Response) {
        let fields = response.headers.iter();
        for (_, cookie) in fields.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie")) {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if cookie.contains("Max-Age=0") || cookie.contains("Expires=Thu, 01 Jan 1970") {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// A request of this method, without taking the answer's cookies in.
    pub(crate) fn ask(
        &self,
        auth: &Authenticator,
        method: &str,
        target: &str,
        fields: &[(&str, &str)],
        now: UnixTime,
    ) -> Step {
        let asking = Asking {
            method,
            target,
            cookies: &[&self.cookies()],
            fields,
        };
        fixture::ask(auth, &asking, now)
    }

    /// A navigation that is answered at once.
    pub(crate) fn navigate(&mut self, auth: &Authenticator, target: &str, now: UnixTime) -> Response {
        let answer = response(self.ask(auth, "GET", target, NAVIGATION, now));
        self.keep(&answer);
        answer
    }

    /// A navigation during which the token endpoint gives this reply.
    pub(crate) fn come_back(
        &mut self,
        auth: &Authenticator,
        target: &str,
        reply: HttpReply,
        now: UnixTime,
    ) -> Response {
        let Step::Call(pending) = self.ask(auth, "GET", target, NAVIGATION, now) else {
            panic!("no token request")
        };
        let answer = response(pending.resume(Ok(reply), now, &mut Rng));
        self.keep(&answer);
        answer
    }

    /// Whether the request would pass.
    pub(crate) fn passes(&self, auth: &Authenticator, target: &str, now: UnixTime) -> bool {
        let step = self.ask(auth, "GET", target, NAVIGATION, now);
        matches!(step, Step::Decided(Decision::Forward(_)))
    }
}

/// A parameter of the address that a response redirects to, decoded no further.
pub(crate) fn sent_to(response: &Response, name: &str) -> String {
    let location = response.headers.first("location").unwrap();
    let query = location.split_once('?').unwrap().1;
    let found = query.split('&').find_map(|part| part.strip_prefix(&format!("{name}=")));
    found.unwrap_or_else(|| panic!("no {name} in {location}")).to_owned()
}

/// The callback's target for an answer that sent its viewer to sign in.
pub(crate) fn callback(sent: &Response) -> String {
    format!("/parseauth?code=c&state={}", sent_to(sent, "state"))
}

/// The tokens that end the sign-in which this answer began.
pub(crate) fn tokens_for(sent: &Response, overrides: Value) -> HttpReply {
    let mut claims = overrides;
    claims["nonce"] = json!(sent_to(sent, "nonce"));
    json_reply(&json!({"id_token": token(claims), "access_token": "a", "refresh_token": "r"}))
}
