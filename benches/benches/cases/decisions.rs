//! Decisions about protected paths, each with a browser's 4.5 KB of cookies.

use std::hint::black_box;

use auth_core::{Authenticator, Reason, Step, UnixTime, doors};
use benches::{NOW, SystemEntropy, cookie_header, enhanced_site, get, id_token, site};

use super::Case;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        known_session("decide/known_session", site(1_000)),
        known_session("decide/known_session_enhanced", enhanced_site(1_000)),
        first_seen_session("decide/first_seen_session", site),
        first_seen_session("decide/first_seen_session_enhanced", enhanced_site),
        expired_session(),
        no_session(),
        cookies(),
    ]
}

/// Decides, and checks why.
fn decide(auth: &Authenticator, cookies: &str, now: UnixTime, expected: Reason) {
    let step = auth.begin(&get(black_box(&[cookies])), now, &mut SystemEntropy);
    match black_box(step) {
        Step::Decided(decision) => assert_eq!(decision.reason(), expected),
        Step::Call(_) => unreachable!("the site knows its keys"),
    }
}

fn known_session(name: &'static str, auth: Authenticator) -> Case {
    let cookies = cookie_header(&id_token(0));
    decide(&auth, &cookies, NOW, Reason::SessionVerified);
    Case::new(name, move || decide(&auth, &cookies, NOW, Reason::SessionKnown))
}

/// A token that the site has not verified before. When all have been, a new site takes over: what forgetting the
/// old one's tokens takes counts as well.
fn first_seen_session(name: &'static str, site: fn(usize) -> Authenticator) -> Case {
    let cookies: Vec<String> = super::tokens().iter().map(|token| cookie_header(token)).collect();
    let (mut auth, mut next) = (site(cookies.len()), 0);
    Case::new(name, move || {
        if next == cookies.len() {
            (auth, next) = (Authenticator::new(auth.config().clone(), auth.capabilities()), 0);
        }
        decide(&auth, &cookies[next], NOW, Reason::SessionVerified);
        next += 1;
    })
}

/// A session that was known until its token expired: sent to refresh it.
fn expired_session() -> Case {
    let (auth, cookies) = (site(1_000), cookie_header(&id_token(0)));
    decide(&auth, &cookies, NOW, Reason::SessionVerified);
    let later = UnixTime::from_secs(NOW.as_secs() + 7_200);
    Case::new("decide/expired_session", move || {
        decide(&auth, &cookies, later, Reason::SessionExpired)
    })
}

/// Nobody yet: sent to sign in, with state, nonce and code challenge.
fn no_session() -> Case {
    let auth = site(1_000);
    Case::new("decide/no_session", move || {
        decide(&auth, "theme=dark", NOW, Reason::SessionAbsent)
    })
}

/// Finding the id token in all those cookies, and nothing more.
fn cookies() -> Case {
    let auth = site(16);
    let cookies = cookie_header(&id_token(0));
    Case::new("cookies/id_token_in_4_5_kb", move || {
        let found = doors::id_token(auth.config(), black_box(&[cookies.as_str()])).map(|token| token.len());
        assert!(black_box(found).is_some());
    })
}
