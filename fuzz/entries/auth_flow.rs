//! A request: endpoint, path, query and Cookie fields, a line each.

use auth_core::{CallError, Endpoint, NoHeaders, Request, Scheme, Step};

use crate::site::{NOW, NoEntropy, check, site};

pub(crate) fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let endpoint = match lines.next() {
        Some("signin") => Endpoint::SignIn,
        Some("refresh") => Endpoint::Refresh,
        Some("signout") => Endpoint::SignOut,
        _ => Endpoint::Protected,
    };
    let (path, query) = (lines.next().unwrap_or("/"), lines.next().unwrap_or(""));
    let cookies: Vec<&str> = lines.collect();
    let request = Request {
        method: "GET",
        scheme: Scheme::Https,
        host: "site.example",
        path,
        query,
        cookies: &cookies,
        headers: &NoHeaders,
    };
    let auth = site(r#"{"keys": []}"#);
    let _ = auth.config().endpoint_of(path);
    let mut step = auth.begin_at(endpoint, &request, NOW, &mut NoEntropy);
    loop {
        match step {
            Step::Decided(decision) => return check(&decision),
            Step::Call(pending) => step = pending.resume(Err(CallError::Timeout), NOW, &mut NoEntropy),
        }
    }
}
