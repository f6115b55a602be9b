//! The value of an id token cookie: whatever it is, it makes no session.

use auth_core::{CallError, NoHeaders, Request, Scheme, Step};

use crate::site::{NOW, NoEntropy, check, site};

const JWKS: &str = include_str!("../../auth-core/tests/keys/jwks.json");

pub(crate) fn run(data: &[u8]) {
    let token = String::from_utf8_lossy(data);
    let field = format!("CognitoIdentityServiceProvider.c.undefined.idToken={token}");
    let cookies = [field.as_str()];
    let request = Request {
        method: "GET",
        scheme: Scheme::Https,
        host: "site.example",
        path: "/",
        query: "",
        cookies: &cookies,
        headers: &NoHeaders,
    };
    match site(JWKS).begin(&request, NOW, &mut NoEntropy) {
        Step::Decided(decision) => check(&decision),
        Step::Call(pending) => match pending.resume(Err(CallError::Timeout), NOW, &mut NoEntropy) {
            Step::Decided(decision) => check(&decision),
            Step::Call(_) => panic!("asked for the keys twice"),
        },
    }
}
