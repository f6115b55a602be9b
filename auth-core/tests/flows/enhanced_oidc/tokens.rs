//! Which tokens of a provider other than Cognito count, and for what (T-JWT-1, T-JWT-2, T-JWT-3, T-JWT-7).

use auth_core::{Authenticator, Reason};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};

use super::provider::{ISSUER, id_token, oidc_claims, oidc_site};
use crate::fixture::{CLIENT, KID, NOW, base64, get_with, reason, sign, with_token};

/// A site that has the id token in a cookie of its own.
fn plain() -> Authenticator {
    oidc_site(
        json!({}),
        json!({"sealedSession": false, "apiResponses": false}),
        json!({"cookieCompatibility": "elasticsearch"}),
    )
}

fn presented(auth: &Authenticator, token: &str) -> Reason {
    reason(with_token(auth, token, NOW))
}

fn bearing(auth: &Authenticator, token: &str) -> Reason {
    reason(get_with(
        auth,
        "/",
        &[],
        &[("authorization", &format!("Bearer {token}"))],
        NOW,
    ))
}

#[test]
fn t_jwt_2_each_claim_is_checked_for_missing_wrong_type_wrong_value_and_boundary() {
    let auth = plain();
    let now = NOW.as_secs();
    for (claims, expected) in [
        (json!({}), Reason::SessionVerified),
        (json!({"iss": null}), Reason::TokenIssuer),
        (json!({"iss": format!("{ISSUER}/")}), Reason::TokenIssuer),
        (json!({"iss": "https://id.example/realms/other"}), Reason::TokenIssuer),
        (json!({"aud": null}), Reason::TokenAudience),
        (json!({"aud": "other"}), Reason::TokenAudience),
        (json!({"aud": [CLIENT]}), Reason::SessionVerified),
        (json!({"aud": []}), Reason::TokenAudience),
        (json!({"aud": [CLIENT, "other"]}), Reason::TokenAudience),
        (json!({"aud": [CLIENT, "other"], "azp": "other"}), Reason::TokenAudience),
        (
            json!({"aud": [CLIENT, "other"], "azp": CLIENT}),
            Reason::SessionVerified,
        ),
        (json!({"azp": "other"}), Reason::TokenAudience),
        (json!({"azp": CLIENT}), Reason::SessionVerified),
        (json!({"sub": null}), Reason::TokenMalformed),
        (json!({"sub": ""}), Reason::TokenMalformed),
        (json!({"sub": 7}), Reason::TokenMalformed),
        (json!({"exp": null}), Reason::TokenMalformed),
        (json!({"exp": now}), Reason::SessionVerified),
        (json!({"nbf": now + 60}), Reason::SessionVerified),
        (json!({"nbf": now + 61}), Reason::TokenNotYetValid),
        (json!({"iat": now + 86_400}), Reason::SessionVerified),
        (
            json!({"iat": null, "email": null, "preferred_username": null}),
            Reason::SessionVerified,
        ),
        // Another's words mean nothing here.
        (json!({"token_use": "id"}), Reason::SessionVerified),
        // Marks of other kinds of tokens.
        (json!({"scope": "openid"}), Reason::TokenUse),
        (json!({"scp": ["openid"]}), Reason::TokenUse),
        (json!({"client_id": CLIENT}), Reason::TokenUse),
        (json!({"typ": "Bearer"}), Reason::TokenUse),
        (json!({"typ": "Refresh"}), Reason::TokenUse),
        (json!({"typ": "ID"}), Reason::SessionVerified),
        (
            json!({"events": {"http://schemas.openid.net/event/backchannel-logout": {}}}),
            Reason::TokenUse,
        ),
    ] {
        assert_eq!(presented(&auth, &id_token(claims.clone())), expected, "{claims}");
    }
    let expired = id_token(json!({"exp": now - 1}));
    assert!(matches!(
        presented(&auth, &expired),
        Reason::SessionExpired | Reason::SessionNotRefreshable
    ));
}

/// T-JWT-3
#[test]
fn t_jwt_3_no_token_of_another_kind_is_a_session() {
    let auth = plain();
    for (typ, expected) in [
        (json!("JWT"), Reason::SessionVerified),
        (json!("application/jwt"), Reason::SessionVerified),
        (json!("at+jwt"), Reason::TokenUse),
        (json!("application/at+jwt"), Reason::TokenUse),
        (json!("logout+jwt"), Reason::TokenUse),
        (json!("token-introspection+jwt"), Reason::TokenUse),
        (json!(7), Reason::TokenUse),
    ] {
        let header = json!({"alg": "RS256", "kid": KID, "typ": typ});
        let token = sign(&header, &oidc_claims(json!({})), "signing-a");
        assert_eq!(presented(&auth, &token), expected, "{typ}");
    }
}

/// T-JWT-1
#[test]
fn t_jwt_1_only_signatures_by_the_named_key_and_its_algorithm_count() {
    let auth = plain();
    for header in [
        json!({"alg": "none", "kid": KID}),
        json!({"alg": "HS256", "kid": KID}),
        json!({"alg": "PS256", "kid": KID}),
        json!({"alg": "ES256", "kid": KID}),
        json!({"alg": "RS384", "kid": KID}),
        json!({"alg": "RS256", "kid": "9XcVbN1mQwErTyUiOpAsDfGhJkLzX0-_2345678901ab"}),
    ] {
        let reason = presented(&auth, &sign(&header, &oidc_claims(json!({})), "signing-a"));
        assert!(
            matches!(reason, Reason::TokenKey | Reason::TokenSignature),
            "{header}: {reason:?}"
        );
    }
    let foreign = sign(&json!({"alg": "RS256", "kid": KID}), &oidc_claims(json!({})), "foreign");
    assert_eq!(presented(&auth, &foreign), Reason::TokenSignature);
}

#[test]
fn a_provider_may_sign_with_es256() {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
    let point = pair.public_key().as_ref();
    let key = json!({
        "kty": "EC", "crv": "P-256", "kid": "ec", "use": "sig", "alg": "ES256",
        "x": base64(&point[1..33]), "y": base64(&point[33..]),
    });
    let auth = oidc_site(
        json!({}),
        json!({"sealedSession": false}),
        json!({"cookieCompatibility": "elasticsearch", "jwks": {"keys": [key]}}),
    );
    let signed = |algorithm: &str| {
        let header = base64(json!({"alg": algorithm, "kid": "ec"}).to_string().as_bytes());
        let input = format!("{header}.{}", base64(oidc_claims(json!({})).to_string().as_bytes()));
        let signature = pair.sign(&random, input.as_bytes()).unwrap();
        format!("{input}.{}", base64(signature.as_ref()))
    };
    let good = signed("ES256");
    assert_eq!(presented(&auth, &good), Reason::SessionVerified);
    for algorithm in ["ES384", "RS256", "HS256", "none"] {
        assert_eq!(presented(&auth, &signed(algorithm)), Reason::TokenKey, "{algorithm}");
    }
    let (input, _) = good.rsplit_once('.').unwrap();
    assert_eq!(
        presented(&auth, &format!("{input}.{}", base64(&[0; 64]))),
        Reason::TokenSignature
    );
}

/// An access token of a provider that makes JWTs (RFC 9068).
fn access_token(overrides: Value) -> String {
    let mut claims = json!({
        "iss": ISSUER, "aud": "https://api.example", "client_id": CLIENT, "sub": "machine", "scope": "api:read",
        "exp": NOW.as_secs() + 60, "iat": NOW.as_secs(), "jti": "1",
    });
    for (name, value) in overrides.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    sign(
        &json!({"alg": "RS256", "kid": KID, "typ": "at+jwt"}),
        &claims,
        "signing-a",
    )
}

fn bearer_site(bearer: Value) -> Authenticator {
    oidc_site(json!({}), json!({"bearerTokens": bearer}), json!({}))
}

#[test]
fn an_access_token_counts_only_where_it_is_said_for_whom_it_is_made() {
    let silent = bearer_site(json!(true));
    assert_eq!(bearing(&silent, &access_token(json!({}))), Reason::TokenAudience);
    assert_eq!(
        bearing(&silent, &access_token(json!({"aud": CLIENT}))),
        Reason::TokenAudience
    );
    let auth = bearer_site(json!({"audiences": ["https://api.example"], "scopes": ["api:read"]}));
    for (claims, expected) in [
        (json!({}), Reason::BearerVerified),
        (
            json!({"aud": ["x", "https://api.example"], "jti": "2"}),
            Reason::BearerVerified,
        ),
        (json!({"aud": CLIENT}), Reason::TokenAudience),
        (json!({"aud": null}), Reason::TokenAudience),
        (json!({"aud": "https://api.example/"}), Reason::TokenAudience),
        (json!({"exp": null}), Reason::TokenMalformed),
        (json!({"exp": NOW.as_secs() - 1}), Reason::TokenExpired),
        (json!({"iss": "https://other.example"}), Reason::TokenIssuer),
        (json!({"scope": "api:write"}), Reason::ScopeRequired),
        (json!({"scope": null, "scp": ["api:read"]}), Reason::BearerVerified),
        (json!({"sub": null}), Reason::BearerVerified),
    ] {
        assert_eq!(bearing(&auth, &access_token(claims.clone())), expected, "{claims}");
    }
}

/// T-JWT-3: neither passes for the other, whichever way it comes.
#[test]
fn t_jwt_3_id_and_access_tokens_are_told_apart_in_the_authorization_header_as_well() {
    let access_only = bearer_site(json!({"audiences": ["https://api.example", CLIENT], "tokens": ["access"]}));
    assert_eq!(bearing(&access_only, &id_token(json!({}))), Reason::TokenUse);
    assert_eq!(bearing(&access_only, &access_token(json!({}))), Reason::BearerVerified);
    let id_only = bearer_site(json!({"tokens": ["id"], "clients": [CLIENT, "mobile"]}));
    assert_eq!(bearing(&id_only, &access_token(json!({}))), Reason::TokenUse);
    for (claims, expected) in [
        (json!({}), Reason::BearerVerified),
        (json!({"aud": "mobile"}), Reason::BearerVerified),
        (json!({"azp": "mobile"}), Reason::BearerVerified),
        (json!({"azp": "stranger"}), Reason::TokenAudience),
        (json!({"aud": "stranger"}), Reason::TokenAudience),
    ] {
        assert_eq!(bearing(&id_only, &id_token(claims.clone())), expected, "{claims}");
    }
    // In the id token's cookie it is nothing, whatever it says.
    let both = oidc_site(
        json!({}),
        json!({"sealedSession": false, "bearerTokens": {"audiences": [CLIENT]}}),
        json!({"cookieCompatibility": "elasticsearch"}),
    );
    let access = access_token(json!({"aud": CLIENT}));
    assert_eq!(bearing(&both, &access), Reason::BearerVerified);
    assert_eq!(presented(&both, &access), Reason::TokenUse);
}

#[test]
fn an_opaque_token_is_no_bearer_token() {
    let auth = bearer_site(json!({"audiences": ["https://api.example"]}));
    for token in ["2YotnFZFEjr1zCsicMWpAA", "a.b", "a.b.c", "ya29.a0AfH6SMBx"] {
        assert_eq!(bearing(&auth, token), Reason::TokenMalformed, "{token}");
    }
}
