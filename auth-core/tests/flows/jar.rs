//! A browser's cookie jar with paths, domains and name prefixes (RFC 6265bis), for tests about where cookies stand.

use auth_core::{Authenticator, Forward, HttpReply, Request, Response, Scheme, Step, UnixTime};
use serde_json::{Value, json};

use crate::{
    browser::{NAVIGATION, callback, sent_to},
    fixture::{Fields, Rng, forward, json_reply, response, token},
};

#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) path: String,
    pub(crate) domain: String,
    host_only: bool,
    secure: bool,
}

/// A browser with one jar for all hosts.
#[derive(Clone, Debug)]
pub(crate) struct Jar {
    pub(crate) scheme: Scheme,
    pub(crate) host: &'static str,
    pub(crate) kept: Vec<Kept>,
}

impl Jar {
    pub(crate) const fn at(host: &'static str) -> Self {
        Self {
            scheme: Scheme::Https,
            host,
            kept: Vec::new(),
        }
    }

    /// What a request for a path carries: longer paths first, then the older ones.
    pub(crate) fn cookies(&self, path: &str) -> String {
        let mut fitting: Vec<&Kept> = self.kept.iter().filter(|kept| self.reaches(kept, path)).collect();
        fitting.sort_by_key(|kept| std::cmp::Reverse(kept.path.len()));
        let pairs: Vec<String> = fitting
            .iter()
            .map(|kept| format!("{}={}", kept.name, kept.value))
            .collect();
        pairs.join("; ")
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.kept.iter().map(|kept| kept.name.as_str()).collect();
        names.sort_unstable();
        names
    }

    /// The one cookie whose name ends so.
    pub(crate) fn one(&self, suffix: &str) -> &Kept {
        let found: Vec<&Kept> = self.kept.iter().filter(|kept| kept.name.ends_with(suffix)).collect();
        assert_eq!(found.len(), 1, "{suffix}: {:?}", self.names());
        found[0]
    }

    /// Stores a Set-Cookie value that came with an answer for this path, as a browser at `host` does.
    pub(crate) fn set(&mut self, host: &str, path: &str, cookie: &str) {
        let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
        let (name, value) = pair.split_once('=').unwrap();
        let attribute = |wanted: &str| {
            let parts = attributes.split(';').map(str::trim);
            let found = parts.map(|part| part.split_once('=').unwrap_or((part, "")));
            let mut found = found.filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
            found.next_back().map(|(_, value)| value.to_owned())
        };
        let domain = attribute("domain").filter(|domain| !domain.is_empty());
        let (host, _) = host.split_once(':').unwrap_or((host, ""));
        if domain.as_ref().is_some_and(|domain| !is_within(host, domain)) {
            return;
        }
        let folder = path
            .rsplit_once('/')
            .map_or("/", |(folder, _)| if folder.is_empty() { "/" } else { folder });
        let kept = Kept {
            name: name.trim().to_owned(),
            value: value.trim().to_owned(),
            path: attribute("path")
                .filter(|path| path.starts_with('/'))
                .unwrap_or_else(|| folder.to_owned()),
            host_only: domain.is_none(),
            domain: domain.unwrap_or_else(|| host.to_owned()),
            secure: attribute("secure").is_some(),
        };
        if kept.name.starts_with("__Host-") && !(kept.secure && kept.host_only && kept.path == "/")
            || kept.secure && self.scheme == Scheme::Http && host != "localhost"
            || kept.name.len() + kept.value.len() > 4096
        {
            return;
        }
        let same = |other: &Kept| {
            (&other.name, &other.path, &other.domain, other.host_only)
                == (&kept.name, &kept.path, &kept.domain, kept.host_only)
        };
        self.kept.retain(|other| !same(other));
        let is_over = attribute("max-age").is_some_and(|age| age == "0" || age.starts_with('-'))
            || attribute("expires").is_some_and(|date| date.contains("1970"));
        if !is_over {
            self.kept.push(kept);
        }
    }

    /// Takes in what an answer for this path sets.
    pub(crate) fn keep(&mut self, path: &str, cookies: &[String]) {
        for cookie in cookies {
            assert!(cookie.bytes().all(|byte| byte >= b' ' && byte != 0x7f), "{cookie:?}");
            self.set(self.host, path, cookie);
        }
    }

    pub(crate) fn ask(&self, auth: &Authenticator, target: &str, fields: &[(&str, &str)], now: UnixTime) -> Step {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let cookies = self.cookies(path);
        let request = Request {
            method: "GET",
            scheme: self.scheme,
            host: self.host,
            path,
            query,
            cookies: &[&cookies],
            headers: &Fields(fields),
        };
        auth.begin(&request, now, &mut Rng)
    }

    /// A navigation; every call on the way gets this outcome.
    pub(crate) fn navigate(
        &mut self,
        auth: &Authenticator,
        target: &str,
        reply: &HttpReply,
        now: UnixTime,
    ) -> Response {
        let mut step = self.ask(auth, target, NAVIGATION, now);
        while let Step::Call(pending) = step {
            step = pending.resume(Ok(reply.clone()), now, &mut Rng);
        }
        let answer = response(step);
        self.keep(target.split('?').next().unwrap(), &all_set_cookies(&answer));
        answer
    }

    /// A navigation that goes on to the content.
    pub(crate) fn pass(&mut self, auth: &Authenticator, now: UnixTime) -> Forward {
        let passed = forward(self.ask(auth, "/", NAVIGATION, now));
        self.keep("/", &passed.response_cookies);
        passed
    }

    /// Signs in with tokens of these claims; the callback's answer.
    pub(crate) fn sign_in(&mut self, auth: &Authenticator, claims: Value, now: UnixTime) -> Response {
        self.sign_in_with(auth, claims, json!({}), now)
    }

    /// The same, the token endpoint's reply changed.
    pub(crate) fn sign_in_with(
        &mut self,
        auth: &Authenticator,
        claims: Value,
        reply: Value,
        now: UnixTime,
    ) -> Response {
        let sent = self.navigate(auth, "/deep/link", &json_reply(&json!({})), now);
        let mut claims = claims;
        claims["nonce"] = json!(sent_to(&sent, "nonce"));
        let mut tokens =
            json!({"id_token": token(claims), "access_token": "an-access-token", "refresh_token": "a-refresh-token"});
        for (name, value) in reply.as_object().unwrap() {
            tokens[name] = value.clone();
        }
        self.navigate(auth, &callback(&sent), &json_reply(&tokens), now)
    }

    fn reaches(&self, kept: &Kept, path: &str) -> bool {
        let (host, _) = self.host.split_once(':').unwrap_or((self.host, ""));
        let on_host = if kept.host_only {
            kept.domain == host
        } else {
            is_within(host, &kept.domain)
        };
        let on_path = path
            .strip_prefix(&kept.path)
            .is_some_and(|rest| rest.is_empty() || kept.path.ends_with('/') || rest.starts_with('/'));
        on_host && on_path && (!kept.secure || self.scheme == Scheme::Https || host == "localhost")
    }
}

pub(crate) fn all_set_cookies(response: &Response) -> Vec<String> {
    let fields = response.headers.iter();
    fields
        .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
        .map(|(_, value)| value.to_owned())
        .collect()
}

fn is_within(host: &str, domain: &str) -> bool {
    let domain = domain.trim_start_matches('.');
    host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

impl Jar {
    /// Signs in once more though there is a session, as after a sign-out at the hosted UI.
    pub(crate) fn sign_in_again(&mut self, auth: &Authenticator) -> Response {
        let before = self.kept.clone();
        self.kept.clear();
        let sent = self.navigate(auth, "/deep/link", &json_reply(&json!({})), crate::fixture::NOW);
        self.kept.extend(before);
        let claims = json!({"nonce": sent_to(&sent, "nonce")});
        let reply = json!({"id_token": token(claims), "access_token": "a", "refresh_token": "r"});
        self.navigate(auth, &callback(&sent), &json_reply(&reply), crate::fixture::NOW)
    }

    /// How long the value of the cookie of that name is.
    pub(crate) fn one_length(&self, name: &str) -> usize {
        self.kept
            .iter()
            .filter(|kept| kept.name == name)
            .map(|kept| kept.value.len())
            .sum()
    }
}
