use super::*;

fn rules() -> AdmissionRules {
    AdmissionRules {
        limits: Limits::default(),
        websocket_origins: Vec::new(),
        trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
        plain_http: PlainHttp::BehindTls,
    }
}

const STRANGER: &str = "203.0.113.9";
const BALANCER: &str = "10.1.2.3";

fn request(target: &str, headers: &[(&'static str, &str)]) -> RequestHeader {
    let mut request = RequestHeader::build("GET", target.as_bytes(), None).unwrap();
    for (name, value) in headers {
        request.append_header(*name, *value).unwrap();
    }
    request
}

fn admit_from(peer: &str, target: &str, headers: &[(&'static str, &str)]) -> Result<Admitted, Refusal> {
    let connection = Connection {
        peer: peer.parse().unwrap(),
        transport: Transport::Plain,
    };
    rules().admit(&request(target, headers), connection)
}

fn admit(target: &str, headers: &[(&'static str, &str)]) -> Result<Admitted, Refusal> {
    admit_from(STRANGER, target, headers)
}

#[track_caller]
fn refused(target: &str, headers: &[(&'static str, &str)]) -> Refusal {
    admit(target, headers).unwrap_err()
}

const HOST: (&str, &str) = ("Host", "App.example.com:8443");

#[test]
fn an_ordinary_request_is_read() {
    let admitted = admit("/a%20b?x=%zz", &[HOST]).unwrap();
    assert_eq!(admitted.host, "App.example.com:8443");
    assert_eq!(
        (admitted.host_name.as_str(), admitted.port),
        ("app.example.com", Some(8443))
    );
    assert_eq!(admitted.path.unwrap().decoded(), "/a b");
    assert_eq!(admitted.scheme, Scheme::Https);
    assert_eq!(admitted.client, STRANGER.parse::<IpAddr>().unwrap());
}

#[test]
fn there_must_be_exactly_one_host() {
    assert_eq!(refused("/", &[]), Refusal::Host);
    assert_eq!(refused("/", &[HOST, HOST]), Refusal::Host);
    assert_eq!(refused("/", &[("Host", "")]), Refusal::Host);
}

#[test]
fn a_host_that_is_no_name_is_refused() {
    for host in [
        "a b",
        "user@app.example.com",
        "app.example.com:x",
        "app.example.com.",
        "a/b",
        "[::1",
        "a..b",
        "a,b",
    ] {
        assert_eq!(refused("/", &[("Host", host)]), Refusal::HostMalformed, "{host}");
    }
}

#[test]
fn length_and_chunks_together_are_refused() {
    let both = [HOST, ("Content-Length", "1"), ("Transfer-Encoding", "chunked")];
    assert_eq!(refused("/", &both), Refusal::Framing);
}

#[test]
fn lengths_must_be_one_plain_number() {
    for lengths in [
        &["1", "1"][..],
        &["+1"],
        &["1,1"],
        &["-1"],
        &["0x1"],
        &[""],
        &["99999999999999999999"],
    ] {
        let mut headers = vec![HOST];
        headers.extend(lengths.iter().map(|length| ("Content-Length", *length)));
        assert_eq!(refused("/", &headers), Refusal::Framing, "{lengths:?}");
    }
}

#[test]
fn transfer_codings_other_than_chunked_are_refused() {
    for codings in [
        &["gzip, chunked"][..],
        &["chunked", "chunked"],
        &["chunked, chunked"],
        &["xchunked"],
        &["identity"],
    ] {
        let mut headers = vec![HOST];
        headers.extend(codings.iter().map(|coding| ("Transfer-Encoding", *coding)));
        assert_eq!(refused("/", &headers), Refusal::Framing, "{codings:?}");
    }
    assert!(admit("/", &[HOST, ("Transfer-Encoding", "Chunked")]).is_ok());
}

#[test]
fn old_and_new_versions_have_no_chunks() {
    for version in [http::Version::HTTP_10, http::Version::HTTP_2] {
        let mut request = request("/", &[HOST, ("Transfer-Encoding", "chunked")]);
        request.set_version(version);
        let connection = Connection {
            peer: STRANGER.parse().unwrap(),
            transport: Transport::Tls,
        };
        assert_eq!(rules().admit(&request, connection).unwrap_err(), Refusal::Framing);
    }
}

#[test]
fn a_header_block_over_the_limit_is_refused_and_one_at_the_limit_is_not() {
    let filled = |length: usize| "x".repeat(length);
    let size = headers::size(&request("/", &[HOST, ("X-Fill", "")]));
    let room = 32 * 1024 - size;
    assert!(admit("/", &[HOST, ("X-Fill", &filled(room))]).is_ok());
    assert_eq!(
        refused("/", &[HOST, ("X-Fill", &filled(room + 1))]),
        Refusal::HeaderTooLarge
    );
}

#[test]
fn an_absolute_target_must_name_the_same_host() {
    assert_eq!(
        admit("http://app.example.com:8443/x?y", &[HOST])
            .unwrap()
            .path
            .unwrap()
            .as_str(),
        "/x"
    );
    assert_eq!(
        admit("HTTPS://app.example.com:8443", &[HOST])
            .unwrap()
            .path
            .unwrap()
            .as_str(),
        "/"
    );
    assert_eq!(refused("http://evil.example/x", &[HOST]), Refusal::Host);
    assert_eq!(refused("http://app.example.com/x", &[HOST]), Refusal::Host);
}

#[test]
fn the_path_as_sent_is_that_of_either_form_without_the_query() {
    let authority = HOST.1;
    for (sent, path) in [
        ("/", "/"),
        ("/a%2Fb/ü;c?d=/e?f", "/a%2Fb/ü;c"),
        ("/a/http://b?c", "/a/http://b"),
        ("", "/"),
        ("?a=/b", "/"),
    ] {
        let targets = [
            sent.to_owned(),
            format!("http://{authority}{sent}"),
            format!("HTTPS://{authority}{sent}"),
        ];
        for target in targets.iter().filter(|target| admit(target, &[HOST]).is_ok()) {
            assert_eq!(raw_path(&request(target, &[HOST])), path, "{target}");
        }
        assert!(
            admit(&targets[1], &[HOST]).is_ok() && admit(&targets[2], &[HOST]).is_ok(),
            "{sent}"
        );
    }
}

#[test]
fn ambiguous_paths_have_no_reading() {
    for target in ["/a%2fb", "/a%5Cb", "/%00", "/a/../b", "/%2e%2e/", "/%", "/%c0%af"] {
        assert!(admit(target, &[HOST]).unwrap().path.is_err(), "{target}");
    }
    assert_eq!(refused("*", &[HOST]), Refusal::Target);
}

#[test]
fn forwarded_headers_of_strangers_are_ignored() {
    let admitted = admit(
        "/",
        &[
            HOST,
            ("X-Forwarded-For", "1.2.3.4"),
            ("X-Forwarded-Proto", "http"),
            ("X-Forwarded-Host", "evil.example"),
            ("Forwarded", "for=1.2.3.4;host=evil.example"),
        ],
    )
    .unwrap();
    assert_eq!(admitted.client, STRANGER.parse::<IpAddr>().unwrap());
    assert_eq!((admitted.host.as_str(), admitted.scheme), (HOST.1, Scheme::Https));
}

#[test]
fn a_trusted_proxy_says_who_the_viewer_is_and_what_it_spoke() {
    let admitted = admit_from(
        BALANCER,
        "/",
        &[
            HOST,
            ("X-Forwarded-For", "6.6.6.6, 198.51.100.7"),
            ("X-Forwarded-For", "10.9.9.9"),
            ("X-Forwarded-Proto", "http"),
            ("X-Forwarded-Host", "public.example.com"),
        ],
    )
    .unwrap();
    assert_eq!(admitted.client, "198.51.100.7".parse::<IpAddr>().unwrap());
    assert_eq!(
        (admitted.host_name.as_str(), admitted.scheme),
        ("public.example.com", Scheme::Http)
    );
}

#[test]
fn nonsense_from_a_trusted_proxy_is_not_believed() {
    let nonsense = [HOST, ("X-Forwarded-For", "unknown"), ("X-Forwarded-Proto", "gopher")];
    let admitted = admit_from(BALANCER, "/", &nonsense).unwrap();
    assert_eq!(admitted.client, BALANCER.parse::<IpAddr>().unwrap());
    assert_eq!(admitted.scheme, Scheme::Https);
}

#[test]
fn plain_http_is_http_on_loopback_names_only() {
    for (host, scheme) in [
        ("localhost:8080", Scheme::Http),
        ("app.localhost", Scheme::Http),
        ("127.0.0.1:8080", Scheme::Http),
        ("[::1]:8080", Scheme::Http),
        ("app.example.com", Scheme::Https),
    ] {
        assert_eq!(admit("/", &[("Host", host)]).unwrap().scheme, scheme, "{host}");
    }
}
