use std::{fs, time::Duration};

use super::*;

const SITE: &str = r#"
[listen]
http = ["127.0.0.1:0"]
[[sites]]
hosts = ["localhost"]
auth = { insecure_auth_off = true }
"#;

struct Attempt {
    folder: tempfile::TempDir,
    environment: Vec<(&'static str, String)>,
}

impl Attempt {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            environment: Vec::new(),
        }
    }

    fn with_file(self, name: &str, content: &str) -> Self {
        fs::write(self.folder.path().join(name), content).unwrap();
        self
    }

    fn with_variable(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    fn load(&self, name: &str, content: &str) -> Result<Settings, ConfigError> {
        let file = self.folder.path().join(name);
        fs::write(&file, content).unwrap();
        let environment = self.environment.iter().cloned().collect();
        Settings::load(Some(&file), &environment)
    }
}

fn load(content: &str) -> Result<Settings, ConfigError> {
    Attempt::new().load("config.toml", content)
}

#[track_caller]
fn problems(content: &str) -> Vec<String> {
    load(content)
        .unwrap_err()
        .problems
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn with_origin(origin: &str) -> String {
    format!("{SITE}{origin}")
}

const DIRECTORY: &str = "origin = { kind = \"directory\", root = \".\" }\n";

#[test]
fn a_small_file_is_enough_and_the_rest_has_defaults() {
    let settings = load(&with_origin(DIRECTORY)).unwrap();
    assert_eq!(settings.limits.header_bytes, 32 * 1024);
    assert_eq!(settings.drain, Duration::from_secs(20));
    assert_eq!(settings.admin, Some(([127, 0, 0, 1], 9090).into()));
    assert_eq!(settings.sites[0].name, "localhost");
    assert!(matches!(settings.sites[0].auth, AuthSettings::Off { .. }));
}

const PUBLIC: &str = "listen.http = [\"127.0.0.1:0\"]\n[[sites]]\nhosts = [\"localhost\"]\norigin = { kind = \"directory\", root = \".\" }\n";

#[test]
fn a_public_site_has_the_headers_that_are_given_inline_or_in_its_file_and_no_others() {
    let headers = |auth: &str, file: &str| {
        let attempt = Attempt::new().with_file("configuration.json", file);
        let settings = attempt.load("config.toml", &format!("{PUBLIC}{auth}")).unwrap();
        let AuthSettings::Off { headers } = &settings.sites[0].auth else {
            panic!("{:?}", settings.sites[0].auth)
        };
        headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect::<Vec<_>>()
    };
    let file = r#"{"clientId": 7, "httpHeaders": {"X-A": "1"}}"#;
    let off = "auth = { insecure_auth_off = true";
    assert_eq!(headers(&format!("{off} }}"), file), Vec::<String>::new());
    assert_eq!(
        headers(&format!("{off}, file = \"configuration.json\" }}"), file),
        ["X-A: 1"]
    );
    assert_eq!(
        headers(&format!("{off}, http_headers = {{ X-B = \"2\" }} }}"), file),
        ["X-B: 2"]
    );
}

#[test]
fn what_no_header_can_have_is_refused_where_sign_in_is_off() {
    let auth = r#"auth = { insecure_auth_off = true, httpHeaders = { "X B" = "1", X-C = "a\nb", X-D = 1 } }"#;
    let error = load(&format!("{PUBLIC}{auth}")).unwrap_err().to_string();
    for name in ["X B", "X-C", "X-D"] {
        assert!(
            error.contains(&format!("sites[0].auth.httpHeaders.{name}: ")),
            "{error}"
        );
    }
}

#[test]
fn yaml_means_the_same_as_toml() {
    let yaml = "
listen: { http: ['127.0.0.1:0'] }
shutdown: { drain: 5s }
sites:
  - hosts: [localhost]
    auth: { insecure_auth_off: true }
    origin: { kind: custom, url: 'http://127.0.0.1:1', headers: { x-secret: abc } }
";
    let settings = Attempt::new().load("config.yaml", yaml).unwrap();
    assert_eq!(settings.drain, Duration::from_secs(5));
    let OriginSettings::Custom(custom) = &settings.sites[0].origin else {
        panic!("{:?}", settings.sites[0].origin)
    };
    assert_eq!(custom.headers[0].0, "x-secret");
}

#[test]
fn every_problem_is_reported_at_once_with_its_path() {
    let found = problems(
        r#"
threads = "many"
[listen]
http = ["nowhere"]
[limits]
header_byte = "1KiB"
[[sites]]
hosts = ["*"]
[sites.origin]
kind = "s3"
"#,
    );
    let paths: Vec<&str> = found
        .iter()
        .filter_map(|line| line.split_once(": "))
        .map(|(path, _)| path)
        .collect();
    assert_eq!(
        paths,
        [
            "listen.http[0]",
            "limits.header_byte",
            "threads",
            "sites[0].hosts[0]",
            "sites[0].auth",
            "sites[0].origin.bucket",
        ]
    );
}

#[test]
fn an_unknown_key_is_answered_with_the_nearest_known_one() {
    assert_eq!(
        problems(&with_origin(&format!(
            "{DIRECTORY}defualt_root_object = \"index.html\"\n"
        ))),
        ["sites[0].defualt_root_object: found an unknown key, expected `default_root_object`, which it resembles"]
    );
    assert_eq!(
        problems(&with_origin(
            "origin = { kind = \"directory\", root = \".\", colour = 1 }"
        )),
        ["sites[0].origin.colour: found an unknown key, expected one of kind, root"]
    );
}

#[test]
fn a_syntax_error_names_file_and_line() {
    let found = problems("a = \n");
    assert!(
        found[0].contains("config.toml") && found[0].contains("line 1"),
        "{found:?}"
    );
}

#[test]
fn a_missing_file_and_an_unknown_extension_are_problems() {
    let environment = Environment::default();
    let missing = Settings::load(Some(Path::new("/does/not/exist.toml")), &environment).unwrap_err();
    assert!(missing.to_string().contains("unreadable"));
    let odd = Attempt::new().load("config.ini", "").unwrap_err();
    assert!(odd.to_string().contains("extension"));
}

#[test]
fn variables_override_keys_and_append_to_lists() {
    let attempt = Attempt::new()
        .with_variable("PORTCULLIS__SHUTDOWN__DRAIN", "1s")
        .with_variable("PORTCULLIS__THREADS", "3")
        .with_variable("PORTCULLIS__LISTEN__HTTP__1", "127.0.0.2:0")
        .with_variable("PORTCULLIS__TRUSTED_PROXIES", "10.0.0.0/8, 192.168.0.0/16")
        .with_variable("PORTCULLIS__SITES__0__HOSTS", "[\"a.example\",\"b.example\"]")
        .with_variable("PORTCULLIS__SITES__0__DEFAULT_ROOT_OBJECT", "start.html");
    let settings = attempt.load("config.toml", &with_origin(DIRECTORY)).unwrap();
    assert_eq!(settings.drain, Duration::from_secs(1));
    assert_eq!(settings.threads.get(), 3);
    assert_eq!(settings.listen.http.len(), 2);
    assert_eq!(settings.trusted_proxies.len(), 2);
    assert_eq!(settings.sites[0].hosts.len(), 2);
    assert_eq!(
        settings.sites[0].default.default_root_object.as_deref(),
        Some("start.html")
    );
}

#[test]
fn the_environment_alone_is_a_configuration() {
    let environment: Environment = [
        ("PORTCULLIS__LISTEN__HTTP", "127.0.0.1:0"),
        ("PORTCULLIS__SITES__0__HOSTS", "localhost"),
        ("PORTCULLIS__SITES__0__AUTH__INSECURE_AUTH_OFF", "true"),
        ("PORTCULLIS__SITES__0__ORIGIN__KIND", "custom"),
        ("PORTCULLIS__SITES__0__ORIGIN__URL", "http://127.0.0.1:1"),
        ("PORTCULLIS__SITES__0__ORIGIN__HEADERS__X_ORIGIN_SECRET", "abc"),
    ]
    .into_iter()
    .collect();
    let settings = Settings::load(None, &environment).unwrap();
    let OriginSettings::Custom(custom) = &settings.sites[0].origin else {
        panic!("{:?}", settings.sites[0].origin)
    };
    assert_eq!(custom.headers[0].0, "x-origin-secret");
}

#[test]
fn a_misspelt_variable_is_an_unknown_key() {
    let attempt = Attempt::new().with_variable("PORTCULLIS__SHUTDOWN__DRIAN", "1s");
    let error = attempt.load("config.toml", &with_origin(DIRECTORY)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "shutdown.drian: found an unknown key, expected `drain`, which it resembles"
    );
}

#[test]
fn a_gap_in_list_variables_is_a_problem() {
    let attempt = Attempt::new().with_variable("PORTCULLIS__SITES__7__NAME", "x");
    let error = attempt.load("config.toml", &with_origin(DIRECTORY)).unwrap_err();
    assert!(error.to_string().contains("PORTCULLIS__SITES__7__NAME"), "{error}");
}

#[test]
fn variables_in_texts_are_expanded() {
    let attempt = Attempt::new().with_variable("ORIGIN", "http://127.0.0.1:7");
    let settings = attempt
        .load(
            "config.toml",
            &with_origin("name = \"${NAME:-none}$${x}\"\norigin = { kind = \"custom\", url = \"${ORIGIN}\" }"),
        )
        .unwrap();
    assert_eq!(settings.sites[0].name, "none${x}");
    let error = load(&with_origin("origin = { kind = \"custom\", url = \"${NOT_SET}\" }")).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("sites[0].origin.url: found `${NOT_SET}`, which is not set"),
        "{error}"
    );
}

#[test]
fn secrets_come_from_files_without_the_newline_at_their_end() {
    let origin = "origin = { kind = \"s3\", bucket = \"b\", access_key_id = \"a\", secret_access_key_file = \"key\" }";
    let settings = Attempt::new()
        .with_file("key", "hunter2\n")
        .load("config.toml", &with_origin(origin))
        .unwrap();
    let OriginSettings::S3(s3) = &settings.sites[0].origin else {
        panic!("{:?}", settings.sites[0].origin)
    };
    let credentials = s3.credentials.as_ref().unwrap();
    assert_eq!(credentials.secret_access_key.expose(), "hunter2");
}

#[test]
fn a_secret_is_given_once_and_its_file_exists() {
    let both = "origin = { kind = \"s3\", bucket = \"b\", access_key_id = \"a\", secret_access_key = \"x\", \
                secret_access_key_file = \"key\" }";
    assert!(problems(&with_origin(both))[0].contains("one of the two"));
    let gone = "origin = { kind = \"s3\", bucket = \"b\", access_key_id = \"a\", secret_access_key_file = \"key\" }";
    assert!(problems(&with_origin(gone))[0].contains("cannot be read"));
}

#[test]
fn secrets_are_masked_when_the_configuration_is_shown() {
    let origin = "origin = { kind = \"s3\", bucket = \"b\", access_key_id = \"a\", secret_access_key = \"hunter2\" }";
    let settings = load(&with_origin(origin)).unwrap();
    let shown = settings.to_toml();
    assert!(shown.contains("secret_access_key = \"(secret)\""), "{shown}");
    assert!(!shown.contains("hunter2") && !settings.to_json().to_string().contains("hunter2"));
    assert!(!format!("{settings:?}").contains("hunter2"));
}

#[test]
fn two_sites_cannot_share_a_host() {
    let second = "[[sites]]\nhosts = [\"LOCALHOST\"]\nname = \"two\"\nauth = { insecure_auth_off = true }\n";
    let found = problems(&format!("{}{second}{DIRECTORY}", with_origin(DIRECTORY)));
    assert_eq!(
        found,
        ["sites[1].hosts[0]: found \"localhost\" again, expected a host of this site alone"]
    );
}

#[test]
fn https_needs_a_certificate() {
    let found = problems(&with_origin(DIRECTORY).replace("http =", "https ="));
    assert!(found[0].starts_with("listen.tls: found nothing"), "{found:?}");
}

#[test]
fn an_empty_server_name_is_refused_since_it_would_switch_verification_off() {
    let found = problems(&with_origin(
        "origin = { kind = \"custom\", url = \"https://a.example\", sni = \"\" }",
    ));
    assert!(found[0].starts_with("sites[0].origin.sni"), "{found:?}");
}

#[test]
fn a_cache_is_off_by_default_inherited_by_behaviours_and_bounded() {
    let origin = "origin = { kind = \"custom\", url = \"http://127.0.0.1:1\" }\n";
    let plain = load(&with_origin(origin)).unwrap();
    assert!(plain.sites[0].default.cache.is_none());
    assert_eq!(plain.sites[0].default.compress, Compression::Off);
    assert_eq!(plain.cache_bytes, 256 << 20);
    let more = "[sites.cache]\nenabled = true\nmax_ttl = \"1h\"\n[[sites.behaviours]]\npath = \"/a\"\n\
                compress = \"edge\"\ncache = { query = \"none\" }\n[[sites.behaviours]]\npath = \"/b\"\n\
                cache = { enabled = false }\n";
    let site = &load(&with_origin(&format!("{origin}{more}"))).unwrap().sites[0];
    let hour = std::time::Duration::from_secs(3600);
    let cache = site.default.cache.unwrap();
    assert_eq!(
        (cache.default_ttl, cache.max_ttl, cache.query),
        (hour, hour, CachedQuery::All)
    );
    let behaviour = &site.behaviours[0].settings;
    assert_eq!(behaviour.compress, Compression::Edge);
    assert_eq!(
        behaviour.cache,
        Some(CacheSettings {
            query: CachedQuery::None,
            ..cache
        })
    );
    assert!(site.behaviours[1].settings.cache.is_none());
    for (keys, named) in [
        ("max_object_bytes = \"33MiB\"", "max_object_bytes"),
        ("min_ttl = \"2h\"\ndefault_ttl = \"1h\"", "default_ttl"),
        ("query = \"some\"", "query"),
        ("ttl = \"1h\"", "ttl"),
    ] {
        let found = problems(&with_origin(&format!(
            "{origin}[sites.cache]\nenabled = true\n{keys}\n"
        )));
        assert!(found.len() == 1 && found[0].contains(named), "{found:?}");
    }
    let folder = problems(&with_origin(&format!("{DIRECTORY}[sites.cache]\nenabled = true\n")));
    assert!(folder.len() == 1 && folder[0].contains("cache.enabled"), "{folder:?}");
}
