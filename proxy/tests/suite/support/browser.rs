//! A browser without a screen: keeps cookies as browsers do, follows redirects by itself where it is told to.

use std::{
    net::SocketAddr,
    time::{SystemTime, UNIX_EPOCH},
};

use cookie::Cookie;

use super::{
    http::{Request, Response, Wire},
    url::{Url, form},
};

/// More redirects than any honest flow has.
const LOOP: usize = 12;

/// A cookie in the jar. Ports do not separate cookies (RFC 6265, section 8.5), so hosts do here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    host: String,
    pub(crate) name: String,
    pub(crate) value: String,
    path: String,
    /// HTTP-only ones are not for scripts.
    pub(crate) http_only: bool,
}

/// One person's browser.
#[derive(Clone, Debug, Default)]
pub(crate) struct Browser {
    jar: Vec<Kept>,
    /// Hosts that are elsewhere than on the loopback address.
    routes: Vec<(String, SocketAddr)>,
    /// Sent with every request.
    headers: Vec<(String, String)>,
    /// Every URL that was asked for, in order.
    pub(crate) history: Vec<Url>,
    /// Every value that `Set-Cookie` ever had, and every code that passed by.
    pub(crate) secrets: Vec<String>,
}

impl Browser {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Finds a host at this address.
    pub(crate) fn route(mut self, host: &str, address: SocketAddr) -> Self {
        self.routes.push((host.to_owned(), address));
        self
    }

    /// Sends this with every request, as a balancer in front would add it.
    pub(crate) fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// One request, no redirect followed.
    pub(crate) fn get(&mut self, url: &str) -> Response {
        self.send(&Url::parse(url), Request::get(""))
    }

    /// Follows redirects to the end. The last URL is the last of the history.
    pub(crate) fn open(&mut self, url: &str) -> Response {
        let response = self.get(url);
        self.follow_from(Url::parse(url), response)
    }

    /// Opens a page that leads to the hosted UI, fills the form there, and goes on to where that leads.
    pub(crate) fn sign_in(&mut self, url: &str, user: &str, password: &str) -> Response {
        let page = self.open(url).text();
        let form_url = self.here();
        assert_eq!(form_url.path(), "/login", "{page}");
        let answer = self.submit(&page, user, password);
        self.follow_from(form_url, answer)
    }

    /// Fills and sends the form of the page at hand; no redirect followed.
    pub(crate) fn submit(&mut self, page: &str, user: &str, password: &str) -> Response {
        let csrf = page
            .split_once("name=\"_csrf\" value=\"")
            .and_then(|(_, rest)| rest.split_once('"'))
            .unwrap_or_else(|| panic!("no sign-in form: {page}"))
            .0;
        let body = form(&[("_csrf", csrf), ("username", user), ("password", password)]);
        let kind = "application/x-www-form-urlencoded";
        let post = Request::new("POST", "").header("Content-Type", kind).body(body);
        self.send(&self.here(), post)
    }

    /// Where the browser is now.
    pub(crate) fn here(&self) -> Url {
        self.history.last().unwrap().clone()
    }

    /// The value of a cookie by the end of its name, on any host.
    pub(crate) fn cookie(&self, suffix: &str) -> Option<&Kept> {
        self.jar.iter().find(|kept| kept.name.ends_with(suffix))
    }

    /// Replaces the value of a cookie, as an attacker with access to the browser can.
    pub(crate) fn tamper(&mut self, suffix: &str, change: impl Fn(&str) -> String) {
        let mut changed = 0;
        for kept in self.jar.iter_mut().filter(|kept| kept.name.ends_with(suffix)) {
            kept.value = change(&kept.value);
            changed += 1;
        }
        assert_eq!(changed, 1, "one cookie {suffix}");
    }

    pub(crate) fn forget(&mut self, suffix: &str) {
        self.jar.retain(|kept| !kept.name.ends_with(suffix));
    }

    /// Drops all cookies of a host.
    pub(crate) fn clear(&mut self, host: &str) {
        self.jar.retain(|kept| kept.host != host);
    }

    /// Names of the cookies of a host.
    pub(crate) fn names(&self, host: &str) -> Vec<&str> {
        let mut names: Vec<&str> = self.of(host).map(|kept| kept.name.as_str()).collect();
        names.sort_unstable();
        names
    }

    /// The cookies of a host, as stolen from the browser's disk.
    pub(crate) fn of(&self, host: &str) -> impl Iterator<Item = &Kept> {
        self.jar.iter().filter(move |kept| kept.host == host)
    }

    /// The `Cookie` header for a URL.
    pub(crate) fn cookie_header(&self, url: &Url) -> String {
        let mut fitting: Vec<&Kept> = self.of(url.host()).filter(|kept| kept.reaches(url.path())).collect();
        // RFC 6265, section 5.4: longer paths first.
        fitting.sort_by_key(|kept| std::cmp::Reverse(kept.path.len()));
        let pairs: Vec<String> = fitting
            .iter()
            .map(|kept| format!("{}={}", kept.name, kept.value))
            .collect();
        pairs.join("; ")
    }

    fn follow_from(&mut self, url: Url, response: Response) -> Response {
        let (mut url, mut response) = (url, response);
        for _ in 0..LOOP {
            if !matches!(response.status, 301 | 302 | 303 | 307) {
                return response;
            }
            url = url.join(response.location());
            response = self.send(&url, Request::get(""));
        }
        panic!("a redirect loop: {:#?}", self.history);
    }

    fn send(&mut self, url: &Url, mut request: Request) -> Response {
        request.target.clone_from(&url.target);
        let cookies = self.cookie_header(url);
        if !cookies.is_empty() {
            request = request.header("Cookie", cookies);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value.clone());
        }
        self.history.push(url.clone());
        self.secrets.extend(url.param("code"));
        let response = Wire::connect(self.address(url)).send(&request.header("Connection", "close"), &url.authority);
        for field in response.all("set-cookie") {
            self.keep(url, field);
        }
        response
    }

    fn address(&self, url: &Url) -> SocketAddr {
        let routed = self.routes.iter().find(|(host, _)| host == url.host());
        routed.map_or_else(
            || SocketAddr::from(([127, 0, 0, 1], url.port().expect("a port"))),
            |(_, address)| *address,
        )
    }

    fn keep(&mut self, url: &Url, field: &str) {
        let cookie = Cookie::parse(field).unwrap_or_else(|error| panic!("{error}: {field}"));
        assert!(field.len() < 4096, "browsers drop a cookie of this size: {field}");
        let path = match cookie.path() {
            Some(path) if path.starts_with('/') => path.to_owned(),
            _ => url.path().rsplit_once('/').map_or("/", |(folder, _)| folder).to_owned(),
        };
        self.jar
            .retain(|kept| !(kept.host == url.host() && kept.name == cookie.name() && kept.path == path));
        if cookie.value().len() > 12 {
            self.secrets.push(cookie.value().to_owned());
        }
        let secure_context = url.scheme == "https" || is_loopback(url.host());
        if is_over(&cookie) || cookie.secure() == Some(true) && !secure_context {
            return;
        }
        self.jar.push(Kept {
            host: url.host().to_owned(),
            name: cookie.name().to_owned(),
            value: cookie.value().to_owned(),
            path,
            http_only: cookie.http_only() == Some(true),
        });
    }
}

impl Kept {
    /// RFC 6265, section 5.1.4.
    fn reaches(&self, path: &str) -> bool {
        path.strip_prefix(&self.path)
            .is_some_and(|rest| rest.is_empty() || self.path.ends_with('/') || rest.starts_with('/'))
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost") || host.starts_with("127.")
}

fn is_over(cookie: &Cookie<'_>) -> bool {
    if let Some(age) = cookie.max_age() {
        return age.whole_seconds() <= 0;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    cookie
        .expires_datetime()
        .is_some_and(|expires| expires.unix_timestamp() <= now.cast_signed())
}
