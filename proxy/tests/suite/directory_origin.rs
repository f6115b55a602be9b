//! A folder behind the sign-in.

use std::{fs, os::unix::fs::symlink};

use serde_json::json;

use crate::support::{
    http::Request,
    origin::CONTENT,
    site::{Plan, Site},
};

fn site() -> Site {
    let plan = Plan::bare();
    let root = plan.folder().join("root");
    fs::create_dir_all(root.join("sub dir")).unwrap();
    fs::write(root.join("index.html"), CONTENT).unwrap();
    fs::write(root.join("digits.txt"), "0123456789").unwrap();
    fs::write(root.join("sub dir/ä+b.txt"), "odd").unwrap();
    fs::write(plan.folder().join("outside.txt"), "outside").unwrap();
    symlink(plan.folder().join("outside.txt"), root.join("link.txt")).unwrap();
    plan.origin(json!({ "kind": "directory", "root": root })).start()
}

#[test]
fn files_are_served_with_types_parts_and_validators() {
    let site = site();
    let session = site.session();
    let ask = |name: &str, value: &str| {
        site.ask(
            &Request::get("/digits.txt")
                .header("Cookie", &*session)
                .header(name, value),
        )
    };
    let whole = site.get("/digits.txt", &session);
    assert_eq!((whole.status, whole.text().as_str()), (200, "0123456789"));
    assert!(whole.header("content-type").unwrap().starts_with("text/plain"));
    let part = ask("Range", "bytes=3-5");
    assert_eq!((part.status, part.text().as_str()), (206, "345"));
    assert_eq!(ask("Range", "bytes=50-").status, 416);
    assert_eq!(ask("If-None-Match", whole.header("etag").unwrap()).status, 304);
    assert_eq!(site.get("/sub%20dir/%C3%A4+b.txt", &session).text(), "odd");
    assert_eq!(site.get("/", &session).text(), CONTENT);
}

#[test]
fn nothing_outside_of_the_folder_is_served() {
    let site = site();
    let session = site.session();
    for target in [
        "/link.txt",
        "/sub%20dir",
        "/sub%20dir/",
        "/missing",
        "/index.html/",
        "/digits.txt/x",
    ] {
        let response = site.get(target, &session);
        assert_eq!(response.status, 404, "{target}");
        assert!(!response.text().contains("outside"));
    }
    for target in [
        "/../outside.txt",
        "/%2e%2e/outside.txt",
        "/sub%20dir/..%2f..%2foutside.txt",
    ] {
        assert_eq!(site.get(target, &session).status, 400, "{target}");
    }
}

#[test]
fn a_folder_is_only_read() {
    let site = site();
    for method in ["POST", "PUT", "DELETE"] {
        let request = Request::new(method, "/digits.txt")
            .header("Cookie", site.session())
            .body("x");
        assert_eq!(site.ask(&request).status, 405, "{method}");
    }
    assert_eq!(site.get("/digits.txt", &site.session()).text(), "0123456789");
}

#[test]
fn a_site_without_sign_in_is_public_because_it_says_so() {
    let site = Plan::directory()
        .site("auth", json!({ "insecure_auth_off": true }))
        .start();
    assert_eq!(site.get("/page.html", "").text(), format!("page.html {CONTENT}"));
    assert_eq!(site.get("/signout", "").status, 404);
}
