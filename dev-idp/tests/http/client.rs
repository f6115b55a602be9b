//! A plain HTTP client: no TLS, no cookies, no redirects followed.

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{HeaderMap, Method, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

pub(crate) struct Request {
    builder: http::request::Builder,
    body: String,
}

impl Request {
    pub(crate) fn new(method: Method, url: impl AsRef<str>) -> Self {
        Self {
            builder: http::Request::builder().method(method).uri(url.as_ref()),
            body: String::new(),
        }
    }

    pub(crate) fn get(url: impl AsRef<str>) -> Self {
        Self::new(Method::GET, url)
    }

    pub(crate) fn post(url: impl AsRef<str>) -> Self {
        Self::new(Method::POST, url)
    }

    pub(crate) fn header(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.builder = self.builder.header(name, value.as_ref());
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    pub(crate) fn form(mut self, body: String) -> Self {
        self.body = body;
        self.header("content-type", "application/x-www-form-urlencoded")
    }

    pub(crate) fn json(mut self, body: impl ToString) -> Self {
        self.body = body.to_string();
        self.header("content-type", "application/json")
    }

    pub(crate) async fn send(self) -> Response {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let request = self.builder.body(Full::new(Bytes::from(self.body))).unwrap();
        Response(client.request(request).await.unwrap())
    }
}

pub(crate) struct Response(http::Response<Incoming>);

impl Response {
    pub(crate) fn status(&self) -> StatusCode {
        self.0.status()
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        self.0.headers()
    }

    pub(crate) async fn bytes(self) -> Bytes {
        self.0.into_body().collect().await.unwrap().to_bytes()
    }

    pub(crate) async fn text(self) -> String {
        String::from_utf8(self.bytes().await.to_vec()).unwrap()
    }

    pub(crate) async fn json(self) -> serde_json::Value {
        serde_json::from_slice(&self.bytes().await).unwrap()
    }
}
