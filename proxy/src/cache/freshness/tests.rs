use http::HeaderValue;

use super::*;

const NOON: &str = "Sun, 06 Nov 1994 12:00:00 GMT";
const A_MINUTE_AGO: &str = "Sun, 06 Nov 1994 11:59:00 GMT";
const A_MINUTE_ON: &str = "Sun, 06 Nov 1994 12:01:00 GMT";

fn noon() -> SystemTime {
    httpdate::parse_http_date(NOON).unwrap()
}

fn settings() -> CacheSettings {
    CacheSettings {
        min_ttl: Duration::ZERO,
        default_ttl: Duration::from_secs(500),
        max_ttl: Duration::from_secs(1000),
        ..CacheSettings::default()
    }
}

fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers
}

fn judged(status: u16, fields: &[(&'static str, &'static str)]) -> Result<Lifetime, Unfit> {
    let status = StatusCode::from_u16(status).unwrap();
    judge(&settings(), &HeaderMap::new(), status, &headers(fields), noon())
}

#[track_caller]
fn fresh(fields: &[(&'static str, &'static str)], seconds: u64) {
    let lifetime = judged(200, fields).map(|lifetime| lifetime.fresh.as_secs());
    assert_eq!(lifetime, Ok(seconds), "{fields:?}");
}

#[test]
fn the_response_says_how_long_it_is_fresh() {
    fresh(&[("cache-control", "max-age=60")], 60);
    fresh(&[("cache-control", "max-age=60, s-maxage=90")], 90);
    fresh(&[("expires", A_MINUTE_ON)], 60);
    fresh(&[("expires", A_MINUTE_ON), ("date", A_MINUTE_AGO)], 60);
    fresh(&[("expires", A_MINUTE_AGO), ("cache-control", "max-age=30")], 30);
}

#[test]
fn the_default_counts_where_nothing_is_said() {
    fresh(&[], 500);
    fresh(&[("cache-control", "public")], 500);
    fresh(&[("cache-control", "immutable")], 500);
}

#[test]
fn the_bounds_hold_whatever_the_response_says() {
    fresh(&[("cache-control", "max-age=5000")], 1000);
    let bounded = CacheSettings {
        min_ttl: Duration::from_secs(100),
        ..settings()
    };
    let seconds = |fields: &[(&'static str, &'static str)]| {
        let judged = judge(&bounded, &HeaderMap::new(), StatusCode::OK, &headers(fields), noon());
        judged.map(|lifetime| lifetime.fresh.as_secs())
    };
    assert_eq!(seconds(&[("cache-control", "max-age=5")]), Ok(100));
    assert_eq!(seconds(&[("expires", "0")]), Ok(100));
    assert_eq!(seconds(&[("cache-control", "no-cache"), ("etag", "\"a\"")]), Ok(0));
    assert_eq!(
        seconds(&[("cache-control", "private, max-age=5")]),
        Err(Unfit::Forbidden)
    );
    assert_eq!(seconds(&[("cache-control", "no-store")]), Err(Unfit::Forbidden));
}

#[test]
fn an_age_is_taken_off() {
    fresh(&[("cache-control", "max-age=60"), ("age", "20")], 40);
    fresh(&[("cache-control", "max-age=90"), ("date", A_MINUTE_AGO)], 30);
    fresh(
        &[("cache-control", "max-age=90"), ("date", A_MINUTE_AGO), ("age", "80")],
        10,
    );
    fresh(&[("cache-control", "max-age=90"), ("date", A_MINUTE_ON)], 90);
    fresh(&[("cache-control", "max-age=60"), ("age", "soon")], 60);
    let old = judged(
        200,
        &[("cache-control", "max-age=60"), ("age", "70"), ("etag", "\"a\"")],
    )
    .unwrap();
    assert_eq!((old.fresh.as_secs(), old.age.as_secs()), (0, 70));
}

#[test]
fn what_is_stale_at_once_needs_something_to_be_revalidated_by() {
    for fields in [
        &[("cache-control", "max-age=0")][..],
        &[("cache-control", "no-cache")],
        &[("expires", "0")],
        &[("expires", A_MINUTE_ON), ("expires", A_MINUTE_ON)],
    ] {
        assert_eq!(judged(200, fields), Err(Unfit::StaleAtOnce), "{fields:?}");
        for validator in [("etag", "\"a\""), ("last-modified", A_MINUTE_AGO)] {
            fresh(&[fields, &[validator]].concat(), 0);
        }
    }
    fresh(&[("cache-control", "max-age=0, stale-if-error=9")], 0);
}

#[test]
fn what_is_for_one_viewer_is_not_kept() {
    assert_eq!(
        judged(200, &[("set-cookie", "a=b"), ("cache-control", "public, max-age=9")]),
        Err(Unfit::SetsCookie)
    );
    assert_eq!(judged(200, &[("cache-control", "private")]), Err(Unfit::Forbidden));
    assert_eq!(
        judged(200, &[("cache-control", "private=\"x\", s-maxage=9")]),
        Err(Unfit::Forbidden)
    );
    for vary in ["*", "Accept, *", "Cookie", "accept-language,COOKIE", "Authorization"] {
        let fields = HeaderMap::from_iter([(VARY, HeaderValue::from_static(vary))]);
        let judged = judge(&settings(), &HeaderMap::new(), StatusCode::OK, &fields, noon());
        assert_eq!(judged, Err(Unfit::Vary), "{vary}");
    }
    fresh(&[("vary", "Accept-Encoding, Accept-Language")], 500);
}

#[test]
fn an_authorized_answer_needs_leave() {
    let request = headers(&[("authorization", "Basic YTpi")]);
    let authorized = |control: &'static str| {
        let response = headers(&[("cache-control", control)]);
        judge(&settings(), &request, StatusCode::OK, &response, noon()).map(|lifetime| lifetime.fresh.as_secs())
    };
    assert_eq!(authorized("max-age=60"), Err(Unfit::Authorized));
    assert_eq!(authorized("max-age=60, public"), Ok(60));
    assert_eq!(authorized("s-maxage=60"), Ok(60));
    assert_eq!(authorized("max-age=60, must-revalidate"), Ok(60));
}

#[test]
fn redirects_need_an_explicit_lifetime_and_errors_a_configured_one() {
    for status in [301, 302, 307, 308] {
        assert_eq!(judged(status, &[]), Err(Unfit::Status), "{status}");
        let lifetime = judged(status, &[("cache-control", "max-age=60")]).unwrap();
        assert_eq!(lifetime.fresh.as_secs(), 60, "{status}");
    }
    for status in [204, 206, 303, 304, 400, 401, 403, 404, 410, 416, 500, 503] {
        assert_eq!(
            judged(status, &[("cache-control", "max-age=60")]),
            Err(Unfit::Status),
            "{status}"
        );
    }
    let negative = CacheSettings {
        error_ttl: Duration::from_secs(10),
        ..settings()
    };
    for (status, control, expected) in [
        (404, "", Ok(10)),
        (410, "", Ok(10)),
        (404, "max-age=5", Ok(10)),
        (404, "max-age=50", Ok(50)),
        (404, "no-store", Err(Unfit::Forbidden)),
        (403, "", Err(Unfit::Status)),
        (500, "", Err(Unfit::Status)),
    ] {
        let response = headers(&[("cache-control", control)]);
        let judged = judge(
            &negative,
            &HeaderMap::new(),
            StatusCode::from_u16(status).unwrap(),
            &response,
            noon(),
        );
        assert_eq!(
            judged.map(|lifetime| lifetime.fresh.as_secs()),
            expected,
            "{status} {control}"
        );
    }
}

#[test]
fn stale_service_is_for_responses_that_do_not_forbid_it() {
    let configured = CacheSettings {
        stale_while_revalidate: Duration::from_secs(30),
        stale_if_error: Duration::from_secs(40),
        ..settings()
    };
    for (control, expected) in [
        ("max-age=1", (30, 40)),
        ("max-age=1, stale-while-revalidate=5", (5, 40)),
        ("max-age=1, stale-if-error=0", (30, 0)),
        ("s-maxage=1", (0, 0)),
        ("s-maxage=1, stale-while-revalidate=5, stale-if-error=6", (5, 6)),
        ("max-age=1, must-revalidate", (0, 0)),
        ("max-age=1, must-revalidate, stale-if-error=6", (0, 0)),
        ("max-age=1, proxy-revalidate", (0, 0)),
    ] {
        let response = headers(&[("cache-control", control)]);
        let lifetime = judge(&configured, &HeaderMap::new(), StatusCode::OK, &response, noon()).unwrap();
        assert_eq!(
            (lifetime.stale_while_revalidate, lifetime.stale_if_error),
            expected,
            "{control}"
        );
    }
}
