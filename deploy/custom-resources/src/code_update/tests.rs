use edge_adapter::Role;
use serde_json::{Value, json};

use super::*;
use crate::{event::tests::event, properties::tests::properties};

const FUNCTION: &str = "arn:aws:lambda:us-east-1:111122223333:function:check";
const PACKAGE: &str = "arn:aws:lambda:eu-west-1:111122223333:function:check";

fn parameters() -> Value {
    json!({
        "UserPoolArn": "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_Ab12Cd34E",
        "Jwks": "{\"keys\":[]}", "UserPoolClientId": "client", "UserPoolClientSecret": "",
        "OAuthScopes": ["openid", "email"], "UserPoolAuthDomain": "auth.example.com",
        "RedirectPathSignIn": "/parseauth", "RedirectPathSignOut": "/", "SignOutUrl": "/signout",
        "RedirectPathAuthRefresh": "/refreshauth", "CookieSettings": "{\"idToken\": null}",
        "EnableSPAMode": "true", "HttpHeaders": "{\"X-B\": \"1\", \"X-A\": \"2\"}", "LogLevel": "none",
        "NonceSigningSecret": "hunter2hunter2hunter2", "CookieCompatibility": "amplify",
        "AdditionalCookies": "{}", "UserPoolGroupName": "", "Profile": "reference",
    })
}

fn configuration(changes: Value) -> Result<Configuration, Problem> {
    let mut parameters = parameters();
    for (name, value) in changes.as_object().unwrap() {
        parameters[name] = value.clone();
    }
    Configuration::of(&properties(json!({"Parameters": parameters})))
}

fn file(role: Role) -> String {
    let text = configuration(json!({})).unwrap().for_role(role).unwrap();
    String::from_utf8(text).unwrap()
}

#[test]
fn parameters_become_the_references_file() {
    let json: Value = serde_json::from_str(&file(Role::CheckAuth)).unwrap();
    assert_eq!(json["mode"], "spaMode");
    assert_eq!(json["oauthScopes"], json!(["openid", "email"]));
    assert_eq!(json["cookieSettings"], json!({"idToken": null}));
    assert_eq!(json["jwks"], json!({"keys": []}));
    assert_eq!(json.get("requiredGroup"), None);
}

#[test]
fn headers_keep_their_order_and_other_functions_get_no_secret() {
    assert_eq!(
        file(Role::HttpHeaders),
        r#"{"httpHeaders":{"X-B": "1", "X-A": "2"},"logLevel":"none"}"#
    );
    assert_eq!(file(Role::RewriteTrailingSlash), r#"{"logLevel":"none"}"#);
}

#[test]
fn the_enhanced_profile_brings_its_settings_and_the_other_one_none() {
    let of = |changes: Value| {
        let file = configuration(changes).unwrap().for_role(Role::CheckAuth).unwrap();
        serde_json::from_slice::<Value>(&file).unwrap()
    };
    let reference = of(json!({"Enhancements": "{}"}));
    assert_eq!(
        (&reference["profile"], reference.get("enhancements")),
        (&json!("reference"), None)
    );
    let enhanced = of(json!({"Profile": "enhanced", "Enhancements": "{ }"}));
    assert_eq!(
        (&enhanced["profile"], &enhanced["enhancements"]),
        (&json!("enhanced"), &json!({}))
    );
    let problem = configuration(json!({"Profile": "enhanced", "Enhancements": "{\"x\": 1}"})).unwrap_err();
    assert!(
        problem.to_string().contains("Enhancements.x: found an unknown key"),
        "{problem}"
    );
}

/// A pool that lets in people of other providers is known as one, and its operator hears of it.
#[test]
fn pain_16_a_client_with_other_identity_providers_is_said_to_have_them_unless_the_settings_say_so_themselves() {
    let enhanced = |settings: &str| configuration(json!({"Profile": "enhanced", "Enhancements": settings})).unwrap();
    let asks = |of: &Configuration| of.asks_about().map(|client| client.id.clone());
    assert_eq!(asks(&configuration(json!({})).unwrap()), None);
    for settings in ["{\"federated\": true}", "{\"federated\": false}"] {
        assert_eq!(asks(&enhanced(settings)), None);
    }
    for (settings, warned) in [
        ("{}", true),
        (
            "{\"rules\": [{\"paths\": [\"/**\"], \"require\": {\"groups\": [\"g\"]}}]}",
            false,
        ),
    ] {
        let plain = enhanced(settings);
        assert_eq!(asks(&plain).as_deref(), Some("client"));
        let is_open = |of: &Configuration| {
            let warnings = of.warnings().unwrap();
            warnings.iter().any(|warning| warning.contains("identity providers"))
        };
        assert!(!is_open(&plain));
        let federated = plain.federated();
        assert_eq!(is_open(&federated), warned, "{settings}");
        let file = federated.for_role(Role::CheckAuth).unwrap();
        let file: Value = serde_json::from_slice(&file).unwrap();
        assert_eq!(file["enhancements"]["federated"], true);
    }
    let text = json!({"LambdaFunction": FUNCTION, "Configuration": "{}"});
    assert_eq!(Configuration::of(&properties(text)).unwrap().warnings(), None);
}

/// T-STACK-5
#[test]
fn a_wrong_parameter_is_named() {
    for (name, value, expected) in [
        ("HttpHeaders", "{\"X\": 1}", "HttpHeaders.X: found 1, expected a string"),
        (
            "HttpHeaders",
            "{X: 1}",
            "HttpHeaders: found no JSON (line 1, column 2), expected a JSON object",
        ),
        (
            "HttpHeaders",
            "[]",
            "HttpHeaders: found a list, expected an object of strings, or null",
        ),
        (
            "HttpHeaders",
            "{\"X-Cache\": \"a\"}",
            "HttpHeaders.X-Cache: found a header that functions at the edge may not set",
        ),
        (
            "CookieSettings",
            "{\"idtoken\": null}",
            "CookieSettings.idtoken: found an unknown key, expected a known key (did you mean idToken?)",
        ),
        ("CookieSettings", "{", "CookieSettings: found no JSON"),
        ("AdditionalCookies", "{\"a\": null}", "AdditionalCookies.a: found null"),
        ("AdditionalCookies", "nonsense", "AdditionalCookies: found no JSON"),
        (
            "UserPoolAuthDomain",
            "https://auth.example.com",
            "UserPoolAuthDomain: found",
        ),
        ("RedirectPathSignIn", "parseauth", "RedirectPathSignIn: found"),
        (
            "SignOutUrl",
            "/parseauth",
            "RedirectPathSignIn, RedirectPathAuthRefresh, SignOutUrl: found the same path twice",
        ),
        (
            "EnableSPAMode",
            "yes",
            "EnableSPAMode: found \"yes\", expected true or false",
        ),
        ("LogLevel", "loud", "LogLevel: found"),
        (
            "UserPoolClientId",
            "",
            "UserPoolClientId: found nothing, expected a string",
        ),
        ("NonceSigningSecret", "", "NonceSigningSecret: found nothing"),
        ("Jwks", "7", "Jwks: found a number"),
        ("Profile", "wild", "Profile: found"),
        ("Enhancements", "{\"x\": 1}", "Enhancements: found"),
    ] {
        let problem = configuration(json!({name: value})).unwrap_err().to_string();
        assert!(problem.starts_with(expected), "{name} = {value}: {problem}");
    }
}

#[test]
fn all_wrong_parameters_are_named_at_once() {
    let problem = configuration(json!({"HttpHeaders": "{", "CookieSettings": "x"}))
        .unwrap_err()
        .to_string();
    assert_eq!(problem.lines().count(), 2, "{problem}");
    let wrong = json!({"HttpHeaders": "{\"X\": 1}", "CookieSettings": "{\"a\": 1}"});
    let problem = configuration(wrong).unwrap_err().to_string();
    assert!(
        problem.contains("HttpHeaders.X") && problem.contains("CookieSettings.a"),
        "{problem}"
    );
}

/// T-STACK-1
#[test]
fn no_secret_shows_in_a_problem_or_a_debug_form() {
    let problem = configuration(json!({"HttpHeaders": "hunter2", "CookieSettings": "{\"nonce\": hunter2}"}));
    assert!(!problem.unwrap_err().to_string().contains("hunter2"));
    let properties = json!({"Functions": {"C": FUNCTION}, "Parameters": parameters()});
    let plan = plan(&event("Create", properties, json!({}))).unwrap();
    assert!(!format!("{plan:?}").contains("hunter2"));
}

#[test]
fn each_function_gets_the_package_of_the_stacks_region() {
    let properties = json!({
        "Functions": {"CheckAuthHandler": FUNCTION, "SignOutHandler": FUNCTION},
        "Packages": {"CheckAuthHandler": PACKAGE},
        "Parameters": parameters(),
    });
    let Plan::Publish {
        targets, physical_id, ..
    } = plan(&event("Create", properties, json!({}))).unwrap()
    else {
        panic!("not published");
    };
    assert_eq!(physical_id, "Thing/versions");
    let seen: Vec<_> = targets
        .iter()
        .map(|t| (t.name.as_deref().unwrap(), t.package.region.as_str()))
        .collect();
    assert_eq!(
        seen,
        [("CheckAuthHandler", "eu-west-1"), ("SignOutHandler", "us-east-1")]
    );
}

#[test]
fn the_references_form_with_one_function_is_understood() {
    let text = r#"{"httpHeaders":{"X":"1"},"logLevel":"none"}"#;
    let properties = json!({"LambdaFunction": FUNCTION, "Configuration": text});
    let Plan::Publish {
        targets, configuration, ..
    } = plan(&event("Update", properties, json!({}))).unwrap()
    else {
        panic!("not published");
    };
    assert_eq!((targets.len(), targets[0].name.as_deref()), (1, None));
    assert_eq!(configuration.for_role(Role::HttpHeaders).unwrap(), text.as_bytes());
    assert!(configuration.for_role(Role::CheckAuth).is_err());
}

#[test]
fn a_deletion_deletes_the_functions_it_is_told_to_and_no_others() {
    let functions = |properties: Value| match plan(&event("Delete", properties, json!({}))).unwrap() {
        Plan::Delete { functions, physical_id } => {
            assert_eq!(physical_id, "physical");
            functions.into_iter().map(|function| function.arn).collect::<Vec<_>>()
        }
        Plan::Publish { .. } => panic!("published"),
    };
    assert_eq!(
        functions(json!({"DeleteFunctions": [FUNCTION, PACKAGE]})),
        [FUNCTION, PACKAGE]
    );
    assert_eq!(functions(json!({"LambdaFunction": FUNCTION})), Vec::<String>::new());
}

#[test]
fn wrong_properties_are_named() {
    for (name, value) in [
        ("Functions", json!({"C": "check"})),
        ("Functions", json!("check")),
        ("Packages", json!({"C": "check"})),
        ("Parameters", json!("x")),
    ] {
        let mut properties = json!({"Functions": {"C": FUNCTION}, "Parameters": parameters()});
        properties[name] = value;
        let problem = plan(&event("Create", properties, json!({}))).unwrap_err();
        assert!(problem.to_string().starts_with(name), "{problem}");
    }
    let problem = plan(&event("Create", json!({}), json!({}))).unwrap_err();
    assert!(problem.to_string().starts_with("LambdaFunction"), "{problem}");
}
