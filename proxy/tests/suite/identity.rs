//! What the origin is told of the viewer, and that nobody else tells it anything.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use dev_idp::Overrides;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519};
use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};
use serde_json::{Value, json};

use crate::support::{
    certificates::{self, Certificate},
    http::Request,
    origin::{Answer, Origin},
    process::Process,
    runtime::wait,
    site::{ALICE, BOB, Plan, Site},
    url::open_base64url,
};

/// Names that no configuration below mentions and many origins trust.
const FORGED: [&str; 18] = [
    "X-Forwarded-User",
    "x_forwarded_user",
    "X.Forwarded.User",
    "X-Forwarded_Email",
    "X--Forwarded-Groups",
    "X-Forwarded-Preferred-Username",
    "X-Auth-Request-User",
    "X-Amzn-Oidc-Data",
    "X-Amzn-Oidc-Identity",
    "Remote-User",
    "REMOTE_USER",
    "X-Remote-User",
    "X-Webauth-User",
    "X-Authentik-Username",
    "X-Goog-Iap-Jwt-Assertion",
    "Cf-Access-Jwt-Assertion",
    "X-Ms-Client-Principal",
    "X-Portcullis-Assertion",
];

fn identity() -> Value {
    json!({ "headers": {
        "X-Forwarded-User": "sub",
        "X-Forwarded-Email": "email",
        "X-Forwarded-Groups": "cognito:groups",
        "App-User": "cognito:username",
    } })
}

fn site(origin: &Origin) -> Site {
    Plan::custom(origin).site("identity", identity()).start()
}

fn forged(mut request: Request) -> Request {
    for name in FORGED
        .into_iter()
        .chain(["App-User", "APP_USER", "app.user", "x-forwarded-email"])
    {
        request = request.header(name, "forged-1").header(name, "forged-2");
    }
    request
}

#[test]
fn the_origin_is_told_who_the_viewer_is() {
    let origin = Origin::content();
    let site = site(&origin);
    let groups = json!(["readers", "a,admin", "zoë", "100%"]);
    let session = site.session_with(ALICE.0, &Overrides::none().claim("cognito:groups", groups));
    assert_eq!(site.get("/", &session).status, 200);
    let asked = origin.last();
    assert_eq!(asked.all("app-user"), [ALICE.0]);
    assert!(asked.header("x-forwarded-email").unwrap().contains('@'));
    assert_eq!(asked.header("x-forwarded-user").unwrap().len(), 36, "{}", asked.head);
    assert_eq!(asked.all("x-forwarded-groups"), ["readers,a%2Cadmin,zo%C3%AB,100%25"]);
    assert_eq!(
        asked.header("authorization"),
        None,
        "the token itself is not told unasked"
    );
    assert!(!asked.head.contains("eyJ"), "{}", asked.head);
    // In no group: nothing is said, rather than something empty.
    assert_eq!(site.get("/", &site.session_with(BOB.0, &Overrides::none())).status, 200);
    assert_eq!(origin.last().header("x-forwarded-groups"), None);
    assert_eq!(origin.last().header("app-user"), Some(BOB.0));
}

/// T-HDR-1
#[test]
fn what_a_viewer_says_of_himself_is_replaced_in_every_spelling() {
    let origin = Origin::content();
    let site = site(&origin);
    let request = forged(Request::get("/")).header("Cookie", site.session());
    assert_eq!(site.ask(&request).status, 200);
    let asked = origin.last();
    assert!(!asked.head.contains("forged"), "{}", asked.head);
    assert_eq!(asked.all("app-user"), [ALICE.0]);
    assert_eq!(asked.all("x-forwarded-user").len(), 1);
}

/// T-HDR-3: whatever the method, and where nobody has signed in.
#[test]
fn public_requests_carry_no_identity_whatever_their_method() {
    let origin = Origin::content();
    let plan = Plan::custom(&origin).site("auth", json!({ "insecure_auth_off": true }));
    let site = plan.site("identity", json!({ "remove": ["App-*"] })).start();
    for method in ["GET", "HEAD", "OPTIONS", "POST", "PATCH", "DELETE", "PROPFIND"] {
        let request = forged(Request::new(method, "/public")).header("Cookie", "a=b");
        assert_eq!(site.ask(&request).status, 200, "{method}");
        let asked = origin.last();
        assert_eq!(asked.method(), method);
        assert!(!asked.head.contains("forged"), "{method}: {}", asked.head);
    }
}

/// T-HDR-3
#[test]
fn every_method_of_a_session_tells_the_session() {
    let origin = Origin::content();
    let site = site(&origin);
    let session = site.session();
    for method in ["HEAD", "OPTIONS", "POST", "PATCH", "DELETE", "PROPFIND"] {
        let request = forged(Request::new(method, "/")).header("Cookie", &*session);
        assert_eq!(site.ask(&request).status, 200, "{method}");
        let asked = origin.last();
        assert_eq!(asked.all("app-user"), [ALICE.0], "{method}");
        assert!(!asked.head.contains("forged"), "{method}: {}", asked.head);
    }
}

/// T-HDR-3
#[test]
fn a_websocket_tells_the_session_as_well() {
    let origin = Origin::start(|_| {
        let head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
        Answer::Bytes(head.as_bytes().to_vec())
    });
    let site = site(&origin);
    let handshake = forged(Request::get("/ws"))
        .headers(&[
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade, App-User, X-Forwarded-User"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ])
        .header("Cookie", site.session());
    assert_eq!(site.wire().send(&handshake, &site.authority()).status, 101);
    let asked = origin.last();
    assert_eq!(asked.all("app-user"), [ALICE.0]);
    assert!(!asked.head.contains("forged"), "{}", asked.head);
}

/// T-HDR-4
#[test]
fn no_connection_header_takes_the_identity_away() {
    let origin = Origin::content();
    let site = site(&origin);
    for option in [
        "App-User",
        "app-user, close",
        "X-Forwarded-User",
        "APP-USER,App-User",
        "X-Forwarded-Groups",
    ] {
        let request = forged(Request::get("/"))
            .header("Cookie", site.session())
            .header("Connection", option);
        assert_eq!(site.wire().send(&request, &site.authority()).status, 200, "{option}");
        let asked = origin.last();
        assert_eq!(asked.all("app-user"), [ALICE.0], "{option}");
        assert_eq!(asked.all("x-forwarded-groups"), ["readers,writers"], "{option}");
        assert_eq!(asked.all("x-forwarded-user").len(), 1, "{option}");
    }
}

/// T-HDR-1: a trailer becomes a header nowhere.
#[test]
fn trailers_reach_no_origin() {
    let origin = Origin::content();
    let site = site(&origin);
    let bytes = format!(
        "POST /form HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\n\
         Trailer: App-User, X-Forwarded-User\r\nConnection: close\r\n\r\n\
         5\r\nhello\r\n0\r\nApp-User: forged\r\nX-Forwarded-User: forged\r\nX_Forwarded_User: forged\r\n\r\n",
        site.authority(),
        site.session()
    );
    let status = site.raw(bytes.as_bytes()).map(|response| response.status);
    for asked in origin.asked() {
        assert!(!asked.head.contains("forged"), "{}", asked.head);
        assert!(!String::from_utf8_lossy(&asked.body).contains("forged"), "{asked:?}");
        assert_eq!(asked.all("app-user"), [ALICE.0]);
    }
    assert!(matches!(status, Some(200 | 400)), "{status:?}");
}

/// T-HDR-1, T-HDR-3
#[test]
fn http_2_names_are_held_to_the_same() {
    let origin = Origin::content();
    let plan = Plan::custom(&origin);
    let certificate = Certificate::write(plan.folder(), "app.localhost");
    let tls = json!([{ "cert": certificate.cert, "key": certificate.key }]);
    let site = plan
        .top("listen", json!({ "https": ["127.0.0.1:0"], "tls": tls }))
        .site("identity", identity())
        .start();
    let config = certificates::client(&[&certificate], &[b"h2"]);
    let status = wait(async {
        let tcp = tokio::net::TcpStream::connect(site.https.unwrap()).await.unwrap();
        let name = rustls::pki_types::ServerName::try_from("app.localhost").unwrap();
        let stream = tokio_rustls::TlsConnector::from(config)
            .connect(name, tcp)
            .await
            .unwrap();
        let (client, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        let mut request = http::Request::post("https://app.localhost/form").header("cookie", site.session());
        for name in FORGED.into_iter().chain(["App-User", "app_user"]) {
            request = request.header(name, "forged-1").header(name, "forged-2");
        }
        let mut client = client.ready().await.unwrap();
        let (response, mut body) = client.send_request(request.body(()).unwrap(), false).unwrap();
        body.send_data("hello".into(), false).unwrap();
        let trailers = [("app-user", "forged"), ("x-forwarded-user", "forged")];
        let trailers = trailers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        body.send_trailers(http::HeaderMap::from_iter(trailers)).unwrap();
        response.await.unwrap().status().as_u16()
    });
    assert_eq!(status, 200);
    let asked = origin.last();
    assert_eq!(asked.all("app-user"), [ALICE.0]);
    let body = String::from_utf8_lossy(&asked.body);
    assert!(!asked.head.contains("forged") && !body.contains("forged"), "{asked:?}");
}

/// T-HDR-1: a session that is none tells nothing, since nothing reaches the origin.
#[test]
fn a_bad_session_tells_nobody_anything() {
    let origin = Origin::content();
    let site = site(&origin);
    let expired = site.session_with(ALICE.0, &Overrides::none().claim("exp", 1));
    for cookies in ["", "a=b", &expired] {
        assert_eq!(
            site.ask(&forged(Request::get("/")).header("Cookie", cookies)).status,
            307
        );
    }
    assert!(origin.asked().is_empty());
}

#[test]
fn groups_are_chosen_and_cut_between_names_and_the_operator_hears_of_it() {
    let origin = Origin::content();
    let settings = json!({
        "headers": { "X-Forwarded-Groups": "cognito:groups" },
        "groups": ["team-*", "admin"],
        "max_bytes": 64,
    });
    let site = Plan::custom(&origin).site("identity", settings).start();
    let groups: Vec<String> = (10..30).map(|number| format!("team-{number}")).collect();
    let all: Vec<&str> = ["x", "admin"]
        .into_iter()
        .chain(groups.iter().map(String::as_str))
        .collect();
    let session = site.session_with(ALICE.0, &Overrides::none().claim("cognito:groups", json!(all)));
    assert_eq!(site.get("/", &session).status, 200);
    let told = origin.last().header("x-forwarded-groups").unwrap().to_owned();
    assert_eq!(told, format!("admin,{}", groups[..7].join(",")));
    assert!(told.len() <= 64);
    let event = site.process.message("an identity header is cut to its limit");
    assert_eq!(
        (&event["level"], &event["header"]),
        (&json!("WARN"), &json!("x-forwarded-groups"))
    );
    assert!(
        !site.process.out().contains("team-10"),
        "whose groups they are is nobody's business"
    );
}

/// T-LEAK-2
#[test]
fn the_id_token_is_passed_on_only_where_the_operator_says_so() {
    let origin = Origin::content();
    for (name, prefix) in [("Authorization", "Bearer "), ("X-Id-Token", "")] {
        let settings = json!({ "insecure_id_token_header": name });
        let site = Plan::custom(&origin).site("identity", settings).start();
        let tokens = site.tokens(ALICE.0, &Overrides::none());
        let request = Request::get("/")
            .header("Cookie", site.cookies(ALICE.0, &tokens))
            .header(name, "forged");
        assert_eq!(site.ask(&request).status, 200);
        assert_eq!(origin.last().all(name), [format!("{prefix}{}", tokens.id_token)]);
        assert!(!site.process.output().contains(&tokens.id_token));
    }
}

/// A site that signs, with a key of that kind.
fn signing(origin: &Origin, algorithm: &'static rcgen::SignatureAlgorithm, extra: Value) -> Site {
    let plan = Plan::custom(origin);
    let file = plan.folder().join("signing.pem");
    std::fs::write(&file, KeyPair::generate_for(algorithm).unwrap().serialize_pem()).unwrap();
    let mut assertion = json!({ "key_file": file, "audience": "the-app" });
    for (key, value) in extra.as_object().unwrap() {
        assertion[key] = value.clone();
    }
    plan.site("identity", json!({ "assertion": assertion })).start()
}

/// What an origin does: fetches the JWK set, finds the key, verifies. The claims, if the signature is right.
fn verified(site: &Site, jwt: &str) -> Option<Value> {
    let (input, signature) = jwt.rsplit_once('.')?;
    let (header, payload) = input.split_once('.')?;
    let header = open_base64url(header);
    let jwks: Value = serde_json::from_str(&site.get("/_portcullis/jwks.json", "").text()).unwrap();
    let key = jwks["keys"]
        .as_array()?
        .iter()
        .find(|key| key["kid"] == header["kid"] && key["alg"] == header["alg"])?;
    let decode = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    match key["kty"].as_str()? {
        "EC" => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, [vec![4], decode("x"), decode("y")].concat())
            .verify(input.as_bytes(), &signature),
        _ => UnparsedPublicKey::new(&ED25519, decode("x")).verify(input.as_bytes(), &signature),
    }
    .ok()?;
    Some(open_base64url(payload))
}

/// T-HDR-5
#[test]
fn an_origin_can_verify_who_the_viewer_is() {
    for algorithm in [&PKCS_ECDSA_P256_SHA256, &PKCS_ED25519] {
        let origin = Origin::content();
        let site = signing(
            &origin,
            algorithm,
            json!({ "lifetime": "30s", "claims": ["sub", "cognito:groups"] }),
        );
        let request = Request::get("/")
            .header("Cookie", site.session())
            .header("X-Portcullis-Assertion", "forged")
            .header("X_Portcullis_Assertion", "forged");
        assert_eq!(site.ask(&request).status, 200);
        let jwt = origin.last().header("x-portcullis-assertion").unwrap().to_owned();
        let claims = verified(&site, &jwt).unwrap();
        assert_eq!(
            (&claims["iss"], &claims["aud"]),
            (&json!("portcullis"), &json!("the-app"))
        );
        assert_eq!(claims["cognito:groups"], json!(["readers", "writers"]));
        assert_eq!(claims["sub"].as_str().unwrap().len(), 36);
        assert!(claims.get("email").is_none());
        assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 30);
        // The next request of the session carries the same one, another session's another.
        assert_eq!(site.ask(&request).status, 200);
        assert_eq!(origin.last().all("x-portcullis-assertion"), [jwt.as_str()]);
        let bob = site.session_with(BOB.0, &Overrides::none());
        assert_eq!(site.get("/", &bob).status, 200);
        let other = origin.last().header("x-portcullis-assertion").unwrap().to_owned();
        assert_ne!(verified(&site, &other).unwrap()["sub"], claims["sub"]);
        assert!(!site.process.output().contains(&jwt));
    }
}

/// T-HDR-5
#[test]
fn an_assertion_that_was_changed_or_made_by_another_does_not_verify() {
    let origin = Origin::content();
    let site = signing(&origin, &PKCS_ED25519, json!({ "header": "App-Assertion" }));
    let other = signing(&origin, &PKCS_ED25519, json!({ "header": "App-Assertion" }));
    let told = |site: &Site, cookies: &str| {
        assert_eq!(site.get("/", cookies).status, 200);
        origin.last().header("app-assertion").unwrap().to_owned()
    };
    let jwt = told(&site, &site.session());
    assert!(verified(&site, &jwt).is_some());
    let parts: Vec<&str> = jwt.split('.').collect();
    let mut claims = open_base64url(parts[1]);
    claims["cognito:groups"] = json!(["admin"]);
    let changed = crate::support::url::seal_base64url(&claims);
    let unsigned = crate::support::url::seal_base64url(&json!({ "alg": "none", "typ": "JWT" }));
    for forged in [
        format!("{}.{changed}.{}", parts[0], parts[2]),
        format!("{unsigned}.{changed}."),
        format!("{}.{}.", parts[0], parts[1]),
        told(&other, &other.session()),
    ] {
        assert!(verified(&site, &forged).is_none(), "{forged}");
    }
    // A token of the provider's is none either: nobody can pass one for the other.
    assert!(verified(&site, &site.tokens(ALICE.0, &Overrides::none()).id_token).is_none());
}

/// T-PATH-5
#[test]
fn the_key_is_published_to_everybody_and_only_where_there_is_one() {
    let origin = Origin::content();
    let site = signing(&origin, &PKCS_ECDSA_P256_SHA256, json!({}));
    let published = site.get("/_portcullis/jwks.json", "");
    assert_eq!(
        (published.status, published.header("content-type")),
        (200, Some("application/json"))
    );
    assert!(!published.text().contains("\"d\""), "the private half stays here");
    let head = site.ask(&Request::new("HEAD", "/_portcullis/jwks.json"));
    assert_eq!((head.status, head.body.len()), (200, 0));
    for target in ["/_portcullis/jwks.jsonx", "/_portcullis/jwks.json/", "/_portcullis/"] {
        assert!(site.is_sign_in(&site.get(target, "")), "{target}");
    }
    assert!(site.is_sign_in(&site.ask(&Request::new("POST", "/_portcullis/jwks.json"))));
    assert!(origin.asked().is_empty());
    let without = self::site(&origin);
    assert!(without.is_sign_in(&without.get("/_portcullis/jwks.json", "")));
}

#[test]
fn what_cannot_be_told_is_refused_at_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    let text = r#"
[[sites]]
[sites.identity]
max_bytes = "1"
remove = ["*"]
insecure_id_token_header = "Cookie"
[sites.identity.headers]
X-Forwarded-For = "sub"
Authorization = "email"
X-Forwarded-User = ""
App-User = "sub"
"App.User" = "email"
[sites.identity.assertion]
key = "no key"
lifetime = "1h"
claims = ["exp"]
header = "Host"
"#;
    std::fs::write(&file, text).unwrap();
    let mut check = Process::start(&["check", "--config", file.to_str().unwrap()], &[]);
    assert!(!check.end().success());
    let said = check.output();
    for key in [
        "max_bytes",
        "remove",
        "insecure_id_token_header",
        "headers.X-Forwarded-For",
        "headers.Authorization",
        "headers.X-Forwarded-User",
        "headers: found \"app.user\" twice",
        "assertion.key_file",
        "assertion.lifetime",
        "assertion.claims",
        "assertion.header",
        "assertion.audience",
    ] {
        assert!(said.contains(&format!("sites[0].identity.{key}")), "{key}: {said}");
    }
    assert!(!said.contains("no key"), "a secret is not shown");
}
