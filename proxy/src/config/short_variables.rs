//! Short names for the variables that the common case needs: one site, its bucket, its user pool.
//!
//! Each stands for one key of the first site. A name that begins as ours and is none of them is a mistake and
//! is told, except for what Kubernetes puts into every container beside a Service of such a name.

use auth_core::json::Json;

use super::{
    problem::{ConfigError, Report},
    section::nearest,
    tree::{Environment, PREFIX, find, same_name, set},
};

const SHORT_PREFIX: &str = "PORTCULLIS_";

/// What the names go on with, in lower case, and the keys that they stand for.
const SHORT: [(&str, &[&str]); 9] = [
    ("host", &["sites", "0", "hosts"]),
    ("bucket", &["sites", "0", "origin", "bucket"]),
    ("user_pool_arn", &["sites", "0", "auth", "userPoolArn"]),
    ("auth_domain", &["sites", "0", "auth", "cognitoAuthDomain"]),
    ("client_id", &["sites", "0", "auth", "clientId"]),
    ("client_secret", &["sites", "0", "auth", "clientSecret"]),
    ("client_secret_file", &["sites", "0", "auth", "clientSecretFile"]),
    ("nonce_signing_secret", &["sites", "0", "auth", "nonceSigningSecret"]),
    (
        "nonce_signing_secret_file",
        &["sites", "0", "auth", "nonceSigningSecretFile"],
    ),
];

/// What else may be set: the configuration file's name, which the command line reads.
const ELSEWHERE: [&str; 1] = ["config"];

/// What a container that is given nothing but the variables above goes on with.
const WITH_A_BUCKET: [(&[&str], &str); 2] = [
    (&["sites", "0", "origin", "kind"], "s3"),
    (&["sites", "0", "default_root_object"], "index.html"),
];
const LISTEN: [&[&str]; 2] = [&["listen", "http"], &["listen", "https"]];
const LISTEN_HTTP: &str = "0.0.0.0:8080";

impl Environment {
    /// Whether any variable is a key's, under its long or its short name.
    #[must_use]
    pub fn has_overrides(&self) -> bool {
        self.iter().any(|(name, _)| name.starts_with(PREFIX)) || self.short().next().is_some()
    }

    /// The short variables that are set: the rest of the name, the path of the key, the value.
    fn short(&self) -> impl Iterator<Item = (&'static str, &'static [&'static str], &str)> {
        SHORT
            .iter()
            .filter_map(|(name, path)| Some((*name, *path, self.value(&variable(name))?)))
    }

    /// Puts the keys of short variables into the tree, and reports names that mean nothing.
    pub(super) fn override_by_short(&self, tree: &mut Json, report: &Report) {
        for (name, path, value) in self.short() {
            let long = self.iter().map(|(name, _)| name).find(|name| is_long_form(name, path));
            if let Some(long) = long {
                report.add(variable(name), format!("it beside {long}"), "one of the two");
            } else if set(tree, path, value).is_err() {
                report.add(
                    variable(name),
                    "a configuration that it fits nowhere in",
                    "tables and lists",
                );
            }
        }
        for (name, _) in self.iter() {
            if let Some(rest) = unknown(name) {
                let known: Vec<&str> = SHORT.iter().map(|(name, _)| *name).chain(ELSEWHERE).collect();
                let expected = match nearest(&rest, &known) {
                    Some(meant) => format!("`{}`, which it resembles", variable(meant)),
                    None => format!("one of {}, or {PREFIX} and the path of a key", list(&known)),
                };
                report.add(name, "an unknown variable", expected);
            }
        }
    }

    /// Fills in what a bucket's short variable leaves open. Only where there is no file to have said it.
    pub(super) fn complete_short(&self, tree: &mut Json) {
        if self.value(&variable("bucket")).is_none() {
            return;
        }
        let listens = LISTEN.iter().any(|path| find(tree, path).is_some());
        let listen = (!listens).then_some((LISTEN[0], LISTEN_HTTP));
        for (path, value) in WITH_A_BUCKET.into_iter().chain(listen) {
            if find(tree, path).is_none() {
                // What does not fit has been reported with the variable that made it so.
                let _ = set(tree, path, value);
            }
        }
    }
}

/// Names the short variable beside each problem with the key that it stands for.
pub(super) fn name_in(mut error: ConfigError) -> ConfigError {
    for problem in &mut error.problems {
        let short = SHORT.iter().find(|(_, path)| problem.path == dotted(path));
        if let Some((name, _)) = short {
            problem.expected.push_str(&format!(" (`{}`)", variable(name)));
        }
    }
    error
}

/// The path as problems have it.
fn dotted(path: &[&str]) -> String {
    path.join(".").replacen("sites.0", "sites[0]", 1)
}

fn variable(name: &str) -> String {
    format!("{SHORT_PREFIX}{}", name.to_ascii_uppercase())
}

fn list(names: &[&str]) -> String {
    let variables: Vec<String> = names.iter().map(|name| variable(name)).collect();
    variables.join(", ")
}

/// Whether a variable's long name leads to that key.
fn is_long_form(name: &str, path: &[&str]) -> bool {
    let Some(rest) = name.strip_prefix(PREFIX) else {
        return false;
    };
    let segments: Vec<&str> = rest.split("__").collect();
    segments.len() == path.len() && segments.iter().zip(path).all(|(one, other)| same_name(one, other))
}

/// What follows the prefix, in lower case, of a name that is neither ours nor Kubernetes'.
fn unknown(name: &str) -> Option<String> {
    let rest = name.strip_prefix(SHORT_PREFIX)?;
    if rest.starts_with('_') || is_service_link(rest) {
        return None;
    }
    let rest = rest.to_ascii_lowercase();
    let known = SHORT.iter().map(|(name, _)| *name).chain(ELSEWHERE);
    (!known.into_iter().any(|known| known == rest)).then_some(rest)
}

/// `SERVICE_HOST`, `SERVICE_PORT…`, `PORT` or `PORT_8080_TCP…`, perhaps after the rest of a Service's name.
fn is_service_link(rest: &str) -> bool {
    let words: Vec<&str> = rest.split('_').collect();
    let is_port = |words: &[&str]| {
        words.first() == Some(&"PORT")
            && (words.len() == 1
                || words
                    .get(1)
                    .is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit())))
    };
    (0..words.len()).any(|at| {
        let rest = &words[at..];
        rest == ["SERVICE", "HOST"] || rest.starts_with(&["SERVICE", "PORT"]) || is_port(rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{OriginSettings, Settings, SiteSettings};

    const COMMON: [(&str, &str); 6] = [
        ("PORTCULLIS_HOST", "docs.example.com"),
        ("PORTCULLIS_BUCKET", "docs-example-com"),
        (
            "PORTCULLIS_USER_POOL_ARN",
            "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_Ab1",
        ),
        ("PORTCULLIS_AUTH_DOMAIN", "docs.auth.eu-west-1.amazoncognito.com"),
        ("PORTCULLIS_CLIENT_ID", "client1"),
        ("PORTCULLIS_CLIENT_SECRET", "secret-of-the-client"),
    ];

    fn load(changes: &[(&str, Option<&str>)]) -> Result<Settings, ConfigError> {
        let mut variables: Vec<(&str, &str)> = COMMON.to_vec();
        for (name, value) in changes {
            variables.retain(|(known, _)| known != name);
            variables.extend(value.map(|value| (*name, value)));
        }
        Settings::load(None, &variables.into_iter().collect())
    }

    #[track_caller]
    fn problem(changes: &[(&str, Option<&str>)]) -> String {
        load(changes).unwrap_err().to_string()
    }

    #[test]
    fn bucket_pool_client_and_host_are_a_whole_configuration() {
        let settings = load(&[]).unwrap();
        assert_eq!(settings.listen.http, [([0, 0, 0, 0], 8080).into()]);
        let [
            SiteSettings {
                hosts,
                origin: OriginSettings::S3(s3),
                default,
                ..
            },
        ] = settings.sites.as_slice()
        else {
            panic!("{:?}", settings.sites)
        };
        assert_eq!(hosts[0].to_string(), "docs.example.com");
        assert_eq!(s3.bucket, "docs-example-com");
        assert_eq!(default.default_root_object.as_deref(), Some("index.html"));
        assert!(!settings.to_toml().contains("secret-of"), "{}", settings.to_toml());
    }

    #[test]
    fn long_names_change_what_short_ones_leave_open() {
        let settings = load(&[
            ("PORTCULLIS__LISTEN__HTTP", Some("127.0.0.1:81")),
            ("PORTCULLIS__SITES__0__ORIGIN__PREFIX", Some("public/")),
            ("PORTCULLIS__SITES__0__DEFAULT_ROOT_OBJECT", Some("start.html")),
        ])
        .unwrap();
        assert_eq!(settings.listen.http, [([127, 0, 0, 1], 81).into()]);
        assert_eq!(
            settings.sites[0].default.default_root_object.as_deref(),
            Some("start.html")
        );
    }

    #[test]
    fn a_key_has_its_short_or_its_long_variable() {
        assert_eq!(
            problem(&[("PORTCULLIS__SITES__0__AUTH__CLIENT_ID", Some("other"))]),
            "PORTCULLIS_CLIENT_ID: found it beside PORTCULLIS__SITES__0__AUTH__CLIENT_ID, expected one of the two"
        );
    }

    #[test]
    fn what_is_missing_is_told_with_its_variable() {
        let missing = problem(&[("PORTCULLIS_HOST", None), ("PORTCULLIS_CLIENT_ID", None)]);
        assert!(missing.contains("(`PORTCULLIS_HOST`)"), "{missing}");
        assert!(missing.contains("(`PORTCULLIS_CLIENT_ID`)"), "{missing}");
    }

    #[test]
    fn a_public_client_has_to_be_given_a_secret_for_nonces() {
        let missing = problem(&[("PORTCULLIS_CLIENT_SECRET", None)]);
        assert!(missing.contains("(`PORTCULLIS_NONCE_SIGNING_SECRET`)"), "{missing}");
        let given = Some("0123456789abcdef0123456789abcdef");
        load(&[
            ("PORTCULLIS_CLIENT_SECRET", None),
            ("PORTCULLIS_NONCE_SIGNING_SECRET", given),
        ])
        .unwrap();
    }

    #[test]
    fn a_misspelt_variable_is_answered_with_the_nearest() {
        for (wrong, expected) in [
            ("PORTCULLIS_BUKCET", "`PORTCULLIS_BUCKET`, which it resembles"),
            (
                "PORTCULLIS_CLIENT_SECRETS_FILE",
                "`PORTCULLIS_CLIENT_SECRET_FILE`, which it resembles",
            ),
            ("PORTCULLIS_CONFG", "`PORTCULLIS_CONFIG`, which it resembles"),
            ("PORTCULLIS_COLOUR", "PORTCULLIS__ and the path of a key"),
        ] {
            let said = problem(&[(wrong, Some("x"))]);
            assert!(
                said.starts_with(&format!("{wrong}: found an unknown variable")),
                "{said}"
            );
            assert!(said.ends_with(expected), "{said}");
        }
    }

    #[test]
    fn what_kubernetes_puts_beside_a_service_is_not_ours() {
        for name in [
            "PORTCULLIS_SERVICE_HOST",
            "PORTCULLIS_SERVICE_PORT",
            "PORTCULLIS_SERVICE_PORT_HTTP",
            "PORTCULLIS_PORT",
            "PORTCULLIS_PORT_8080_TCP",
            "PORTCULLIS_PORT_8080_TCP_ADDR",
            "PORTCULLIS_ADMIN_SERVICE_HOST",
            "PORTCULLIS_ADMIN_PORT_9090_TCP_PROTO",
        ] {
            load(&[(name, Some("tcp://10.0.0.1:8080"))]).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        assert!(problem(&[("PORTCULLIS_PORT_NAME", Some("x"))]).contains("unknown variable"));
    }

    #[test]
    fn a_file_says_for_itself_what_is_served_at_the_root() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        std::fs::write(
            &file,
            "listen = { http = [\"127.0.0.1:0\"] }\n[[sites]]\norigin = { kind = \"s3\" }\n",
        )
        .unwrap();
        let settings = Settings::load(Some(&file), &COMMON.into_iter().collect()).unwrap();
        assert_eq!(settings.sites[0].default.default_root_object, None);
        assert_eq!(settings.listen.http[0].port(), 0);
    }
}
