use super::*;
use crate::{NoHeaders, Request, Scheme, Secret, json::Json};

const NOW: UnixTime = UnixTime::from_secs(1_795_323_600);

struct Counter(u8);

impl Entropy for Counter {
    fn fill(&mut self, out: &mut [u8]) {
        self.0 = self.0.wrapping_add(1);
        out.fill(self.0);
    }
}

fn attempts() -> Attempts {
    Attempts {
        sealer: Sealer::new([&Secret::new("s".repeat(32))], Purpose::Attempt, "site"),
        lifetime: Duration::from_secs(600),
        turn: Arc::new(AtomicU32::new(u32::MAX)),
    }
}

fn host(name: &str, scheme: Scheme) -> Host {
    Host::of(&Request {
        method: "GET",
        scheme,
        host: name,
        path: "/",
        query: "",
        cookies: &[],
        headers: &NoHeaders,
    })
}

fn pair(set_cookie: &str) -> &str {
    set_cookie.split(';').next().unwrap_or_default()
}

#[test]
fn an_attempt_is_found_by_its_state_and_nothing_of_it_is_lost() {
    let (attempts, host) = (attempts(), host("site.example", Scheme::Https));
    let (attempt, cookies) = attempts.begin(&host, Cookies::new(&[]), "/a?b=%2520+c", 1, NOW, &mut Counter(0));
    let state = AttemptState::parse(&attempt.state()).unwrap();
    let fields = [pair(&cookies[0])];
    let found = attempts.find(&host, Cookies::new(&fields), &state, NOW).ok().unwrap();
    assert_eq!(found.return_to, "/a?b=%2520+c");
    assert_eq!((found.verifier(), found.nonce()), (attempt.verifier(), attempt.nonce()));
    assert_eq!((found.generation, found.state()), (1, attempt.state()));
}

#[test]
fn verifier_nonce_and_state_are_of_constant_size_and_none_gives_away_another() {
    let (attempts, host) = (attempts(), host("site.example", Scheme::Https));
    let (attempt, _) = attempts.begin(&host, Cookies::new(&[]), "/", 0, NOW, &mut Counter(0));
    assert_eq!(attempt.verifier().len(), 43);
    assert_eq!(attempt.nonce().len(), 22);
    assert_eq!(attempt.state().len(), 32);
    let other = attempt.state().replacen('0', "1", 2);
    assert!(!other.contains(&attempt.nonce()) && !attempt.verifier().contains(&attempt.nonce()));
}

#[test]
fn the_longest_return_uris_fill_their_budget_and_longer_ones_fall_back_to_what_fits() {
    let (attempts, host) = (attempts(), host("site.example", Scheme::Https));
    for ((names, budget), length) in [(SHORT, longest(SHORT.1)), (LONG, longest(LONG.1))] {
        let uri = format!("/{}", "u".repeat(length - 1));
        let (attempt, cookies) = attempts.begin(&host, Cookies::new(&[]), &uri, 0, NOW, &mut Counter(0));
        assert!(names.contains(&attempt.id));
        assert_eq!(attempt.return_to, uri);
        let taken = pair(&cookies[0]).len() + 2;
        assert!(taken <= budget && taken + 8 > budget, "{taken} of {budget}");
    }
    let query = "q".repeat(LONG.1);
    assert_eq!(fit(&format!("/path?{query}")), ("/path".to_owned(), SHORT.0));
    assert_eq!(fit(&format!("/{query}?a")), ("/".to_owned(), SHORT.0));
    assert!(SHORT.0.len() * SHORT.1 + LONG.0.len() * LONG.1 <= 4096 - 96);
}

#[test]
fn more_than_five_attempts_drop_the_oldest_in_the_same_response() {
    let (attempts, host) = (attempts(), host("site.example", Scheme::Https));
    let mut jar: Vec<(String, String)> = Vec::new();
    let mut ids = Vec::new();
    for second in 0..20 {
        let fields: Vec<String> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        let now = UnixTime::from_secs(NOW.as_secs() + second);
        let (attempt, cookies) = attempts.begin(&host, Cookies::new(&fields), "/", 0, now, &mut Counter(second as u8));
        for cookie in &cookies {
            let (name, value) = pair(cookie).split_once('=').unwrap();
            jar.retain(|(known, _)| known != name);
            if !value.is_empty() {
                jar.push((name.to_owned(), value.to_owned()));
            }
        }
        ids.push((attempt.state(), second));
        assert_eq!(jar.len(), (second as usize + 1).min(MOST));
    }
    let fields: Vec<String> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    for (state, second) in ids {
        let state = AttemptState::parse(&state).unwrap();
        let later = UnixTime::from_secs(NOW.as_secs() + 20);
        assert_eq!(
            attempts.find(&host, Cookies::new(&fields), &state, later).is_ok(),
            second >= 15
        );
    }
}

#[test]
fn an_attempt_is_of_no_use_on_another_host_under_another_name_or_too_late() {
    let (attempts, here) = (attempts(), host("site.example", Scheme::Https));
    let (attempt, cookies) = attempts.begin(&here, Cookies::new(&[]), "/a", 0, NOW, &mut Counter(0));
    let state = AttemptState::parse(&attempt.state()).unwrap();
    let fields = [pair(&cookies[0])];
    let lost = |host: &Host, fields: &[&str], at| attempts.find(host, Cookies::new(fields), &state, at).err();
    assert_eq!(lost(&here, &fields, NOW), None);
    assert_eq!(
        lost(&host("other.example", Scheme::Https), &fields, NOW),
        Some(Lost::Missing)
    );
    assert_eq!(lost(&host("SITE.example", Scheme::Https), &fields, NOW), None);
    assert_eq!(
        lost(&host("site.example", Scheme::Http), &fields, NOW),
        Some(Lost::Missing)
    );
    let late = UnixTime::from_secs(NOW.as_secs() + 601);
    assert_eq!(lost(&here, &fields, late), Some(Lost::Expired("/a".to_owned())));
    assert_eq!(lost(&here, &[], NOW), Some(Lost::Missing));
}

#[test]
fn of_two_cookies_of_one_name_the_one_that_belongs_to_the_state_counts() {
    let (attempts, host) = (attempts(), host("site.example", Scheme::Http));
    let (attempt, cookies) = attempts.begin(&host, Cookies::new(&[]), "/a", 0, NOW, &mut Counter(0));
    let (name, value) = pair(&cookies[0]).split_once('=').unwrap();
    let state = AttemptState::parse(&attempt.state()).unwrap();
    for field in [format!("{name}=x; {name}={value}"), format!("{name}={value}; {name}=x")] {
        assert!(attempts.find(&host, Cookies::new(&[&field]), &state, NOW).is_ok());
    }
}

#[test]
fn only_our_form_of_state_is_read_as_ours() {
    let good = format!("00{}", "a".repeat(30));
    assert!(AttemptState::parse(&good).is_some());
    for text in [
        "",
        "0",
        "00",
        "80a",
        &good[1..],
        &format!("{good}a"),
        &good.replacen("00", "0x", 1),
    ] {
        assert_eq!(AttemptState::parse(text), None, "{text}");
    }
    let reference = crate::state::State::seal("1795323600Tabcdefghijklmnop", "/");
    assert_eq!(AttemptState::parse(&reference), None);
}

#[test]
fn the_site_is_part_of_what_is_sealed() {
    let config = |client: &str| {
        let text = format!(
            r#"{{"userPoolArn":"arn:aws:cognito-idp:eu-west-1:1:userpool/eu-west-1_Ab1","clientId":"{client}",
            "oauthScopes":[],"cognitoAuthDomain":"login.example","redirectPathSignIn":"/p","redirectPathSignOut":"/",
            "redirectPathAuthRefresh":"/r","signOutUrl":"/s","mode":"spaMode","cookieCompatibility":"amplify",
            "httpHeaders":null,"nonceSigningSecret":"0123456789abcdef"}}"#
        );
        Config::from_json(&Json::parse(text.as_bytes()).unwrap()).unwrap()
    };
    let host = host("site.example", Scheme::Https);
    let (one, two) = (Attempts::new(&config("one")), Attempts::new(&config("two")));
    let (attempt, cookies) = one.begin(&host, Cookies::new(&[]), "/", 0, NOW, &mut Counter(0));
    let state = AttemptState::parse(&attempt.state()).unwrap();
    let fields = [pair(&cookies[0])];
    assert!(one.find(&host, Cookies::new(&fields), &state, NOW).is_ok());
    assert!(two.find(&host, Cookies::new(&fields), &state, NOW).is_err());
}
