//! Attacks on the id token (T-JWT-1, T-JWT-2, T-JWT-3, T-JWT-7): none makes a session.

use auth_core::Reason;
use serde_json::{Value, json};

use crate::fixture::{
    CLIENT, ISSUER, KID, NOW, base64, claims, foreign_token, reason, site, token, token_with_header, with_token,
};

/// What becomes of a token signed by the right key, with these claims replaced (`null`: removed).
fn outcome(overrides: Value) -> Reason {
    let auth = site(json!({"requiredGroup": "g"}));
    let mut all = json!({"cognito:groups": ["g"]});
    for (name, value) in overrides.as_object().unwrap() {
        all[name] = value.clone();
    }
    reason(with_token(&auth, &token(all), NOW))
}

#[test]
fn each_claim_is_checked_for_missing_wrong_type_wrong_value_and_boundary() {
    let now = NOW.as_secs();
    for (claims, expected) in [
        (json!({}), Reason::SessionVerified),
        (json!({"iss": null}), Reason::TokenMalformed),
        (json!({"iss": 5}), Reason::TokenMalformed),
        (json!({"iss": format!("{ISSUER}/")}), Reason::TokenIssuer),
        (
            json!({"iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other"}),
            Reason::TokenIssuer,
        ),
        (json!({"aud": null}), Reason::TokenMalformed),
        (json!({"aud": "other"}), Reason::TokenAudience),
        (json!({"aud": [CLIENT]}), Reason::TokenAudience),
        (json!({"aud": [CLIENT, 5]}), Reason::TokenMalformed),
        (json!({"aud": format!("{CLIENT}x")}), Reason::TokenAudience),
        (json!({"token_use": "access", "client_id": CLIENT}), Reason::TokenUse),
        (json!({"token_use": null}), Reason::TokenUse),
        (json!({"exp": now}), Reason::SessionVerified),
        (json!({"exp": now - 1}), Reason::SessionExpired),
        (json!({"exp": now as f64 - 0.5}), Reason::SessionExpired),
        (json!({"exp": "9999999999"}), Reason::TokenMalformed),
        (json!({"exp": 1e300}), Reason::SessionVerified),
        (json!({"exp": -1}), Reason::SessionExpired),
        (json!({"nbf": now}), Reason::SessionVerified),
        (json!({"nbf": now + 1}), Reason::TokenNotYetValid),
        (json!({"nbf": "0"}), Reason::TokenMalformed),
        (json!({"iat": now + 86_400}), Reason::SessionVerified),
        (json!({"iat": "x"}), Reason::TokenMalformed),
        (json!({"cognito:groups": ["G", "g "]}), Reason::GroupRequired),
        (json!({"cognito:groups": null}), Reason::GroupRequired),
    ] {
        assert_eq!(outcome(claims.clone()), expected, "{claims}");
    }
}

#[test]
fn only_rsa_pkcs1_signatures_by_the_named_key_count() {
    let auth = site(json!({}));
    for header in [
        json!({"alg": "none", "kid": KID}),
        json!({"alg": "HS256", "kid": KID}),
        json!({"alg": "PS256", "kid": KID}),
        json!({"alg": "RS384", "kid": KID}),
        json!({"alg": "rs256", "kid": KID}),
        json!({"alg": "RS256", "kid": "9XcVbN1mQwErTyUiOpAsDfGhJkLzX0-_2345678901ab"}),
    ] {
        let reason = reason(with_token(&auth, &token_with_header(&header), NOW));
        assert!(
            matches!(reason, Reason::TokenKey | Reason::TokenSignature),
            "{header}: {reason:?}"
        );
    }
    assert_eq!(reason(with_token(&auth, &foreign_token(), NOW)), Reason::TokenSignature);
}

#[test]
fn a_key_offered_inside_the_token_is_ignored() {
    let auth = site(json!({}));
    for extra in ["jwk", "jku", "x5u", "x5c", "crit"] {
        let header = json!({"alg": "RS256", "kid": KID, extra: "https://evil.example/key"});
        assert_eq!(
            reason(with_token(&auth, &token_with_header(&header), NOW)),
            Reason::SessionVerified,
            "{extra}"
        );
    }
}

#[test]
fn tokens_that_are_not_three_parts_of_base64url_json_are_malformed() {
    let auth = site(json!({}));
    let good = token(json!({}));
    let parts: Vec<&str> = good.split('.').collect();
    let nested = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    for bad in [
        "x".to_owned(),
        format!("{}.{}", parts[0], parts[1]),
        format!("{good}."),
        format!("{good}.{}", parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!(".{}.{}", parts[1], parts[2]),
        format!("{}=.{}.{}", parts[0], parts[1], parts[2]),
        format!("{}.{}.{}", parts[0], base64(nested.as_bytes()), parts[2]),
        format!("{}.{}.{}", parts[0], base64(b"\xef\xbb\xbf{}"), parts[2]),
        format!("{}.{}.{}", base64(b"null"), parts[1], parts[2]),
        "A".repeat(100_000),
    ] {
        assert_eq!(
            reason(with_token(&auth, &bad, NOW)),
            Reason::TokenMalformed,
            "{:.60}",
            bad
        );
    }
}

#[test]
fn a_changed_payload_breaks_the_signature() {
    let auth = site(json!({}));
    let good = token(json!({}));
    let parts: Vec<&str> = good.split('.').collect();
    let forged = claims(json!({"sub": "someone-else"})).to_string();
    let bad = format!("{}.{}.{}", parts[0], base64(forged.as_bytes()), parts[2]);
    assert_eq!(reason(with_token(&auth, &bad, NOW)), Reason::TokenSignature);
}

#[test]
fn a_header_that_is_known_by_now_vouches_for_nothing_else_in_a_token() {
    let good = token(json!({}));
    let parts: Vec<&str> = good.split('.').collect();
    let forged = base64(claims(json!({"sub": "someone-else"})).to_string().as_bytes());
    for (bad, expected) in [
        (foreign_token(), Reason::TokenSignature),
        (format!("{}.{forged}.{}", parts[0], parts[2]), Reason::TokenSignature),
        (format!("{}.{}.AA", parts[0], parts[1]), Reason::TokenSignature),
        (format!("{}.{}.", parts[0], parts[1]), Reason::TokenMalformed),
        (format!("{}.!.{}", parts[0], parts[2]), Reason::TokenMalformed),
        (
            format!("{}=.{}.{}", parts[0], parts[1], parts[2]),
            Reason::TokenMalformed,
        ),
        (token(json!({"iss": "https://evil.example"})), Reason::TokenIssuer),
        (
            token_with_header(&json!({"alg": "RS384", "kid": KID})),
            Reason::TokenKey,
        ),
    ] {
        let knowing = site(json!({}));
        assert_eq!(reason(with_token(&knowing, &good, NOW)), Reason::SessionVerified);
        for auth in [site(json!({})), knowing] {
            assert_eq!(reason(with_token(&auth, &bad, NOW)), expected, "{bad}");
        }
    }
}

#[test]
fn many_members_cost_no_more_than_their_number() {
    // Quadratic work on 20,000 members before any signature is checked would show as minutes here.
    let auth = site(json!({}));
    let members: Vec<String> = (0..20_000).map(|n| format!("\"m{n}\":0")).collect();
    let payload = base64(format!("{{{}}}", members.join(",")).as_bytes());
    let header = base64(json!({"alg": "RS256", "kid": KID}).to_string().as_bytes());
    assert_eq!(
        reason(with_token(&auth, &format!("{header}.{payload}.AA"), NOW)),
        Reason::TokenIssuer
    );
}
