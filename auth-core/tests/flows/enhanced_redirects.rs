//! T-REDIR-1, T-REDIR-2, T-REDIR-5: wherever an address that leads elsewhere is put in, every answer leads to our own
//! origin or to the configured provider, as a browser's own parser reads it (WHATWG URL Standard).

use auth_core::{Authenticator, Decision, HttpReply, Response, Step};
use proptest::prelude::*;
use serde_json::{Value, json};
use url::Url;

use crate::{
    browser::{Browser, NAVIGATION, callback, tokens_for},
    fixture::{NOW, Rng, base64, json_reply, site, token},
};

const CORPUS: &str = include_str!("../attacks/redirects.txt");

fn payloads() -> Vec<String> {
    let lines = CORPUS
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("# "));
    lines.map(unescape).collect()
}

/// `\\`, `\t`, `\n`, `\r` and `\u{hex}`.
fn unescape(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('\\') {
        text.push_str(before);
        let (c, length) = match after.as_bytes()[0] {
            b't' => ('\t', 1),
            b'n' => ('\n', 1),
            b'r' => ('\r', 1),
            b'u' => {
                let end = after.find('}').unwrap();
                let code = u32::from_str_radix(&after[2..end], 16).unwrap();
                (char::from_u32(code).unwrap(), end + 1)
            }
            b'\\' => ('\\', 1),
            other => panic!("unknown escape {other} in {line}"),
        };
        text.push(c);
        rest = &after[length..];
    }
    text + rest
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn enhanced() -> Authenticator {
    site(json!({"profile": "enhanced"}))
}

/// Where a browser goes from an answer, and from the links of its page.
fn ways_out(answer: &Response) -> Vec<String> {
    let location = answer.headers.first("location").map(str::to_owned);
    let links = answer
        .body
        .split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    let unescaped = links.map(|link| {
        let link = link.replace("&quot;", "\"").replace("&#39;", "'").replace("&lt;", "<");
        link.replace("&gt;", ">").replace("&amp;", "&")
    });
    location.into_iter().chain(unescaped).collect()
}

fn check(answer: &Response, input: &str) -> Result<(), String> {
    for (name, value) in answer.headers.iter() {
        if !value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Err(format!("{input:?}: {name}: {value:?}"));
        }
    }
    let here = Url::parse("https://site.example/some/page?q").unwrap();
    for way in ways_out(answer) {
        let there = here
            .join(&way)
            .map_err(|error| format!("{input:?}: {way:?}: {error}"))?;
        let origin = there.origin().ascii_serialization();
        if origin != "https://site.example" && origin != "https://login.example" {
            return Err(format!("{input:?}: {way:?} leads to {origin}"));
        }
        // What the provider is told to send the viewer back to is ours as well.
        for (name, value) in there.query_pairs().filter(|_| origin == "https://login.example") {
            if matches!(&*name, "redirect_uri" | "logout_uri") && !value.starts_with("https://site.example/") {
                return Err(format!("{input:?}: {name}={value}"));
            }
        }
    }
    Ok(())
}

/// Everything that a browser may be made to ask with one address in it.
fn targets(payload: &str) -> Vec<String> {
    let state = base64(
        json!({"nonce": "1795323600Tabcdefghijklmnop", "requestedUri": payload})
            .to_string()
            .as_bytes(),
    );
    let value = encoded(payload);
    let mut targets = vec![
        payload.to_owned(),
        format!("/{payload}"),
        format!("/parseauth?code=c&state={state}"),
        format!("/refreshauth?nonce=n&requestedUri={value}"),
        format!("/?{payload}"),
    ];
    let own = [
        "/signout",
        "/_portcullis/sign-in",
        "/_portcullis/signed-out",
        "/_portcullis/session",
        "/_portcullis/in-use",
    ];
    let names = [
        "return_to",
        "redirect_uri",
        "logout_uri",
        "rd",
        "next",
        "target_link_uri",
    ];
    targets.extend(
        own.iter()
            .flat_map(|path| names.map(|name| format!("{path}?{name}={value}"))),
    );
    let parts = ["code", "error", "error_description", "state"];
    targets.extend(parts.map(|name| format!("/parseauth?{name}={value}")));
    targets.extend([payload, &value].map(|state| format!("/parseauth?code=c&state={state}")));
    targets
}

/// Asks, and if the answer is a sign-in goes on to its end: a page whose link is the deep link.
fn follow(auth: &Authenticator, browser: &Browser, target: &str) -> Result<(), String> {
    let mut browser = browser.clone();
    let mut step = browser.ask(auth, "GET", target, NAVIGATION, NOW);
    let answer = loop {
        step = match step {
            Step::Decided(Decision::Respond(answer)) => break answer,
            Step::Decided(Decision::Forward(_)) => return Ok(()),
            Step::Call(pending) => pending.resume(Ok(refusal("invalid_grant")), NOW, &mut Rng),
        };
    };
    check(&answer, target)?;
    browser.keep(&answer);
    let location = answer.headers.first("location").unwrap_or_default();
    if location.contains("/oauth2/authorize?") && location.contains("&nonce=") {
        check(
            &browser.come_back(auth, &callback(&answer), refusal("invalid_client"), NOW),
            target,
        )?;
    }
    Ok(())
}

fn refusal(error: &str) -> HttpReply {
    HttpReply {
        status: 400,
        ..json_reply(&json!({"error": error}))
    }
}

fn browsers() -> [Browser; 3] {
    let with = |cookies: &[(&str, Value)]| {
        let jar = cookies
            .iter()
            .map(|(name, claims)| ((*name).to_owned(), token(claims.clone())));
        Browser { jar: jar.collect() }
    };
    let mut stale = with(&[("ID-TOKEN", json!({"exp": 1}))]);
    stale.jar.insert("REFRESH-TOKEN".to_owned(), "r".to_owned());
    [Browser::default(), with(&[("ID-TOKEN", json!({}))]), stale]
}

/// T-REDIR-1
#[test]
fn pain_10_none_of_the_known_payloads_leads_away() {
    let payloads = payloads();
    assert!(payloads.len() > 500, "{}", payloads.len());
    let auth = enhanced();
    let browsers = browsers();
    let asked = payloads.iter().flat_map(|payload| targets(payload));
    let escapes: Vec<String> = asked
        .flat_map(|target| browsers.iter().map(move |browser| (browser, target.clone())))
        .filter_map(|(browser, target)| follow(&auth, browser, &target).err())
        .collect();
    assert!(
        escapes.is_empty(),
        "{} escapes: {:#?}",
        escapes.len(),
        &escapes[..escapes.len().min(5)]
    );
}

/// A sign-in that succeeds redirects by the same address as its pages link to.
#[test]
fn a_sign_in_that_succeeds_ends_at_home() {
    let auth = enhanced();
    for payload in payloads().iter().step_by(7) {
        let mut browser = Browser::default();
        let Step::Decided(Decision::Respond(sent)) = browser.ask(&auth, "GET", payload, NAVIGATION, NOW) else {
            panic!("{payload:?} passes")
        };
        browser.keep(&sent);
        if sent.status != 302 {
            continue;
        }
        let end = browser.come_back(&auth, &callback(&sent), tokens_for(&sent, json!({})), NOW);
        check(&end, payload).unwrap();
        assert!(
            end.headers
                .first("location")
                .unwrap()
                .starts_with("https://site.example/"),
            "{payload:?}"
        );
    }
}

/// T-REDIR-1: what a program is told to have its user sign in by, and where that ends.
#[test]
fn none_of_them_leads_away_by_the_sign_in_that_programs_are_told_of() {
    let auth = enhanced();
    let browser = Browser::default();
    for payload in payloads() {
        for (target, referer) in [
            (payload.clone(), String::new()),
            (format!("/{payload}"), payload.clone()),
            ("/data".to_owned(), payload.clone()),
            ("/data".to_owned(), format!("https://site.example{payload}")),
            ("/data".to_owned(), format!("https://site.example/{payload}")),
        ] {
            let mut fields = vec![("accept", "application/json")];
            if !referer.is_empty() {
                fields.push(("referer", referer.as_str()));
            }
            let Step::Decided(Decision::Respond(told)) = browser.ask(&auth, "GET", &target, &fields, NOW) else {
                panic!("{target:?} passes")
            };
            check(&told, &target).unwrap();
            let Ok(told) = serde_json::from_str::<Value>(&told.body) else {
                continue;
            };
            if let Some(url) = told["sign_in_url"].as_str() {
                let way = url.strip_prefix("https://site.example").unwrap();
                assert!(way.starts_with("/_portcullis/sign-in") && way.is_ascii(), "{way}");
                follow(&auth, &browser, way).unwrap();
            }
        }
    }
}

/// T-REDIR-1: the path that notes the use of a session leads back from where it was asked, for those who were sent
/// there and for those who were not.
#[test]
fn none_of_them_leads_away_by_the_way_round_that_notes_use() {
    let lifetime = json!({"sessionLifetime": {"idleSecs": 900}});
    let auth = site(json!({"profile": "enhanced", "enhancements": lifetime}));
    let mut sent = Browser::default();
    sent.jar.insert("__Host-portcullis-noting".to_owned(), "1".to_owned());
    for payload in payloads() {
        let target = format!("/_portcullis/in-use?return_to={}", encoded(&payload));
        for (browser, status) in [(&sent, 302), (&Browser::default(), 429)] {
            let Step::Decided(Decision::Respond(answer)) = browser.ask(&auth, "GET", &target, NAVIGATION, NOW) else {
                panic!("{payload:?} passes")
            };
            assert_eq!(answer.status, status, "{payload:?}");
            check(&answer, &payload).unwrap();
        }
    }
}

/// T-REDIR-1: the same payloads stand in the cookies that tell whose session it is.
#[test]
fn no_cookie_leads_away_either() {
    let auth = enhanced();
    for payload in payloads() {
        let mut browser = Browser::default();
        for name in [
            "__Host-portcullis-attempt-0",
            "__Host-portcullis-hops",
            "spa-auth-edge-nonce",
            "ID-TOKEN",
        ] {
            browser.jar.insert(name.to_owned(), encoded(&payload));
        }
        follow(&auth, &browser, "/deep").unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// T-REDIR-2 and T-REDIR-5: the same for whatever comes to mind.
    #[test]
    fn no_address_at_all_leads_away(payload in "[\\PC\\x00-\\x20/\\\\@:.%#?]{0,40}") {
        let auth = enhanced();
        let browsers = browsers();
        for target in targets(&payload) {
            for browser in &browsers {
                prop_assert_eq!(follow(&auth, browser, &target), Ok(()));
            }
        }
    }
}
