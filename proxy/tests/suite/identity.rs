//! What the origin is told of the viewer, and that nobody else tells it anything.

use dev_idp::Overrides;
use serde_json::{Value, json};

use crate::support::{
    certificates::{self, Certificate},
    http::Request,
    origin::{Answer, Origin},
    runtime::wait,
    site::{ALICE, BOB, Plan, Site},
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
