use dev_idp::{Client, DevIdp, MintError, Overrides, Settings, Signer, StartError, User};
use serde_json::json as value;

use crate::browser::{part, settings, start, verifies};

#[tokio::test]
async fn id_tokens_carry_cognitos_claims() {
    let idp = start().await;
    let token = idp.mint_id_token("alice", &Overrides::none()).unwrap();
    let (header, claims) = (part(&token, 0), part(&token, 1));
    assert_eq!(header["alg"], "RS256");
    assert_eq!(header["kid"], idp.jwks()["keys"][0]["kid"]);
    assert_eq!(
        claims["iss"],
        "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_DevPool01"
    );
    assert_eq!(claims["aud"], "web");
    assert_eq!(claims["token_use"], "id");
    assert_eq!(claims["cognito:username"], "alice");
    assert_eq!(claims["cognito:groups"], value!(["readers"]));
    assert_eq!(
        (&claims["email"], &claims["email_verified"]),
        (&value!("alice@example.com"), &value!(true))
    );
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3600);
    assert_eq!(claims["auth_time"], claims["iat"]);
    for name in ["sub", "jti", "origin_jti", "event_id"] {
        assert_eq!(claims[name].as_str().unwrap().len(), 36, "{name}");
    }
    assert!(claims.get("nonce").is_none());
}

#[tokio::test]
async fn access_tokens_carry_cognitos_claims() {
    let idp = start().await;
    let token = idp
        .mint_session("bob", "vault", &Overrides::none())
        .unwrap()
        .access_token;
    assert_eq!(
        part(&token, 0)["kid"],
        idp.jwks()["keys"][1]["kid"],
        "each use has its key"
    );
    let claims = part(&token, 1);
    assert_eq!(
        (&claims["token_use"], &claims["client_id"]),
        (&value!("access"), &value!("vault"))
    );
    assert_eq!(
        (&claims["username"], &claims["sub"]),
        (&value!("bob"), &value!("bob-sub"))
    );
    assert_eq!(
        claims["scope"],
        "phone email profile openid aws.cognito.signin.user.admin"
    );
    for absent in ["aud", "email", "cognito:username", "cognito:groups"] {
        assert!(claims.get(absent).is_none(), "{absent}");
    }
}

#[tokio::test]
async fn tokens_can_be_tampered_with() {
    let idp = start().await;
    let mint = |overrides| idp.mint_id_token("alice", &overrides).unwrap();

    let token = mint(
        Overrides::none()
            .claim("aud", value!(["a", "b"]))
            .without_claim("sub")
            .header("alg", "none"),
    );
    assert_eq!(
        (&part(&token, 1)["aud"], part(&token, 1).get("sub")),
        (&value!(["a", "b"]), None)
    );
    assert_eq!(part(&token, 0)["alg"], "none");
    assert!(verifies(&token, &idp.jwks()));

    let token = mint(Overrides::none().signed_by(Signer::Foreign));
    assert_eq!(part(&token, 0)["kid"], idp.jwks()["keys"][0]["kid"]);
    assert!(!verifies(&token, &idp.jwks()));

    assert!(mint(Overrides::none().signed_by(Signer::Nobody)).ends_with('.'));
    assert!(
        part(&mint(Overrides::none().without_header("kid")), 0)
            .get("kid")
            .is_none()
    );

    let claims = part(&mint(Overrides::expired()), 1);
    assert_eq!(claims["exp"].as_i64().unwrap(), claims["iat"].as_i64().unwrap() - 3600);
    let claims = part(&mint(Overrides::none().not_before_in(60)), 1);
    assert_eq!(claims["nbf"].as_i64().unwrap(), claims["iat"].as_i64().unwrap() + 60);
}

#[tokio::test]
async fn the_clock_can_be_moved() {
    let idp = DevIdp::start(Settings {
        clock_offset_seconds: -7200,
        ..settings()
    })
    .await
    .unwrap();
    let early = part(&idp.mint_id_token("alice", &Overrides::none()).unwrap(), 1);
    idp.set_clock_offset(0);
    let now = part(&idp.mint_id_token("alice", &Overrides::none()).unwrap(), 1);
    let moved = now["iat"].as_i64().unwrap() - early["iat"].as_i64().unwrap();
    assert!((7200..7260).contains(&moved), "{moved}");
}

#[tokio::test]
async fn only_known_users_and_clients_get_tokens() {
    let idp = start().await;
    assert_eq!(
        idp.mint_id_token("eve", &Overrides::none()),
        Err(MintError::User("eve".into()))
    );
    let error = idp.mint_session("alice", "eve", &Overrides::none()).unwrap_err();
    assert_eq!(error, MintError::Client("eve".into()));
}

#[tokio::test]
async fn contradictory_settings_and_taken_ports_are_refused() {
    let mut twice = settings();
    twice.clients.push(Client::public("web"));
    assert!(matches!(DevIdp::start(twice).await, Err(StartError::DuplicateClient(id)) if id == "web"));
    let mut twice = settings();
    twice.users.push(User::new("bob", "x"));
    assert!(matches!(DevIdp::start(twice).await, Err(StartError::DuplicateUser(name)) if name == "bob"));
    let idp = start().await;
    let taken = DevIdp::start(Settings {
        listen: idp.addr(),
        ..settings()
    })
    .await;
    assert!(matches!(taken, Err(StartError::Listen { addr, .. }) if addr == idp.addr()));
}
