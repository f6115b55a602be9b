//! A reply of the token endpoint or of the JWK set's server: endpoint and status, content type, body.

use auth_core::{AfterAttempt, HttpReply, NoHeaders, Request, Scheme, Step};

use crate::site::{NOW, NoEntropy, check, site};

/// A session whose refresh is due: nonce and signature fit the fixed entropy and time.
const REFRESH_COOKIES: &str = "CognitoIdentityServiceProvider.c.undefined.idToken=x.e30.x; \
    CognitoIdentityServiceProvider.c.undefined.refreshToken=r";

pub(crate) fn run(data: &[u8]) {
    let mut lines = data.splitn(3, |&byte| byte == b'\n');
    let first = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let (endpoint, status) = first.split_once(' ').unwrap_or(("jwks", &first));
    let reply = Ok(HttpReply {
        status: status.parse().unwrap_or(200),
        content_type: lines.next().map(|line| String::from_utf8_lossy(line).into_owned()),
        body: lines.next().unwrap_or_default().to_vec(),
    });
    let auth = site(r#"{"keys": []}"#);
    // Sent to sign in, the viewer comes back with the state and the cookies that they were given.
    let sign_in = begin(&auth, "/", "", &[]);
    let (mut query, mut cookies) = (String::new(), Vec::new());
    if let Step::Decided(auth_core::Decision::Respond(response)) = sign_in {
        let location = response.headers.first("location").unwrap_or_default();
        let state = location
            .split("state=")
            .nth(1)
            .and_then(|rest| rest.split('&').next())
            .unwrap_or_default();
        query = format!("code=c&state={state}");
        cookies = response
            .headers
            .iter()
            .filter(|(name, _)| *name == "set-cookie")
            .filter_map(|(_, value)| value.split(';').next().map(str::to_owned))
            .collect();
    }
    let step = match endpoint {
        "token" => begin(&auth, "/parseauth", &query, &[&cookies.join("; ")]),
        "refresh" => {
            let nonce = cookies
                .first()
                .and_then(|cookie| cookie.split_once('='))
                .map_or("", |(_, value)| value);
            let query = format!("requestedUri=%2F&nonce={nonce}");
            begin(&auth, "/refreshauth", &query, &[&cookies.join("; "), REFRESH_COOKIES])
        }
        // A token of our issuer with an unknown key.
        _ => begin(&auth, "/", "", &[UNKNOWN_KEY]),
    };
    let Step::Call(pending) = step else {
        panic!("no call to reply to: {step:?}")
    };
    if let AfterAttempt::RetryAfter(pause) = pending.call().retry.after_attempt(2, &reply, &mut NoEntropy) {
        assert!(pause.as_secs() < 5);
    }
    match pending.resume(reply, NOW, &mut NoEntropy) {
        Step::Decided(decision) => check(&decision),
        Step::Call(_) => panic!("one call led to another"),
    }
}

/// `{"alg":"RS256","kid":"k"}`, `{"iss":…our pool…}`, and no signature to speak of.
const UNKNOWN_KEY: &str = "CognitoIdentityServiceProvider.c.undefined.idToken=\
    eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.\
    eyJpc3MiOiJodHRwczovL2NvZ25pdG8taWRwLmV1LXdlc3QtMS5hbWF6b25hd3MuY29tL2V1LXdlc3QtMV9BYjEyQ2QzNEUifQ.AAAA";

fn begin(auth: &auth_core::Authenticator, path: &str, query: &str, cookies: &[&str]) -> Step {
    let request = Request {
        method: "GET",
        scheme: Scheme::Https,
        host: "site.example",
        path,
        query,
        cookies,
        headers: &NoHeaders,
    };
    auth.begin(&request, NOW, &mut NoEntropy)
}
