//! What the provider is told beside the protocol's own parameters: which identity provider to use, whom to expect,
//! in which language (`authorizeParameters`). Some is configured, some may come with a link to the start of a sign-in.

use super::{
    Enhanced, api,
    audience::Audience,
    start_sign_in::{Wish, start_as_wished},
    viewer::Viewer,
};
use crate::{Entropy, Reason, Request, Step, UnixTime, authenticator::Authenticator, config::Reader, js::query::Query};

/// A longer value is nobody's hint.
const MOST_BYTES: usize = 256;

/// Parameters that belong to the protocol (RFC 6749, RFC 7636, RFC 9101, OpenID Connect Core 1.0): whoever could set
/// them could have the code or the token sent elsewhere.
const RESERVED: [&str; 11] = [
    "client_id",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "redirect_uri",
    "request",
    "request_uri",
    "response_mode",
    "response_type",
    "scope",
    "state",
];

/// Further parameters of authorization requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hints {
    /// Sent with every request, unless a link says otherwise.
    fixed: Vec<(String, String)>,
    /// What a link may set.
    allowed: Vec<String>,
}

impl Hints {
    pub(super) const KEYS: &[&str] = &["fixed", "allowed"];

    /// Reads `authorizeParameters`.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Self {
        reader.section("authorizeParameters", Self::KEYS, |section| {
            let fixed = section.texts("fixed", "an object of strings");
            let hints = Self {
                fixed: fixed
                    .iter()
                    .map(|(name, value)| (name.to_owned(), value.clone()))
                    .collect(),
                allowed: section.list("allowed"),
            };
            let fixed = hints.fixed.iter().map(|(name, _)| ("fixed", name));
            for (key, name) in fixed.chain(hints.allowed.iter().map(|name| ("allowed", name))) {
                if name.is_empty() || RESERVED.contains(&name.as_str()) {
                    section.problem(
                        key,
                        format!("{name:?}"),
                        "parameters that the protocol does not use itself",
                    );
                }
            }
            hints
        })
    }

    /// The identity provider that everybody is sent to, if another than Cognito's own users.
    pub(crate) fn names_another_provider(&self) -> bool {
        let of_others = |(name, value): &(String, String)| match name.as_str() {
            "identity_provider" => value != "COGNITO",
            "idp_identifier" => true,
            _ => false,
        };
        self.fixed.iter().any(of_others)
    }

    /// What a link asks for, among what it may ask for.
    fn asked_for(&self, query: &Query<'_>) -> Vec<(String, String)> {
        let asked = self.allowed.iter().filter_map(|name| {
            let value = query.param(name).single()?.to_owned();
            let is_sane = value.len() <= MOST_BYTES && !value.chars().any(char::is_control);
            is_sane.then(|| (name.clone(), value))
        });
        asked.collect()
    }

    /// All that is sent: a link's word holds over the configured one.
    pub(crate) fn with<'h>(&'h self, asked: &'h [(String, String)]) -> Vec<(&'h str, &'h str)> {
        let has = |name: &str| asked.iter().any(|(known, _)| known == name);
        let fixed = self.fixed.iter().filter(|(name, _)| !has(name));
        fixed
            .chain(asked)
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect()
    }
}

/// `/_portcullis/sign-in`: a link or a script that has read a 401 sends a person here. `return_to` is a path of ours.
pub(crate) fn begin(
    auth: &Authenticator,
    enhanced: &Enhanced,
    request: &Request<'_>,
    now: UnixTime,
    rng: &mut dyn Entropy,
) -> Step {
    let viewer = Viewer::of(auth, request);
    if viewer.audience == Audience::Program {
        return api::unauthorized(auth.config(), &viewer, Reason::SessionAbsent).decide(auth.config());
    }
    let query = Query::parse(request.query);
    let wish = Wish {
        return_to: query
            .param("return_to")
            .single()
            .filter(|path| is_own(path))
            .unwrap_or("/")
            .to_owned(),
        hints: enhanced.hints.asked_for(&query),
    };
    start_as_wished(auth, &viewer, &wish, Reason::SignInAsked, now, rng)
}

/// Whether a text is a path of this host to every reader (T-REDIR-1): what a browser might take for another host, or
/// a header for its end, is none.
pub(super) fn is_own(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && path.bytes().all(|byte| matches!(byte, b'!'..=b'~') && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_host_are_returned_to() {
        for path in ["/", "/a?b=/c", "/a%0d%0a", "/@evil.example"] {
            assert!(is_own(path), "{path}");
        }
        for path in [
            "",
            "a",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "/é",
            "https://evil.example",
            "/a\r\nb",
        ] {
            assert!(!is_own(path), "{path}");
        }
    }
}
