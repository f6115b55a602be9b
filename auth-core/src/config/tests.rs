use super::*;

const SAMPLE: &str = r#"{
    "userPoolArn": "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_Ab12Cd34E",
    "jwks": {"keys": []}, "clientId": "client", "clientSecret": "hidden", "oauthScopes": ["openid", "email"],
    "cognitoAuthDomain": "login.example", "redirectPathSignIn": "/parseauth", "redirectPathSignOut": "/",
    "redirectPathAuthRefresh": "/refreshauth", "signOutUrl": "/signout", "mode": "spaMode",
    "cookieSettings": {"idToken": null}, "cookieCompatibility": "amplify", "additionalCookies": {},
    "requiredGroup": "", "httpHeaders": {"X-A": "1"}, "logLevel": "warn",
    "nonceSigningSecret": "0123456789abcdef0123456789abcdef"
}"#;

/// The sample with one key replaced (`None`: removed).
fn sample_with(key: &str, value: Option<&str>) -> Json {
    let mut json = Json::parse(SAMPLE.as_bytes()).unwrap();
    let Json::Object(object) = &mut json else {
        unreachable!()
    };
    let value = value.map(|text| Json::parse(text.as_bytes()).unwrap());
    *object = object
        .iter()
        .filter(|(name, _)| *name != key)
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .chain(value.map(|value| (key.to_owned(), value)))
        .collect();
    json
}

fn problems(key: &str, value: Option<&str>) -> String {
    Config::from_json(&sample_with(key, value)).map_or_else(|error| error.to_string(), |_| String::new())
}

#[test]
fn the_references_file_is_accepted_as_it_is() {
    let config = Config::from_json(&Json::parse(SAMPLE.as_bytes()).unwrap()).unwrap();
    assert_eq!(config.scope, "openid email");
    assert_eq!(config.endpoints.token, "https://login.example/oauth2/token");
    assert_eq!(config.log_level(), LogLevel::Warn);
    assert_eq!(config.http_headers().iter().collect::<Vec<_>>(), [("X-A", "1")]);
    assert_eq!(config.warnings(), Vec::<String>::new());
}

#[test]
fn every_problem_is_reported_at_once() {
    let json = Json::parse(br#"{"clientId": 5, "modus": "spaMode", "cookieCompatibility": "other"}"#).unwrap();
    insta::assert_snapshot!(Config::from_json(&json).unwrap_err());
}

#[test]
fn each_key_names_what_was_found_and_what_is_accepted() {
    let rows: Vec<String> = [
        ("userPoolArn", Some(r#""eu-west-1_Ab12Cd34E""#)),
        ("clientSecret", Some("5")),
        ("oauthScopes", Some(r#"["a", 5]"#)),
        ("oauthScopes", None),
        ("cognitoAuthDomain", Some(r#""https://login.example""#)),
        ("redirectPathSignIn", Some(r#""parse""#)),
        ("signOutUrl", Some(r#""/parseauth""#)),
        ("mode", Some(r#""spa""#)),
        ("cookieSettings", Some(r#""x""#)),
        ("cookieSettings", Some(r#"{"idtoken": "x"}"#)),
        ("cookieSettings", Some(r#"{"nonce": 5}"#)),
        ("additionalCookies", Some(r#"{"a": 5}"#)),
        ("httpHeaders", None),
        ("httpHeaders", Some(r#"{"X A": "1", "X-B": "a\nb"}"#)),
        ("nonceSigningSecret", None),
        ("nonceSigningSecret", Some("5")),
        ("secretAllowedCharacters", Some(r#""""#)),
        ("pkceLength", Some("0")),
        ("nonceLength", Some("1.5")),
        ("nonceMaxAge", Some(r#""1""#)),
        ("logLevel", Some(r#""loud""#)),
        ("profile", Some(r#""other""#)),
        ("issuer", Some(r#""idp""#)),
        ("jwksUri", Some(r#""http://127.0.0.1/jwks""#)),
        ("insecureLoopbackHttp", Some(r#""yes""#)),
        ("insecureLoopbackHttp", Some("true")),
        ("jwks", Some("[]")),
        ("requiredGroup", Some("[]")),
        ("requireGroup", Some(r#""x""#)),
    ]
    .into_iter()
    .map(|(key, value)| problems(key, value))
    .collect();
    assert!(
        rows.iter().all(|row| !row.is_empty()),
        "a bad value was accepted: {rows:#?}"
    );
    insta::assert_snapshot!(rows.join("\n"));
}

#[test]
fn no_secret_shows_in_problems_or_debug_output() {
    let json = sample_with("mode", Some("5"));
    let text = format!("{:?}", Config::from_json(&json));
    let config = Config::from_json(&Json::parse(SAMPLE.as_bytes()).unwrap()).unwrap();
    for shown in [text, format!("{config:?}")] {
        assert!(
            !shown.contains("hidden") && !shown.contains("0123456789abcdef"),
            "{shown}"
        );
    }
}

#[test]
fn a_deployed_function_asks_only_for_what_it_reads() {
    let without = |key: &str, endpoint| Config::for_endpoint(endpoint, &sample_with(key, None)).is_ok();
    assert!(without("jwks", Endpoint::Protected));
    assert!(without("oauthScopes", Endpoint::SignOut));
    assert!(!without("oauthScopes", Endpoint::Protected));
    assert!(without("nonceSigningSecret", Endpoint::SignOut));
    assert!(!without("nonceSigningSecret", Endpoint::Refresh));
    for endpoint in [
        Endpoint::Protected,
        Endpoint::SignIn,
        Endpoint::Refresh,
        Endpoint::SignOut,
    ] {
        assert!(!without("userPoolArn", endpoint));
        assert!(!without("httpHeaders", endpoint));
        let odd = sample_with("cookieSettings", Some(r#"{"foo": "bar"}"#));
        assert!(Config::for_endpoint(endpoint, &odd).is_ok());
    }
}

#[test]
fn loopback_http_makes_the_hosted_ui_plain() {
    let mut json = sample_with("insecureLoopbackHttp", Some("true"));
    let Json::Object(object) = &mut json else {
        unreachable!()
    };
    object.insert(
        "cognitoAuthDomain".to_owned(),
        Json::String("auth.localhost:9000".to_owned()),
    );
    assert_eq!(
        Config::from_json(&json).unwrap().endpoints.token,
        "http://auth.localhost:9000/oauth2/token"
    );
}

#[test]
fn an_endpoint_has_its_path_in_every_encoding_and_no_similar_one() {
    let config = Config::from_json(&Json::parse(SAMPLE.as_bytes()).unwrap()).unwrap();
    for (path, endpoint) in [
        ("/parseauth", Endpoint::SignIn),
        ("/%70arseauth", Endpoint::SignIn),
        ("/refreshauth", Endpoint::Refresh),
        ("/signout", Endpoint::SignOut),
        ("/signout-x", Endpoint::Protected),
        ("/signout/", Endpoint::Protected),
        ("/Signout", Endpoint::Protected),
        ("//signout", Endpoint::Protected),
        ("/%zz", Endpoint::Protected),
        ("", Endpoint::Protected),
    ] {
        assert_eq!(config.endpoint_of(path), endpoint, "{path}");
    }
}
