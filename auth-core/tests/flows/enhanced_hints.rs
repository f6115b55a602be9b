//! Parameters for the identity provider, configured and by link; several pools and clients beside each other.

use auth_core::{Authenticator, Capabilities, Config, HttpReply, Reason, Step, json::Json};
use serde_json::{Value, json};

use crate::{
    browser::{Browser, callback, sent_to, tokens_for},
    fixture::{NOW, Rng, config, json_reply, reason, response, site},
};

fn hinting(parameters: Value) -> Authenticator {
    site(json!({"profile": "enhanced", "enhancements": {"authorizeParameters": parameters}}))
}

fn location(answer: &auth_core::Response) -> String {
    answer.headers.first("location").unwrap_or_default().to_owned()
}

#[test]
fn pain_19_everybody_is_sent_to_the_configured_provider_and_a_link_may_choose_among_what_it_may() {
    let auth = hinting(json!({
        "fixed": {"identity_provider": "Corp & Co", "lang": "de"}, "allowed": ["login_hint", "lang"]
    }));
    let mut browser = Browser::default();
    let page = browser.navigate(&auth, "/page", NOW);
    assert!(
        location(&page).ends_with("&identity_provider=Corp%20%26%20Co&lang=de"),
        "{page:?}"
    );
    let link = "/_portcullis/sign-in?login_hint=jane%40example.com&lang=fr&identity_provider=Evil&scope=all";
    let linked = browser.navigate(&auth, link, NOW);
    assert_eq!((linked.status, linked.reason), (302, Reason::SignInAsked));
    assert!(
        location(&linked).ends_with("&identity_provider=Corp%20%26%20Co&login_hint=jane%40example.com&lang=fr"),
        "{linked:?}"
    );
    assert_eq!(sent_to(&linked, "scope"), "openid");
}

/// T-REDIR-1
#[test]
fn pain_19_a_link_names_where_to_return_to_on_this_host_alone() {
    let auth = hinting(json!({}));
    for (return_to, end) in [
        ("%2Freport%3Fa%3D1%26b%3D%252F", "https://site.example/report?a=1&b=%2F"),
        ("%2F%2Fevil.example", "https://site.example/"),
        ("https%3A%2F%2Fevil.example", "https://site.example/"),
        ("%2F%5Cevil.example", "https://site.example/"),
        ("%2F%0D%0ASet-Cookie:%20a=b", "https://site.example/"),
    ] {
        let mut browser = Browser::default();
        let begun = browser.navigate(&auth, &format!("/_portcullis/sign-in?return_to={return_to}"), NOW);
        let reply = tokens_for(&begun, json!({}));
        let done = browser.come_back(&auth, &callback(&begun), reply, NOW);
        assert_eq!(
            (done.reason, location(&done).as_str()),
            (Reason::SignedIn, end),
            "{return_to}"
        );
    }
}

#[test]
fn a_script_that_asks_for_the_start_of_a_sign_in_is_not_redirected() {
    let auth = hinting(json!({}));
    let fields = [("sec-fetch-mode", "cors")];
    let step = Browser::default().ask(&auth, "GET", "/_portcullis/sign-in", &fields, NOW);
    assert_eq!(reason(step), Reason::SessionAbsent);
}

#[test]
fn parameters_of_the_protocol_itself_cannot_be_set() {
    for parameters in [
        json!({"fixed": {"redirect_uri": "https://evil.example"}}),
        json!({"allowed": ["state"]}),
        json!({"allowed": [""]}),
        json!({"fixed": {"lang": 1}}),
        json!({"other": {}}),
    ] {
        let whole = config(json!({"profile": "enhanced", "enhancements": {"authorizeParameters": parameters}}));
        let error = Config::from_json(&Json::parse(whole.to_string().as_bytes()).unwrap()).unwrap_err();
        assert!(
            error.to_string().starts_with("enhancements.authorizeParameters."),
            "{error}"
        );
    }
}

#[test]
fn a_provider_that_everybody_is_sent_to_calls_for_a_rule() {
    let warnings = |parameters: Value| hinting(parameters).config().warnings().join("; ");
    assert!(warnings(json!({"fixed": {"identity_provider": "Google"}})).contains("no rule narrows"));
    assert!(!warnings(json!({"fixed": {"identity_provider": "COGNITO"}})).contains("no rule narrows"));
}

/// T-CSRF-2: two pools, or two clients of one pool, whose sites share a secret and even a host.
#[test]
fn pain_14_a_session_or_a_sign_in_of_one_client_or_pool_is_worth_nothing_at_another() {
    let here = hinting(json!({}));
    let others = [
        json!({"clientId": "another", "profile": "enhanced"}),
        json!({
            "userPoolArn": "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_Other0001",
            "profile": "enhanced"
        }),
    ];
    for other in others {
        let json = Json::parse(config(other).to_string().as_bytes()).unwrap();
        let there = Authenticator::new(Config::from_json(&json).unwrap(), Capabilities::PROXY);
        let mut browser = Browser::default();
        let begun = browser.navigate(&here, "/secret", NOW);
        let lost = browser.clone().navigate(&there, &callback(&begun), NOW);
        assert_eq!(lost.reason, Reason::SignInRestarted, "{lost:?}");
        let done = browser.come_back(&here, &callback(&begun), tokens_for(&begun, json!({})), NOW);
        assert_eq!(done.reason, Reason::SignedIn);
        // The refresh token may be tried; to the other client's provider it is nobody's.
        let Step::Call(pending) = browser.ask(&there, "GET", "/secret", &[("sec-fetch-mode", "cors")], NOW) else {
            panic!("the id token is another's")
        };
        let refused = HttpReply {
            status: 400,
            ..json_reply(&json!({"error": "invalid_grant"}))
        };
        let answer = response(pending.resume(Ok(refused), NOW, &mut Rng));
        assert_eq!((answer.status, answer.reason), (401, Reason::RefreshTokenRejected));
    }
}
