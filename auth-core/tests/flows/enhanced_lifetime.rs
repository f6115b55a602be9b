//! Sessions that have lasted or lain idle long enough (T-SESS-2), whatever their tokens say.

use auth_core::{Authenticator, Capabilities, Reason, UnixTime};
use serde_json::{Value, json};

use crate::{
    enhanced_renewal::{answer, cookies_of, enhanced, enhanced_at, page, reply, script},
    fixture::{NOW, ask, forward, response, token},
};

const HOUR: i64 = 3600;

fn after(secs: i64) -> UnixTime {
    UnixTime::from_secs(NOW.as_secs() + secs)
}

/// An id token of a session that began so long ago.
fn begun(secs_ago: i64, more: Value) -> String {
    let mut claims = json!({"auth_time": NOW.as_secs() - secs_ago, "exp": NOW.as_secs() + 10 * HOUR});
    for (name, value) in more.as_object().unwrap() {
        claims[name] = value.clone();
    }
    token(claims)
}

fn seen(cookies: &[String]) -> Option<String> {
    let found = cookies
        .iter()
        .find(|cookie| cookie.starts_with("__Host-portcullis-seen="))?;
    Some(found.split(';').next().unwrap().to_owned())
}

fn cookie(id: &str) -> String {
    format!("ID-TOKEN={id}; REFRESH-TOKEN=r")
}

#[test]
fn t_sess_2_an_old_session_ends_in_one_clean_sign_in() {
    for capabilities in [Capabilities::PROXY, Capabilities::EDGE] {
        let auth = enhanced_at(
            capabilities,
            json!({"sessionLifetime": {"absoluteSecs": HOUR}}),
            json!({}),
        );
        let young = cookie(&begun(HOUR - 1, json!({})));
        assert_eq!(
            forward(ask(&auth, &page("/", &[&young]), NOW)).reason,
            Reason::SessionVerified
        );
        assert_eq!(
            forward(ask(&auth, &page("/", &[&young]), NOW)).reason,
            Reason::SessionKnown
        );
        let away = response(ask(&auth, &page("/a?b", &[&young]), after(1)));
        assert_eq!(away.reason, Reason::SessionTooOld);
        let location = away.headers.first("location").unwrap();
        assert!(location.contains("/oauth2/authorize?"), "{away:?}");
        assert!(location.ends_with("&prompt=login"), "{away:?}");
        for name in ["ID-TOKEN", "REFRESH-TOKEN"] {
            let gone = format!("{name}=; ");
            assert!(
                cookies_of(&away).iter().any(|cookie| cookie.starts_with(&gone)),
                "{away:?}"
            );
        }
        let told = response(ask(&auth, &script("/", &[&young]), after(1)));
        assert_eq!((told.status, told.reason), (401, Reason::SessionTooOld));
        assert!(told.body.contains("\"refresh_url\":null"), "{}", told.body);
    }
}

#[test]
fn t_sess_2_a_renewal_makes_no_session_younger() {
    let auth = enhanced(json!({"sessionLifetime": {"absoluteSecs": HOUR}}));
    let over = cookie(&begun(2 * HOUR, json!({"exp": NOW.as_secs() - 1})));
    let step = ask(&auth, &page("/", &[&over]), NOW);
    let away = response(answer(step, reply(&begun(2 * HOUR, json!({})))));
    assert_eq!(away.reason, Reason::SessionTooOld);
    let nobody_knows = json!({"exp": NOW.as_secs() + HOUR});
    let step = ask(&auth, &page("/", &[&over]), NOW);
    assert_eq!(
        response(answer(step, reply(&token(nobody_knows)))).reason,
        Reason::SessionTooOld
    );
}

fn idle() -> Authenticator {
    enhanced(json!({"sessionLifetime": {"idleSecs": 900}}))
}

#[test]
fn t_sess_2_an_idle_session_ends_and_one_in_use_goes_on() {
    let auth = idle();
    let id = cookie(&begun(10, json!({})));
    let first = forward(ask(&auth, &page("/", &[&id]), NOW));
    let noted = seen(&first.response_cookies).unwrap();
    let both = format!("{id}; {noted}");
    // It is not written down anew with each request.
    assert!(
        forward(ask(&auth, &page("/", &[&both]), after(59)))
            .response_cookies
            .is_empty()
    );
    let later = forward(ask(&auth, &page("/", &[&both]), after(899)));
    let noted = seen(&later.response_cookies).unwrap();
    assert_eq!(
        response(ask(&auth, &page("/", &[&both]), after(900))).reason,
        Reason::SessionIdle
    );
    let both = format!("{id}; {noted}");
    assert!(matches!(
        forward(ask(&auth, &page("/", &[&both]), after(1700))).reason,
        Reason::SessionKnown
    ));
}

#[test]
fn t_sess_2_leaving_the_note_of_use_out_or_taking_anothers_gains_nothing() {
    let auth = idle();
    let old = begun(2 * HOUR, json!({}));
    assert_eq!(
        response(ask(&auth, &page("/", &[&cookie(&old)]), NOW)).reason,
        Reason::SessionIdle
    );
    let another = forward(ask(
        &auth,
        &page("/", &[&cookie(&begun(10, json!({"sub": "mallory"})))]),
        NOW,
    ));
    let noted = seen(&another.response_cookies).unwrap();
    for note in [
        noted.clone(),
        "__Host-portcullis-seen=1795323600".to_owned(),
        format!("{noted}x"),
    ] {
        let both = format!("{}; {note}", cookie(&old));
        assert_eq!(
            response(ask(&auth, &page("/", &[&both]), NOW)).reason,
            Reason::SessionIdle,
            "{note}"
        );
    }
}

#[test]
fn t_sess_2_a_script_that_asks_by_itself_is_no_use() {
    let auth = idle();
    let id = cookie(&begun(10, json!({})));
    let told = response(ask(&auth, &script("/_portcullis/session", &[&id]), NOW));
    assert_eq!(told.status, 200);
    assert!(cookies_of(&told).is_empty(), "{told:?}");
}

#[test]
fn sealed_sessions_keep_their_times_themselves() {
    let settings = json!({"sealedSession": true, "sessionLifetime": {"idleSecs": 900}});
    let auth = enhanced(settings);
    let first = forward(ask(&auth, &page("/", &[&cookie(&begun(10, json!({})))]), NOW));
    let sealed = first
        .response_cookies
        .iter()
        .find(|cookie| cookie.starts_with("__Host-portcullis="));
    let sealed = sealed.unwrap().split(';').next().unwrap().to_owned();
    assert!(
        forward(ask(&auth, &page("/", &[&sealed]), after(30)))
            .response_cookies
            .is_empty()
    );
    let touched = forward(ask(&auth, &page("/", &[&sealed]), after(600)));
    assert!(
        touched
            .response_cookies
            .iter()
            .any(|cookie| cookie.starts_with("__Host-portcullis="))
    );
    assert!(seen(&touched.response_cookies).is_none());
    assert_eq!(
        response(ask(&auth, &page("/", &[&sealed]), after(901))).reason,
        Reason::SessionIdle
    );
}
