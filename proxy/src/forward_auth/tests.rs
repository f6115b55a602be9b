//! Who may ask, and what is taken for a description.

use super::*;

const NGINX: &str = "/_portcullis/forward-auth/nginx";
const TRAEFIK: &str = "/_portcullis/forward-auth/traefik";
const BY_NGINX: [(&str, &str); 2] = [
    ("x-original-method", "POST"),
    ("x-original-url", "https://app.example:8443/a%20b/?c=d&e"),
];
const BY_TRAEFIK: [(&str, &str); 4] = [
    ("x-forwarded-method", "PUT"),
    ("x-forwarded-proto", "wss"),
    ("x-forwarded-host", "app.example"),
    ("x-forwarded-uri", "/a,b?c"),
];

fn all() -> ForwardAuth {
    ForwardAuth {
        servers: Fronting::ALL.into(),
        ..ForwardAuth::default()
    }
}

fn request(method: &str, target: &str, headers: &[(&'static str, &str)]) -> RequestHeader {
    let mut request = RequestHeader::build(method, target.as_bytes(), None).unwrap();
    request.insert_header("Host", "auth.internal").unwrap();
    for (name, value) in headers {
        request.append_header(*name, *value).unwrap();
    }
    request
}

fn asked(target: &str, headers: &[(&'static str, &str)]) -> Option<Result<Question, QuestionError>> {
    all().question(&request("GET", target, headers), || true)
}

#[track_caller]
fn described(target: &str, headers: &[(&'static str, &str)]) -> RequestHeader {
    asked(target, headers).unwrap().unwrap().described
}

#[track_caller]
fn refused(target: &str, headers: &[(&'static str, &str)]) -> QuestionError {
    asked(target, headers).unwrap().unwrap_err()
}

fn shown(request: &RequestHeader) -> String {
    let header = |name: &str| {
        let values: Vec<_> = request.headers.get_all(name).iter().collect();
        assert_eq!(values.len(), 1, "{name}");
        values[0].to_str().unwrap()
    };
    assert_eq!(header("host"), header("x-forwarded-host"));
    format!(
        "{} {}://{}{}",
        request.method,
        header("x-forwarded-proto"),
        header("host"),
        String::from_utf8_lossy(request.raw_path())
    )
}

#[test]
fn each_server_describes_the_request_in_its_own_way() {
    assert_eq!(
        shown(&described(NGINX, &BY_NGINX)),
        "POST https://app.example:8443/a%20b/?c=d&e"
    );
    assert_eq!(shown(&described(TRAEFIK, &BY_TRAEFIK)), "PUT https://app.example/a,b?c");
    let caddy = "/_portcullis/forward-auth/caddy?ignored";
    assert_eq!(shown(&described(caddy, &BY_TRAEFIK)), "PUT https://app.example/a,b?c");
    let proto = ("x-forwarded-proto", "http");
    for (rest, target) in [
        ("/a//b?c=d", "/a//b?c=d"),
        ("", "/"),
        ("?c", "/?c"),
        ("/%2e%2e/", "/%2e%2e/"),
    ] {
        let envoy = format!("/_portcullis/forward-auth/envoy{rest}");
        assert_eq!(
            shown(&described(&envoy, &[proto])),
            format!("GET http://auth.internal{target}")
        );
    }
}

#[test]
fn the_viewers_own_headers_stay_part_of_the_request() {
    let mut headers = BY_NGINX.to_vec();
    headers.extend([
        ("cookie", "a=b"),
        ("x-forwarded-for", "192.0.2.7"),
        ("accept", "text/html"),
    ]);
    let request = described(NGINX, &headers);
    assert_eq!(request.headers["cookie"], "a=b");
    assert_eq!(request.headers["x-forwarded-for"], "192.0.2.7");
    assert_eq!(request.headers["accept"], "text/html");
    assert!(
        request
            .headers
            .keys()
            .all(|name| !name.as_str().starts_with("x-original"))
    );
}

/// T-FWD-1: what one kind of server does not set comes from the viewer.
#[test]
fn another_servers_words_are_not_read() {
    assert_eq!(refused(NGINX, &BY_TRAEFIK), QuestionError::Description);
    assert_eq!(refused(TRAEFIK, &BY_NGINX), QuestionError::Description);
    let mut both = BY_NGINX.to_vec();
    both.extend(BY_TRAEFIK);
    assert_eq!(
        shown(&described(NGINX, &both)),
        "POST https://app.example:8443/a%20b/?c=d&e"
    );
    assert_eq!(shown(&described(TRAEFIK, &both)), "PUT https://app.example/a,b?c");
    let envoy = described("/_portcullis/forward-auth/envoy/x", &both);
    assert_eq!(shown(&envoy), "GET https://auth.internal/x");
}

/// T-FWD-1
#[test]
fn a_description_that_is_missing_doubled_or_malformed_is_none() {
    for (target, complete) in [(NGINX, BY_NGINX.as_slice()), (TRAEFIK, &BY_TRAEFIK)] {
        for index in 0..complete.len() {
            let (name, value) = complete[index];
            let mut missing = complete.to_vec();
            missing.remove(index);
            assert_eq!(refused(target, &missing), QuestionError::Description, "without {name}");
            let mut doubled = complete.to_vec();
            doubled.push((name, value));
            assert_eq!(refused(target, &doubled), QuestionError::Description, "twice {name}");
            let mut empty = complete.to_vec();
            empty[index].1 = "";
            assert_eq!(refused(target, &empty), QuestionError::Description, "empty {name}");
        }
    }
    for url in ["/a", "app.example/a", "ftp://app.example/", "javascript://x/", "://x/"] {
        let headers = [("x-original-method", "GET"), ("x-original-url", url)];
        assert_eq!(refused(NGINX, &headers), QuestionError::Description, "{url}");
    }
    for uri in ["a", "http://app.example/", "*", "?x"] {
        let mut headers = BY_TRAEFIK;
        headers[3].1 = uri;
        assert_eq!(refused(TRAEFIK, &headers), QuestionError::Description, "{uri}");
    }
    for uri in ["/#x", "/a?b#c", "/public#/../private"] {
        let mut headers = BY_TRAEFIK;
        headers[3].1 = uri;
        assert_eq!(refused(TRAEFIK, &headers), QuestionError::Description, "{uri}");
    }
    let mut headers = BY_TRAEFIK;
    headers[0].1 = "NO METHOD";
    assert_eq!(refused(TRAEFIK, &headers), QuestionError::Description);
}

/// T-FWD-1
#[test]
fn a_stranger_who_asks_is_refused_unread() {
    for target in [
        NGINX,
        TRAEFIK,
        "/_portcullis/forward-auth",
        "/_portcullis/forward-auth/x",
    ] {
        let answer = all().question(&request("GET", target, &BY_NGINX), || false);
        assert_eq!(answer.unwrap().unwrap_err(), QuestionError::Untrusted, "{target}");
    }
}

#[test]
fn other_paths_are_content_and_other_servers_nobody() {
    for target in [
        "/",
        "/_portcullis",
        "/_portcullis/forward-authx",
        "/_portcullis/forward-auth.html",
        "/x/_portcullis/forward-auth/nginx",
        "/_PORTCULLIS/forward-auth/nginx",
        "/_portcullis/%66orward-auth/nginx",
    ] {
        assert!(asked(target, &BY_NGINX).is_none(), "{target}");
    }
    for target in ["", "/", "/apache", "/nginxx", "/nginx/", "/nginx/x", "?nginx"] {
        let target = format!("/_portcullis/forward-auth{target}");
        assert_eq!(refused(&target, &BY_NGINX), QuestionError::Unknown, "{target}");
    }
    let only_nginx = ForwardAuth {
        servers: vec![Fronting::Nginx],
        ..ForwardAuth::default()
    };
    let answer = only_nginx.question(&request("GET", TRAEFIK, &BY_TRAEFIK), || true);
    assert_eq!(answer.unwrap().unwrap_err(), QuestionError::Unknown);
    let off = ForwardAuth::default();
    assert!(off.question(&request("GET", NGINX, &BY_NGINX), || true).is_none());
}
