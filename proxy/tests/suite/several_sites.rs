//! Several sites in one process: each answers to its own hosts, with its own pool and content.

use dev_idp::Overrides;
use serde_json::json;

use crate::{
    support::{
        browser::Browser,
        certificates::{Certificate, client, connect},
        http::{Request, Response},
        origin::{Answer, Origin},
        runtime::wait,
        site::{ALICE, HOST, OTHER_CLIENT, Plan, Site},
        url::Url,
    },
    tls,
};

const OTHER: &str = "other.localhost";

struct Two {
    site: Site,
    idp: dev_idp::Running,
    origins: (Origin, Origin),
}

fn says(text: &'static str) -> Origin {
    Origin::start(move |_| Answer::ok(text))
}

fn two(change: impl FnOnce(Plan) -> Plan) -> Two {
    let origins = (says("of-the-first"), says("of-the-other"));
    let other = json!({ "kind": "custom", "url": origins.1.url() });
    let (plan, idp) = change(Plan::custom(&origins.0)).beside(OTHER, other);
    Two {
        site: plan.start(),
        idp,
        origins,
    }
}

impl Two {
    fn ask(&self, host: &str, request: &Request) -> Response {
        let host = format!("{host}:{}", self.site.address().port());
        self.site.wire().send(request, &host)
    }

    /// A session of the other pool, under the names that its client's cookies have.
    fn others_session(&self, client_in_names: &str) -> String {
        let tokens = self
            .idp
            .mint_session(ALICE.0, OTHER_CLIENT, &Overrides::none())
            .unwrap();
        let prefix = format!("CognitoIdentityServiceProvider.{client_in_names}");
        format!(
            "{prefix}.LastAuthUser={0}; {prefix}.{0}.idToken={1}; {prefix}.{0}.accessToken={2}; {prefix}.{0}.refreshToken={3}",
            ALICE.0, tokens.id_token, tokens.access_token, tokens.refresh_token
        )
    }

    fn leads_to(&self, response: &Response) -> &'static str {
        let location = response.location();
        if location.starts_with(&format!("{}/", self.site.idp.url())) {
            "first"
        } else if location.starts_with(&format!("{}/", self.idp.url())) {
            "other"
        } else {
            "elsewhere"
        }
    }
}

#[test]
fn each_host_has_its_own_sign_in_and_content() {
    let two = two(|plan| plan);
    for (host, provider) in [(HOST, "first"), (OTHER, "other"), ("OTHER.localhost", "other")] {
        let response = two.ask(host, &Request::get("/page"));
        assert_eq!(two.leads_to(&response), provider, "{host}");
        let callback = Url::parse(response.location()).param("redirect_uri").unwrap();
        assert!(callback.starts_with(&format!("http://{host}:")), "{callback}");
    }
    let first = two.ask(HOST, &Request::get("/").header("Cookie", two.site.session()));
    assert_eq!(first.text(), "of-the-first");
    let other = two.ask(
        OTHER,
        &Request::get("/").header("Cookie", two.others_session(OTHER_CLIENT)),
    );
    assert_eq!(other.text(), "of-the-other");
}

/// T-CSRF-2, T-JWT-3: tokens of one pool are nothing at the other, also under the other's names.
#[test]
fn a_session_of_one_site_is_nothing_at_the_other() {
    let two = two(|plan| plan);
    let first = two.site.session();
    let client = crate::support::site::CLIENT;
    let attempts = [
        (OTHER, first.clone()),
        (OTHER, first.replace(client, OTHER_CLIENT)),
        (HOST, two.others_session(OTHER_CLIENT)),
        (HOST, two.others_session(client)),
    ];
    for (host, cookies) in attempts {
        for method in ["GET", "POST", "HEAD"] {
            let response = two.ask(host, &Request::new(method, "/").header("Cookie", &*cookies));
            assert_ne!(response.status, 200, "{host}");
            assert!(!response.text().contains("of-the-"), "{host}");
        }
    }
    assert!(two.origins.0.asked().is_empty() && two.origins.1.asked().is_empty());
}

/// T-CSRF-2: an attempt begun at one site cannot be ended at the other, though both sign nonces with one secret.
#[test]
fn an_attempt_begun_at_one_site_is_not_ended_at_the_other() {
    let two = two(|plan| plan);
    let begun = two.ask(HOST, &Request::get("/"));
    let state = Url::parse(begun.location()).param("state").unwrap();
    let cookies: Vec<&str> = begun
        .all("set-cookie")
        .into_iter()
        .map(|cookie| cookie.split(';').next().unwrap())
        .collect();
    let request = Request::get(&format!("/parseauth?code=stolen&state={state}")).header("Cookie", cookies.join("; "));
    let response = two.ask(OTHER, &request);
    assert_ne!(response.status, 307, "{response:?}");
    let tokens = response
        .names_of_set_cookies()
        .into_iter()
        .any(|name| name.contains("idToken"));
    assert!(!tokens, "{response:?}");
}

#[test]
fn signing_in_at_one_site_leaves_the_other_signed_out() {
    let two = two(|plan| plan);
    let mut browser = Browser::new();
    let page = browser.sign_in(&two.site.url("/"), ALICE.0, ALICE.1);
    assert_eq!(page.text(), "of-the-first");
    assert!(two.origins.1.asked().is_empty());
    let other = two.ask(OTHER, &Request::get("/"));
    assert_eq!(two.leads_to(&other), "other");
}

#[test]
fn a_wildcard_serves_what_no_exact_name_claims() {
    let two = two(|plan| plan.site("hosts", json!([HOST, "*.apps.localhost"])));
    for (host, provider) in [
        ("a.apps.localhost", "first"),
        ("a.b.apps.localhost", "first"),
        (OTHER, "other"),
    ] {
        assert_eq!(two.leads_to(&two.ask(host, &Request::get("/"))), provider, "{host}");
    }
    for host in [
        "apps.localhost",
        "xapps.localhost",
        "localhost",
        "a.apps.localhost.evil",
    ] {
        assert_eq!(two.ask(host, &Request::get("/")).status, 421, "{host}");
    }
}

/// RFC 9110, section 15.5.20
#[test]
fn a_connection_made_for_one_site_does_not_serve_the_other() {
    let origins = (says("of-the-first"), says("of-the-other"));
    let plan = Plan::custom(&origins.0).site("hosts", json!([HOST, "www.localhost"]));
    let certificates: Vec<Certificate> = [HOST, OTHER, "www.localhost"]
        .iter()
        .map(|name| Certificate::write(plan.folder(), name))
        .collect();
    let files: Vec<_> = certificates
        .iter()
        .map(|certificate| json!({ "cert": certificate.cert, "key": certificate.key }))
        .collect();
    let listen = json!({ "http": ["127.0.0.1:0"], "https": ["127.0.0.1:0"], "tls": files });
    let (plan, _idp) = plan
        .top("listen", listen)
        .beside(OTHER, json!({ "kind": "custom", "url": origins.1.url() }));
    let site = plan.start();
    let config = client(&certificates.iter().collect::<Vec<_>>(), &[b"http/1.1"]);
    let address = site.https.unwrap();
    let status = |server_name: &str, host: &str| {
        let host = format!("{host}:{}", address.port());
        connect(address, server_name, &config)
            .send(&Request::get("/"), &host)
            .status
    };
    assert_eq!(status(HOST, HOST), 307);
    assert_eq!(status(OTHER, OTHER), 307);
    assert_eq!(status(HOST, OTHER), 421);
    assert_eq!(status(OTHER, HOST), 421);
    assert_eq!(status(HOST, "www.localhost"), 307, "one site under two names");
    assert_eq!(status(HOST, "nobody.localhost"), 421);
    wait(async {
        // Browsers may send requests for several hosts over one HTTP/2 connection.
        let sender = tls::http2(address, &certificates[0]).await;
        for (host, status) in [(HOST, 307), (OTHER, 421), ("www.localhost", 307)] {
            let request = http::Request::get(format!("https://{host}:{}/", address.port()));
            assert_eq!(tls::ask(&sender, request.body(()).unwrap()).await.0, status, "{host}");
        }
    });
}
