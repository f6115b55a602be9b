//! A browser without a screen: keeps cookies, follows nothing by itself.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use dev_idp::{Client, DevIdp, Running, Settings, User};
use serde_json::Value;

use crate::client::{Request, Response};

pub(crate) const CALLBACK: &str = "https://app.example/parseauth";
pub(crate) const SIGNED_OUT: &str = "https://app.example/";
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// RFC 7636, appendix B.
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Clients `web` (public) and `vault` (secret `hush`); users alice (group readers) and bob.
pub(crate) fn settings() -> Settings {
    Settings {
        clients: vec![
            Client::public("web")
                .callback(CALLBACK)
                .callback("http://localhost:*/cb")
                .sign_out(SIGNED_OUT),
            Client::confidential("vault", "hush")
                .callback(CALLBACK)
                .sign_out(SIGNED_OUT),
        ],
        users: vec![
            User::new("alice", "wonderland 1").groups(["readers"]),
            User::new("bob", "builder 1")
                .email("bob@corp.example")
                .subject("bob-sub"),
        ],
        ..Settings::default()
    }
}

pub(crate) async fn start() -> Running {
    DevIdp::start(settings()).await.unwrap()
}

pub(crate) fn query(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

/// The parameters of a URL's query.
pub(crate) fn params(url: &str) -> BTreeMap<String, String> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// A plain authorization request of the client `web`, with changes; an empty value removes a parameter.
pub(crate) fn authorization(changes: &[(&str, &str)]) -> String {
    let mut pairs = BTreeMap::from([
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("client_id", "web"),
        ("state", "s t+a/t=e"),
        ("scope", "openid email"),
        ("code_challenge_method", "S256"),
        ("code_challenge", CHALLENGE),
    ]);
    pairs.extend(changes.iter().copied());
    pairs.retain(|_, value| !value.is_empty());
    query(&pairs.into_iter().collect::<Vec<_>>())
}

pub(crate) struct Browser {
    base: String,
    pub(crate) cookies: BTreeMap<String, String>,
}

impl Browser {
    pub(crate) fn new(idp: &Running) -> Self {
        Self::at(&idp.url())
    }

    pub(crate) fn at(url: &str) -> Self {
        Self {
            base: url.to_owned(),
            cookies: BTreeMap::new(),
        }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Response {
        let request = Request::get(format!("{}{path}", self.base));
        self.send(request).await
    }

    pub(crate) async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Response {
        let request = Request::post(format!("{}{path}", self.base)).form(query(form));
        self.send(request).await
    }

    async fn send(&mut self, request: Request) -> Response {
        let jar: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let response = request.header("cookie", jar.join("; ")).send().await;
        for field in response.headers().get_all("set-cookie") {
            let cookie = cookie::Cookie::parse(field.to_str().unwrap().to_owned()).unwrap();
            match cookie.max_age().is_some_and(|age| age.is_zero()) {
                true => drop(self.cookies.remove(cookie.name())),
                false => drop(self.cookies.insert(cookie.name().to_owned(), cookie.value().to_owned())),
            }
        }
        response
    }

    /// Fills the sign-in form for an authorization request and sends it.
    pub(crate) async fn sign_in(&mut self, authorization: &str, username: &str, password: &str) -> Response {
        let path = format!("/login?{authorization}");
        let page = self.get(&path).await.text().await;
        let csrf = between(&page, "name=\"_csrf\" value=\"", "\"").to_owned();
        self.post(
            &path,
            &[("_csrf", &csrf), ("username", username), ("password", password)],
        )
        .await
    }

    /// An authorization code for alice.
    pub(crate) async fn code(&mut self, changes: &[(&str, &str)]) -> String {
        let response = self.sign_in(&authorization(changes), "alice", "wonderland 1").await;
        params(location(&response)).remove("code").unwrap()
    }
}

pub(crate) fn location(response: &Response) -> &str {
    assert_eq!(response.status(), 302);
    response.headers()["location"].to_str().unwrap()
}

pub(crate) fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    text.split_once(before)
        .and_then(|(_, rest)| rest.split_once(after))
        .unwrap_or_else(|| panic!("{before} in {text}"))
        .0
}

/// A token or revocation request; `basic` is `id:secret`.
pub(crate) async fn post_form(idp: &Running, path: &str, basic: Option<&str>, form: &[(&str, &str)]) -> Response {
    let mut request = Request::post(format!("{}{path}", idp.url())).form(query(form));
    if let Some(credentials) = basic {
        request = request.header("authorization", format!("Basic {}", STANDARD.encode(credentials)));
    }
    request.send().await
}

/// Status 400 and this code, as RFC 6749, 5.2, has it.
pub(crate) async fn assert_error(response: Response, code: &str) {
    assert_eq!(response.status(), 400);
    assert_eq!(response.headers()["content-type"], "application/json;charset=UTF-8");
    assert_eq!(response.json().await, serde_json::json!({ "error": code }));
}

/// A token's part, unverified: 0 is the header, 1 the claims.
pub(crate) fn part(token: &str, index: usize) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(index).unwrap()).unwrap()).unwrap()
}

/// Whether a key of `jwks` signed `token`, checked with ring alone.
pub(crate) fn verifies(token: &str, jwks: &Value) -> bool {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let kid = &part(token, 0)["kid"];
    let Some(key) = jwks["keys"].as_array().unwrap().iter().find(|key| key["kid"] == *kid) else {
        return false;
    };
    let decode = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
    let public = ring::rsa::PublicKeyComponents {
        n: decode("n"),
        e: decode("e"),
    };
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    public
        .verify(
            &ring::signature::RSA_PKCS1_2048_8192_SHA256,
            message.as_bytes(),
            &signature,
        )
        .is_ok()
}
