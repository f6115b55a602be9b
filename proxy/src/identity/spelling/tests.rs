//! Rows of names, and the property behind them.

use proptest::{prelude::*, sample::select};

use super::*;

/// Names that origins trust, one of each family at least.
const TRUSTED: [&str; 62] = [
    "X-Portcullis-User",
    "X-Portcullis-Assertion",
    "X-Forwarded-User",
    "X-Forwarded-Email",
    "X-Forwarded-Groups",
    "X-Forwarded-Preferred-Username",
    "X-Forwarded-Access-Token",
    "X-Forwarded-For",
    "X-Forwarded-Client-Cert",
    "X-Forwarded",
    "Forwarded",
    "X-Real-IP",
    "X-Auth-Request-User",
    "X-Auth-Request-Email",
    "X-Auth-Request-Access-Token",
    "X-Amzn-Oidc-Data",
    "X-Amzn-Oidc-Identity",
    "X-Amzn-Oidc-Accesstoken",
    "Remote-User",
    "Remote-Email",
    "Remote-Groups",
    "Remote-Name",
    "X-Remote-User",
    "X-Remote-Group",
    "X-Remote-Extra-Scopes",
    "X-Webauth-User",
    "X-Webauth-Role",
    "X-Authenticated-User",
    "X-Authenticated-Userid",
    "X-Authentik-Username",
    "X-Goog-Authenticated-User-Email",
    "X-Goog-Iap-Jwt-Assertion",
    "X-Ms-Client-Principal",
    "X-Ms-Client-Principal-Name",
    "X-Ms-Token-Aad-Id-Token",
    "X-Pomerium-Jwt-Assertion",
    "X-Pomerium-Claim-Email",
    "X-Vouch-User",
    "X-Sso-User",
    "X-Proxy-User",
    "X-Proxy-Roles",
    "X-Userinfo",
    "X-Id-Token",
    "X-Auth-User",
    "X-Auth-Username",
    "X-Auth-Groups",
    "Cf-Access-Jwt-Assertion",
    "Cf-Access-Authenticated-User-Email",
    "Oidc-Claim-Sub",
    "Tailscale-User-Login",
    "Shib-Session-Id",
    "Ssl-Client-S-Dn",
    "X-Ssl-Client-Verify",
    "Client-Cert",
    "Client-Cert-Chain",
    "X-Client-Cert",
    "Iv-User",
    "Sm-User",
    "Oam-Remote-User",
    "X-Original-Url",
    "X-Rewrite-Url",
    "X-Http-Method-Override",
];

/// What viewers send for good reasons.
const HARMLESS: [&str; 26] = [
    "accept",
    "accept-language",
    "authorization",
    "content-type",
    "cookie",
    "dnt",
    "if-none-match",
    "origin",
    "range",
    "referer",
    "remote",
    "sec-fetch-mode",
    "sec-websocket-key",
    "ssl-clients",
    "user-agent",
    "x-auth-token",
    "x-access-token",
    "x-csrf-token",
    "x-custom",
    "x-forward",
    "x-portcullisx",
    "x-remotely",
    "x-requested-with",
    "x-user-agent",
    "x",
    "x-",
];

#[test]
fn every_family_that_origins_trust_is_known_by_its_names() {
    for name in TRUSTED {
        assert!(is_trusted_by_origins(&name.to_ascii_lowercase()), "{name}");
    }
}

#[test]
fn what_viewers_send_for_good_reasons_is_left_alone() {
    for name in HARMLESS {
        assert!(!is_trusted_by_origins(name), "{name}");
    }
}

#[test]
fn underscores_are_reason_enough() {
    for name in ["any_name", "_", "accept_language", "x_custom"] {
        assert!(is_trusted_by_origins(name), "{name}");
    }
}

#[test]
fn runs_of_other_characters_are_one_hyphen() {
    for name in [
        "x-forwarded-user",
        "X-Forwarded-User",
        "x_forwarded_user",
        "x.forwarded.user",
        "X--Forwarded-_-User",
        "x-forwarded-user-",
        "-x-forwarded-user",
        "x!forwarded~user",
    ] {
        assert_eq!(fold(name), "x-forwarded-user", "{name}");
    }
    for name in ["", "-", "__", "!"] {
        assert_eq!(fold(name), "", "{name}");
    }
    assert!(matches!(fold("accept-language"), Cow::Borrowed(_)));
}

#[test]
fn a_pattern_is_a_name_or_a_beginning() {
    let patterns: Vec<Pattern> = ["X-Tenant", "X-App-*", "Y*"]
        .map(|text| text.parse().unwrap_or_else(|never| match never {}))
        .into();
    for (name, fits) in [
        ("x-tenant", true),
        ("x_tenant", true),
        ("x-tenant-id", false),
        ("x-app-role", true),
        ("x-app", false),
        ("x-apple", false),
        ("y", true),
        ("yes", true),
        ("x", false),
    ] {
        assert_eq!(is_any_of(name, &patterns), fits, "{name}");
    }
    let shown: Vec<String> = patterns.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["x-tenant", "x-app-*", "y*"]);
}

/// A name with its letters in any case and its hyphens as anything that a header's name may hold.
fn respelled() -> impl Strategy<Value = (String, String)> {
    let separator = prop::collection::vec(select(b"-_.!#$%&'*+^`|~".to_vec()), 1..3);
    let letters = prop::collection::vec((any::<bool>(), separator), 48);
    (select(TRUSTED.to_vec()), letters).prop_map(|(name, choices)| {
        let mut spelled = String::new();
        for (letter, (upper, separator)) in name.chars().zip(choices) {
            match letter {
                '-' => spelled.extend(separator.into_iter().map(char::from)),
                _ if upper => spelled.push(letter.to_ascii_uppercase()),
                _ => spelled.push(letter.to_ascii_lowercase()),
            }
        }
        (name.to_owned(), spelled)
    })
}

proptest! {
    /// T-HDR-1
    #[test]
    fn no_spelling_of_a_trusted_name_gets_by((name, spelled) in respelled()) {
        prop_assert_eq!(fold(&spelled), name.to_ascii_lowercase());
        let header = HeaderName::from_bytes(spelled.as_bytes()).unwrap();
        prop_assert!(is_trusted_by_origins(header.as_str()), "{}", spelled);
        prop_assert!(is_any_of(header.as_str(), &[Pattern::Name(name.to_ascii_lowercase())]));
    }

    #[test]
    fn folding_is_stable_and_gives_plain_names(name in "[!-~]{0,40}") {
        let folded = fold(&name).into_owned();
        prop_assert_eq!(fold(&folded), folded.as_str());
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        prop_assert!(folded.bytes().all(is_plain));
        prop_assert!(!folded.contains("--") && !folded.starts_with('-') && !folded.ends_with('-'));
    }
}
