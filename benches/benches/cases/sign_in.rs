//! The way back from the hosted UI: the callback is matched, the token endpoint's reply becomes cookies.

use std::hint::black_box;

use auth_core::{Authenticator, Decision, HttpReply, PendingCall, Reason, Request, Response, Step};
use benches::{NOW, SystemEntropy, get, id_token, site};
use serde_json::json;

use super::Case;

pub(crate) fn cases() -> Vec<Case> {
    vec![callback(), whole()]
}

/// What a browser comes back with.
struct Callback {
    query: String,
    cookies: String,
}

impl Callback {
    /// Begins a sign-in, as a first visit does.
    fn of(auth: &Authenticator) -> Self {
        let response = responded(auth.begin(&get(&[]), NOW, &mut SystemEntropy));
        let location = response.headers.first("location").expect("a redirect");
        let state = location
            .split(['?', '&'])
            .find(|parameter| parameter.starts_with("state="));
        let set = response
            .headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
        let cookies: Vec<&str> = set.filter_map(|(_, value)| value.split(';').next()).collect();
        Self {
            query: format!("code=b3c1f0aa-5f0e-4a53-9f0e-2f6d7c8b9a01&{}", state.expect("a state")),
            cookies: cookies.join("; "),
        }
    }

    /// Matched with the sign-in that it ends.
    fn take(&self, auth: &Authenticator) -> PendingCall {
        let cookies = [self.cookies.as_str()];
        let request = Request {
            path: "/parseauth",
            query: &self.query,
            ..get(black_box(&cookies))
        };
        match auth.begin(&request, NOW, &mut SystemEntropy) {
            Step::Call(call) => call,
            Step::Decided(decision) => unreachable!("{:?}", decision.reason()),
        }
    }
}

fn responded(step: Step) -> Response {
    match step {
        Step::Decided(Decision::Respond(response)) => response,
        Step::Decided(Decision::Forward(_)) | Step::Call(_) => unreachable!("it is answered by us"),
    }
}

fn callback() -> Case {
    let auth = site(16);
    let callback = Callback::of(&auth);
    Case::new("sign_in/callback", move || {
        let _ = black_box(callback.take(&auth));
    })
}

/// The callback, and what becomes of the tokens: eleven Set-Cookie headers and a redirect.
fn whole() -> Case {
    let auth = site(16);
    let callback = Callback::of(&auth);
    let tokens = json!({
        "id_token": id_token(0), "access_token": "a".repeat(1_050), "refresh_token": "r".repeat(1_750),
        "expires_in": 3600, "token_type": "Bearer"
    });
    let reply = HttpReply {
        status: 200,
        content_type: Some("application/json;charset=UTF-8".to_owned()),
        body: tokens.to_string().into_bytes(),
    };
    Case::new("sign_in/callback_and_cookies", move || {
        let call = callback.take(&auth);
        let response = responded(call.resume(Ok(reply.clone()), NOW, &mut SystemEntropy));
        assert_eq!(black_box(response).reason, Reason::SignedIn);
    })
}
