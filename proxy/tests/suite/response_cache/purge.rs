//! Answers that operators have thrown away.

use super::{fresh, plan, seen};
use crate::support::{
    http::{Request, Response},
    site::Site,
};

pub(super) fn purge(site: &Site, query: &str) -> Response {
    let request = Request::new("POST", &format!("/purge?{query}"));
    crate::support::http::exchange(site.admin.unwrap(), "admin", &request)
}

#[test]
fn operators_purge_by_path_prefix_or_everything() {
    let origin = fresh();
    let site = plan(&origin).start();
    let session = site.session();
    let fill = || {
        for target in ["/a/1", "/a/2?x=1", "/b c"] {
            site.get(&target.replace(' ', "%20"), &session);
        }
    };
    let outcome = |target: &str| seen(&site.get(target, &session)).0;
    fill();
    assert_eq!(purge(&site, "site=app&path=/a/2").text(), "purged 1\n");
    assert_eq!((outcome("/a/1"), outcome("/a/2?x=1")), ("hit".into(), "miss".into()));
    assert_eq!(purge(&site, "site=app&prefix=/a/").text(), "purged 2\n");
    assert_eq!(purge(&site, "site=other&all=true").text(), "purged 0\n");
    assert_eq!(purge(&site, "path=/b%20c").text(), "purged 1\n");
    assert_eq!(outcome("/b%20c"), "miss");
    fill();
    assert_eq!(purge(&site, "all=true").text(), "purged 3\n");
    assert_eq!(site.metric("portcullis_cache_entries"), 0.0);
    assert_eq!(purge(&site, "").status, 400);
    assert_eq!(site.admin("/purge?all=true").status, 405);
}

#[test]
fn viewers_cannot_purge() {
    let origin = fresh();
    let site = plan(&origin).start();
    let session = site.session();
    site.get("/a", &session);
    for method in ["POST", "PURGE", "GET"] {
        let request = Request::new(method, "/purge?all=true").header("Cookie", &*session);
        site.ask(&request);
    }
    assert_eq!(seen(&site.get("/a", &session)).0, "hit");
}
