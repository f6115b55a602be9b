//! Sealed sessions and sign-ins under way: endpoint, path, query, a change, and Cookie fields, a line each.
//!
//! `{sealed}`, `{attempt}`, `{state}`, `{id}` and `{token}` stand for a session and a sign-in that are real; the change,
//! a position and what is added to the byte there, is made to both sealed texts.

use auth_core::{Authenticator, CallError, Decision, Endpoint, NoHeaders, Request, Scheme, Step};

use crate::site::{NOW, NoEntropy, site_with};

const TOKEN: &str = include_str!("session.jwt");
const JWKS: &str = include_str!("../../auth-core/tests/keys/jwks.json");

/// What is sealed, and what it belongs to.
struct Sealed {
    session: String,
    attempt: String,
    state: String,
}

pub(crate) fn run(data: &[u8]) {
    let auth = site_with(
        JWKS,
        r#", "profile": "enhanced", "enhancements": {"sealedSession": true}"#,
    );
    let real = Sealed::by(&auth);
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n').map(str::to_owned);
    let mut line = || lines.next().unwrap_or_default();
    let endpoint = match line().as_str() {
        "signin" => Endpoint::SignIn,
        "refresh" => Endpoint::Refresh,
        "signout" => Endpoint::SignOut,
        _ => Endpoint::Protected,
    };
    let (path, query, change) = (line(), line(), line());
    let changed = Sealed {
        session: changed(&real.session, &change),
        attempt: changed(&real.attempt, &change),
        state: real.state.clone(),
    };
    let fields: Vec<String> = lines.map(|field| changed.fill(&field)).collect();
    let query = changed.fill(&query);
    let mut step = begin(&auth, endpoint, &path, &query, &fields);
    for _ in 0..8 {
        match step {
            Step::Decided(decision) => {
                let brought = |proof: &str| fields.iter().any(|field| field.contains(proof));
                return check(&decision, brought(&real.session) || brought(TOKEN.trim()));
            }
            Step::Call(pending) => step = pending.resume(Err(CallError::Timeout), NOW, &mut NoEntropy),
        }
    }
    panic!("calls without an end");
}

impl Sealed {
    /// A session taken over from its token, and a sign-in begun.
    fn by(auth: &Authenticator) -> Self {
        let plain = format!(
            "CognitoIdentityServiceProvider.c.LastAuthUser=u; CognitoIdentityServiceProvider.c.u.idToken={}",
            TOKEN.trim()
        );
        let Step::Decided(Decision::Forward(forward)) = begin(auth, Endpoint::Protected, "/", "", &[plain]) else {
            panic!("the token is good");
        };
        let Step::Decided(Decision::Respond(answer)) = begin(auth, Endpoint::Protected, "/a", "", &[]) else {
            panic!("nobody is let in");
        };
        let location = answer.headers.first("location").unwrap_or_default();
        let state = location.split("state=").nth(1).and_then(|rest| rest.split('&').next());
        let cookies = answer.headers.iter().map(|(_, value)| value);
        Self {
            session: value(
                forward.response_cookies.iter().map(String::as_str),
                "__Host-portcullis=",
            ),
            attempt: value(cookies, "__Host-portcullis-attempt-"),
            state: state.unwrap_or_default().to_owned(),
        }
    }

    fn fill(&self, text: &str) -> String {
        text.replace("{sealed}", &self.session)
            .replace("{attempt}", &self.attempt)
            .replace("{state}", &self.state)
            .replace("{id}", self.state.get(..1).unwrap_or_default())
            .replace("{token}", TOKEN.trim())
    }
}

fn value<'c>(mut cookies: impl Iterator<Item = &'c str>, prefix: &str) -> String {
    let found = cookies.find(|cookie| cookie.starts_with(prefix));
    let pair = found.and_then(|cookie| cookie.split(';').next()).unwrap_or_default();
    pair.split_once('=')
        .map_or_else(String::new, |(_, value)| value.to_owned())
}

fn changed(text: &str, change: &str) -> String {
    let mut numbers = change.split(' ').map(str::parse::<usize>);
    let (Some(Ok(at)), Some(Ok(more))) = (numbers.next(), numbers.next()) else {
        return text.to_owned();
    };
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bytes = text.as_bytes().to_vec();
    let at = at % bytes.len().max(1);
    let known = ALPHABET
        .iter()
        .position(|byte| Some(byte) == bytes.get(at))
        .unwrap_or_default();
    if let Some(byte) = bytes.get_mut(at) {
        *byte = ALPHABET[known.wrapping_add(more) % ALPHABET.len()];
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Nobody passes without what is real; every answer stays on our origin or goes to the provider; no cookie breaks.
fn check(decision: &Decision, has_proof: bool) {
    let (cookies, location): (Vec<&str>, Option<&str>) = match decision {
        Decision::Forward(forward) => {
            assert!(has_proof, "forwarded without a session");
            (forward.response_cookies.iter().map(String::as_str).collect(), None)
        }
        Decision::Respond(response) => {
            let named = response
                .headers
                .iter()
                .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
            (
                named.map(|(_, value)| value).collect(),
                response.headers.first("location"),
            )
        }
    };
    for cookie in cookies {
        assert!(
            cookie.contains("; Path=/") && !cookie.contains(|c: char| c.is_control()),
            "{cookie:?}"
        );
    }
    if let Some(location) = location {
        let origins = ["https://site.example", "https://login.example"];
        let rest = origins.iter().find_map(|origin| location.strip_prefix(origin));
        assert!(
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
            "{location}"
        );
    }
}

fn begin(auth: &Authenticator, endpoint: Endpoint, path: &str, query: &str, fields: &[String]) -> Step {
    let cookies: Vec<&str> = fields.iter().map(String::as_str).collect();
    let request = Request {
        method: "GET",
        scheme: Scheme::Https,
        host: "site.example",
        path,
        query,
        cookies: &cookies,
        headers: &NoHeaders,
    };
    auth.begin_at(endpoint, &request, NOW, &mut NoEntropy)
}
