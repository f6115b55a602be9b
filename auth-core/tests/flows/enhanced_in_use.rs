//! Idle sessions where no cookie can be set on what is forwarded (T-SESS-2): use is written down on a way round.

use auth_core::{Authenticator, Capabilities, Config, Decision, Reason, Response, Step, UnixTime, json::Json};
use serde_json::{Value, json};

use crate::{
    browser::NAVIGATION,
    fixture::{NOW, Rng, config, forward, json_reply, response, token},
    jar::{Jar, all_set_cookies},
};

const SCRIPT: &[(&str, &str)] = &[("sec-fetch-mode", "cors"), ("accept", "*/*")];

fn edge(enhancements: Value) -> Authenticator {
    let mut all = config(json!({"profile": "enhanced", "enhancements": enhancements}));
    all["enhancements"]["sessionLifetime"] = json!({"idleSecs": 900});
    let json = Json::parse(all.to_string().as_bytes()).unwrap();
    Authenticator::new(Config::from_json(&json).unwrap(), Capabilities::EDGE)
}

fn after(secs: i64) -> UnixTime {
    UnixTime::from_secs(NOW.as_secs() + secs)
}

fn signed_in(auth: &Authenticator) -> Jar {
    let mut jar = Jar::at("site.example");
    let claims = json!({"auth_time": NOW.as_secs(), "exp": NOW.as_secs() + 86_400});
    assert_eq!(jar.sign_in(auth, claims, NOW).reason, Reason::SignedIn);
    jar
}

/// Follows redirects within the site, as a browser does; the answers on the way, and whether it arrived.
fn go(jar: &mut Jar, auth: &Authenticator, target: &str, now: UnixTime) -> (Vec<Response>, bool) {
    let mut target = target.to_owned();
    let mut answers = Vec::new();
    for _ in 0..6 {
        let answer = match jar.ask(auth, &target, NAVIGATION, now) {
            Step::Decided(Decision::Forward(passed)) => {
                assert_eq!(passed.response_cookies, Vec::<String>::new());
                return (answers, true);
            }
            Step::Decided(Decision::Respond(answer)) => answer,
            Step::Call(pending) => panic!("{pending:?}"),
        };
        jar.keep(target.split('?').next().unwrap(), &all_set_cookies(&answer));
        let next = answer.headers.first("location").map(str::to_owned);
        answers.push(answer);
        match next
            .as_deref()
            .and_then(|next| next.strip_prefix("https://site.example"))
        {
            Some(next) => target = next.to_owned(),
            None => return (answers, false),
        }
    }
    panic!("goes on and on: {answers:?}");
}

#[test]
fn t_sess_2_use_at_the_edge_is_noted_by_a_way_round_that_ends_where_it_began() {
    for settings in [json!({}), json!({"sealedSession": true})] {
        let auth = edge(settings);
        let mut jar = signed_in(&auth);
        assert!(matches!(go(&mut jar, &auth, "/a", after(224)), (answers, true) if answers.is_empty()));
        let (answers, arrived) = go(&mut jar, &auth, "/a%2Fb?c=%2f&d+e", after(225));
        assert!(arrived);
        let reasons: Vec<Reason> = answers.iter().map(|answer| answer.reason).collect();
        assert_eq!(reasons, [Reason::SessionUsed, Reason::SessionUsed]);
        assert_eq!(
            answers[1].headers.first("location"),
            Some("https://site.example/a%2Fb?c=%2f&d+e")
        );
        // As often as need be: the session goes on for as long as it is used.
        for round in 1..20 {
            jar.kept.retain(|kept| !kept.name.ends_with("-noting"));
            let (_, arrived) = go(&mut jar, &auth, "/", after(225 + 600 * round));
            assert!(arrived, "{round}");
        }
        jar.kept.retain(|kept| !kept.name.ends_with("-noting"));
        let (answers, arrived) = go(&mut jar, &auth, "/", after(225 + 600 * 19 + 900));
        assert!(!arrived);
        assert_eq!(answers[0].reason, Reason::SessionIdle);
    }
}

#[test]
fn t_sess_2_a_script_is_never_sent_round_and_never_outlives_the_limit() {
    let auth = edge(json!({}));
    let jar = signed_in(&auth);
    assert_eq!(
        forward(jar.ask(&auth, "/data", SCRIPT, after(899))).reason,
        Reason::SessionKnown
    );
    let told = response(jar.ask(&auth, "/data", SCRIPT, after(900)));
    assert_eq!((told.status, told.reason), (401, Reason::SessionIdle));
}

/// A browser, or a program that names itself one, that sends the same cookies whatever is set.
#[test]
fn t_sess_2_a_browser_that_keeps_no_cookies_ends_in_a_page_and_not_in_a_circle() {
    for settings in [json!({}), json!({"sealedSession": true})] {
        let auth = edge(settings);
        let jar = signed_in(&auth);
        let sent = response(jar.ask(&auth, "/a?b", NAVIGATION, after(400)));
        let target = sent.headers.first("location").unwrap();
        let target = target.strip_prefix("https://site.example").unwrap();
        let page = response(jar.ask(&auth, target, NAVIGATION, after(400)));
        assert_eq!((page.status, page.reason), (429, Reason::LoopCookies));
        assert!(page.body.contains("href=\"https://site.example/a?b\""), "{}", page.body);
    }
}

/// One that keeps the marker and nothing else is let through until its session is over.
#[test]
fn t_sess_2_a_note_that_does_not_stay_costs_one_way_round_and_no_more() {
    let auth = edge(json!({}));
    let mut jar = signed_in(&auth);
    let note = jar.one("-seen").clone();
    let (answers, arrived) = go(&mut jar, &auth, "/", after(400));
    assert!(arrived && answers.len() == 2);
    for kept in &mut jar.kept {
        if kept.name == note.name {
            kept.value.clone_from(&note.value);
        }
    }
    let (answers, arrived) = go(&mut jar, &auth, "/", after(400));
    assert!(arrived && answers.is_empty());
}

#[test]
fn t_sess_2_the_path_revives_no_session_and_leads_nowhere_else() {
    let auth = edge(json!({}));
    let mut jar = signed_in(&auth);
    let marker = "__Host-portcullis-noting=1; Path=/; Secure";
    for return_to in [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "evil.example",
        "/a\r\nb",
    ] {
        jar.set("site.example", "/", marker);
        let query: String = return_to.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let answer = response(jar.ask(
            &auth,
            &format!("/_portcullis/in-use?return_to={query}"),
            NAVIGATION,
            after(1000),
        ));
        assert_eq!(answer.reason, Reason::SessionUsed);
        assert_eq!(all_set_cookies(&answer), Vec::<String>::new());
        let location = answer.headers.first("location").unwrap();
        assert!(location.starts_with("https://site.example/"), "{location}");
    }
}

/// T-AUTHZ-2: who may not see it is told so, and not sent round first.
#[test]
fn who_may_not_pass_is_not_sent_round() {
    let auth = edge(json!({"rules": [{"paths": ["/**"], "require": {"groups": ["nobody"]}}]}));
    let jar = signed_in(&auth);
    let answer = response(jar.ask(&auth, "/", NAVIGATION, after(400)));
    assert_eq!(answer.status, 403);
}

#[test]
fn a_post_is_not_sent_round() {
    let auth = edge(json!({}));
    let jar = signed_in(&auth);
    let cookies = jar.cookies("/");
    let asking = crate::fixture::Asking {
        method: "POST",
        target: "/form",
        cookies: &[&cookies],
        fields: NAVIGATION,
    };
    let step = crate::fixture::ask(&auth, &asking, after(400));
    assert_eq!(forward(step).reason, Reason::SessionKnown);
}

/// A renewal on the way round by the refresh path is no use of a session that has lain idle.
#[test]
fn t_sess_2_the_refresh_path_revives_no_idle_session() {
    for capabilities in [Capabilities::EDGE, Capabilities::PROXY] {
        let mut all = config(json!({"profile": "enhanced"}));
        all["enhancements"] = json!({"sealedSession": true, "sessionLifetime": {"idleSecs": 900}});
        let json = Json::parse(all.to_string().as_bytes()).unwrap();
        let auth = Authenticator::new(Config::from_json(&json).unwrap(), capabilities);
        let mut jar = signed_in(&auth);
        jar.set("site.example", "/", "spa-auth-edge-refresh=tried; Path=/; Secure");
        let Step::Call(pending) = jar.ask(&auth, "/refreshauth?requestedUri=%2F", NAVIGATION, after(1000)) else {
            panic!("no call");
        };
        let fresh = token(json!({"auth_time": NOW.as_secs(), "exp": NOW.as_secs() + 90_000}));
        let reply = json_reply(&json!({"id_token": fresh, "access_token": "a"}));
        let back = response(pending.resume(Ok(reply), after(1000), &mut Rng));
        assert_eq!(back.reason, Reason::Refreshed);
        jar.keep("/refreshauth", &all_set_cookies(&back));
        let answer = response(jar.ask(&auth, "/", NAVIGATION, after(1000)));
        assert_eq!(answer.reason, Reason::SessionIdle);
    }
}
