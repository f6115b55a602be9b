//! The configuration as operators meet it: what is wrong is told at once and whole, and nothing starts.

use std::{fs, path::PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{
    http::{Request, exchange},
    process::{Process, addresses},
};

const SITE: &str = r#"
[listen]
http = ["127.0.0.1:0"]

[admin]
listen = "127.0.0.1:0"

[[sites]]
hosts = ["app.localhost"]

[sites.auth]
userPoolArn = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_DevPool01"
clientId = "client1"
clientSecret = "secret-of-the-client"
oauthScopes = ["openid"]
cognitoAuthDomain = "auth.example.com"
redirectPathSignIn = "/parseauth"
redirectPathSignOut = "/"
redirectPathAuthRefresh = "/refreshauth"
signOutUrl = "/signout"
mode = "spaMode"
cookieCompatibility = "amplify"
nonceSigningSecret = "secret-of-the-nonces"
logLevel = "none"
jwks = { keys = [] }
additionalCookies = {}
httpHeaders = {}
requiredGroup = ""

[sites.auth.cookieSettings]

[sites.origin]
kind = "directory"
root = "."
"#;

/// A folder with a configuration file and what lies beside it.
struct Files(TempDir);

impl Files {
    fn new(name: &str, content: &str) -> (Self, PathBuf) {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join(name);
        fs::write(&file, content).unwrap();
        (Self(folder), file)
    }

    fn put(&self, name: &str, content: &str) {
        fs::write(self.0.path().join(name), content).unwrap();
    }
}

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    owned.collect()
}

/// Exit code and standard error of `run`.
fn refused(name: &str, content: &str, pairs: &[(&str, &str)]) -> (Option<i32>, String) {
    let (_files, file) = Files::new(name, content);
    let mut process = Process::run(&file, &variables(pairs));
    let status = process.end();
    assert_eq!(process.out(), "", "nothing has been started");
    (status.code(), process.err())
}

/// Standard output of `check`, which must be content.
fn checked(name: &str, content: &str, pairs: &[(&str, &str)]) -> String {
    let (files, file) = Files::new(name, content);
    files.put("client-secret", "secret-from-a-file\n");
    let mut process = Process::start(&["check", "--config", file.to_str().unwrap()], &variables(pairs));
    let status = process.end();
    assert_eq!(status.code(), Some(0), "{}", process.err());
    process.out()
}

#[test]
fn every_problem_is_listed_and_nothing_starts() {
    let bad = SITE
        .replace("[listen]", "threads = 0\n[listen]")
        .replace("\"127.0.0.1:0\"]", "\"nowhere\"]")
        .replace("spaMode", "spa")
        .replace("\"/parseauth\"", "\"parseauth\"")
        .replace("kind = \"directory\"", "kind = \"ftp\"");
    let (code, said) = refused("config.toml", &bad, &[]);
    assert_eq!(code, Some(78), "{said}");
    for part in [
        "problems in the configuration",
        "threads: ",
        "listen.http[0]: found \"nowhere\"",
        "sites[0].auth.mode: ",
        "sites[0].auth.redirectPathSignIn: ",
        "sites[0].origin.kind: found \"ftp\"",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    assert!(!said.contains("secret-of"), "{said}");
}

#[test]
fn an_unknown_key_names_the_nearest_known_one() {
    for (wrong, right) in [
        ("[shutdown]\ndrian = \"1s\"\n[[sites]]", "`drain`"),
        ("[limit]\n[[sites]]", "`limits`"),
    ] {
        let (code, said) = refused("config.toml", &SITE.replace("[[sites]]", wrong), &[]);
        assert_eq!(code, Some(78), "{said}");
        assert!(said.contains("unknown key") && said.contains(right), "{said}");
    }
    let (code, said) = refused("config.toml", &SITE.replace("clientId", "clintId"), &[]);
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("clintId") && said.contains("clientId"), "{said}");
}

#[test]
fn files_that_cannot_be_read_are_problems_too() {
    for (name, content, said) in [
        ("config.toml", "a = [", "TOML"),
        ("config.yaml", "a: [", "YAML"),
        ("config.json", "{", "JSON"),
        ("config.ini", "", "extension"),
        ("config.toml", "", "sites"),
        ("config.toml", "\u{feff}\0", "TOML"),
    ] {
        let (code, text) = refused(name, content, &[]);
        assert_eq!(code, Some(78), "{name}: {text}");
        assert!(text.contains(said), "{name}: {text}");
    }
    let mut process = Process::start(&["run", "--config", "/does/not/exist.toml"], &[]);
    assert_eq!(process.end().code(), Some(78));
    assert!(process.err().contains("/does/not/exist.toml"));
}

#[test]
fn wrong_usage_is_told_from_wrong_configuration() {
    for arguments in [&["walk"][..], &["run", "--port", "1"], &[]] {
        let mut process = Process::start(arguments, &[]);
        assert_eq!(process.end().code(), Some(2), "{arguments:?}: {}", process.err());
    }
    let mut version = Process::start(&["version"], &[]);
    assert_eq!(version.end().code(), Some(0));
    assert_eq!(version.out(), format!("portcullis {}", env!("CARGO_PKG_VERSION")));
}

#[test]
fn toml_yaml_and_json_mean_the_same() {
    let value: toml::Table = toml::from_str(SITE).unwrap();
    let toml = checked("config.toml", SITE, &[]);
    let yaml = checked("config.yaml", &serde_yaml_ng::to_string(&value).unwrap(), &[]);
    let json = checked("config.json", &serde_json::to_string(&value).unwrap(), &[]);
    let sorted = |text: &str| toml::from_str::<Value>(&without_folder(text)).unwrap();
    assert_eq!(sorted(&toml), sorted(&yaml));
    assert_eq!(sorted(&toml), sorted(&json));
}

/// The folder of the file differs from one to the next.
fn without_folder(shown: &str) -> String {
    let lines = shown.lines().filter(|line| !line.starts_with("root = "));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn check_shows_what_is_in_effect_and_masks_secrets() {
    let origin = "kind = \"s3\"\nbucket = \"b\"\nregion = \"eu-west-1\"\naccess_key_id = \"AKID\"\n\
                  secret_access_key = \"secret-of-s3\"\nsession_token = \"secret-of-the-session\"\n";
    let content = SITE.replace("kind = \"directory\"\nroot = \".\"\n", origin);
    let shown = checked("config.toml", &content, &[]);
    assert!(!shown.contains("secret-of"), "{shown}");
    for part in [
        "(secret)",
        "AKID",
        "eu-west-1",
        "header_bytes = 32768",
        "drain = \"20s\"",
        "client1",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let custom = "kind = \"custom\"\nurl = \"http://127.0.0.1:1\"\nheaders = { x-key = \"secret-of-the-origin\" }\n";
    let content = SITE.replace("kind = \"directory\"\nroot = \".\"\n", custom);
    assert!(!checked("config.toml", &content, &[]).contains("secret-of"));
}

#[test]
fn check_answers_machines_in_json() {
    let (_files, file) = Files::new("config.toml", &SITE.replace("spaMode", "spa"));
    let arguments = ["check", "--format", "json", "--config", file.to_str().unwrap()];
    let mut process = Process::start(&arguments, &[]);
    assert_eq!(process.end().code(), Some(78));
    let answer: Value = serde_json::from_str(&process.out()).unwrap();
    assert_eq!(answer["valid"], false);
    assert_eq!(answer["problems"][0]["path"], "sites[0].auth.mode", "{answer}");
}

#[test]
fn variables_override_the_file() {
    let shown = checked(
        "config.toml",
        SITE,
        &[
            ("PORTCULLIS__SHUTDOWN__DRAIN", "7s"),
            ("PORTCULLIS__SITES__0__HOSTS", "a.example.com,b.example.com"),
            ("PORTCULLIS__SITES__0__AUTH__CLIENT_ID", "client-of-the-environment"),
            ("PORTCULLIS__SITES__0__AUTH__CLIENTSECRET", "secret-of-the-environment"),
        ],
    );
    for part in ["drain = \"7s\"", "b.example.com", "client-of-the-environment"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert!(!shown.contains("secret-of"), "{shown}");
    let (code, said) = refused("config.toml", SITE, &[("PORTCULLIS__SHUTDOWN__DRIAN", "1s")]);
    assert_eq!(code, Some(78));
    assert!(said.contains("`drain`"), "{said}");
}

#[test]
fn the_environment_may_name_the_file() {
    let (_files, file) = Files::new("config.toml", SITE);
    let pairs = [("PORTCULLIS_CONFIG".to_owned(), file.to_str().unwrap().to_owned())];
    let mut process = Process::start(&["check"], &pairs);
    assert_eq!(process.end().code(), Some(0), "{}", process.err());
}

#[test]
fn secrets_come_from_files() {
    let by_file = SITE.replace(
        "clientSecret = \"secret-of-the-client\"",
        "client_secret_file = \"client-secret\"",
    );
    let shown = checked("config.toml", &by_file, &[]);
    assert!(
        shown.contains("clientSecret = \"(secret)\"") && !shown.contains("secret-from-a-file"),
        "{shown}"
    );
    let by_variable = SITE.replace("clientSecret = \"secret-of-the-client\"\n", "");
    let shown = checked(
        "config.toml",
        &by_variable,
        &[("PORTCULLIS__SITES__0__AUTH__CLIENT_SECRET_FILE", "client-secret")],
    );
    assert!(shown.contains("clientSecret = \"(secret)\""), "{shown}");
    let (code, said) = refused(
        "config.toml",
        &by_file.replace("\"client-secret\"", "\"no-such-file\""),
        &[],
    );
    assert_eq!(code, Some(78));
    assert!(said.contains("no-such-file"), "{said}");
}

#[test]
fn a_taken_port_is_told_with_its_address() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for content in [
        SITE.replacen("127.0.0.1:0", &address, 1),
        SITE.replace("listen = \"127.0.0.1:0\"", &format!("listen = \"{address}\"")),
    ] {
        let (_files, file) = Files::new("config.toml", &content);
        let mut process = Process::run(&file, &[]);
        assert_eq!(process.end().code(), Some(1), "{}", process.output());
        let said = process.err();
        assert!(said.contains(&address) && said.contains("in use"), "{said}");
    }
}

#[test]
fn several_listeners_and_sites_run_side_by_side() {
    let content = SITE.replace("http = [\"127.0.0.1:0\"]", "http = [\"127.0.0.1:0\", \"[::1]:0\"]")
        + "\n[[sites]]\nhosts = [\"*.example.com\"]\nauth = { insecure_auth_off = true }\n\
           origin = { kind = \"directory\", root = \".\" }\n";
    let (files, file) = Files::new("config.toml", &content);
    files.put("public.txt", "public");
    let process = Process::run(&file, &[]);
    let listening = addresses(&process.message("ready"), "http");
    assert_eq!(listening.len(), 2);
    for address in listening {
        let public = exchange(address, "docs.example.com", &Request::get("/public.txt"));
        assert_eq!((public.status, public.text().as_str()), (200, "public"));
        assert_eq!(
            exchange(address, "app.localhost", &Request::get("/public.txt")).status,
            302
        );
        assert_eq!(
            exchange(address, "example.com", &Request::get("/public.txt")).status,
            421
        );
    }
}
