//! Generated requests: the proxy's answer is the core's decision, rendered.

use auth_core::{
    Authenticator, Capabilities, Config, Decision, Entropy, NoHeaders, Request as CoreRequest, Scheme, Step, UnixTime,
    json::Json,
};
use proptest::{
    prelude::*,
    test_runner::{Config as RunnerConfig, TestRunner},
};
use proxy::CanonicalPath;
use serde_json::Value;

use super::{
    super::support::http::{Request, Response},
    drive::passing_vector,
    origin_requests::stage,
    relations::Captured,
    translate,
};

const HOST: &str = "d111111abcdef8.cloudfront.net";
const CASES: u32 = 400;

/// Random parts do not matter here: they are replaced before anything is compared.
struct Zeros(u8);

impl Entropy for Zeros {
    fn fill(&mut self, out: &mut [u8]) {
        self.0 = self.0.wrapping_add(1);
        out.fill(self.0);
    }
}

/// What either of them says of a request.
#[derive(Debug, PartialEq)]
enum Said {
    Passed,
    /// Calls the token endpoint.
    Calls,
    Answered(Value),
}

fn methods() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("GET"), Just("HEAD")]
}

fn paths() -> impl Strategy<Value = String> {
    let odd = "[a-z%2eEfF/;.:@&=+$,~_!*'()-]{0,24}";
    prop_oneof![
        3 => odd.prop_map(|rest| format!("/{rest}")),
        1 => Just("/parseauth".to_owned()),
        1 => Just("/refreshauth".to_owned()),
        1 => Just("/signout".to_owned()),
        1 => Just("/%73ignout".to_owned()),
        1 => Just("/signout/".to_owned()),
    ]
}

fn queries() -> impl Strategy<Value = String> {
    let parameter = prop_oneof![
        "(code|state|nonce|error|error_description|requestedUri)=[A-Za-z0-9%+._~-]{0,20}",
        "[a-z&=%+?/]{0,12}",
    ];
    prop::collection::vec(parameter, 0..4).prop_map(|parameters| parameters.join("&"))
}

/// A good session, broken ones, flow cookies and noise, in any number and order.
fn cookies(good: String) -> impl Strategy<Value = Vec<String>> {
    let broken = good.replace("idToken=ey", "idToken=yy");
    let pair = prop_oneof![
        2 => Just(good),
        1 => Just(broken),
        2 => "spa-auth-edge-(nonce|nonce-hmac|pkce|refresh)=[A-Za-z0-9%T\"]{0,20}",
        1 => "(ID-TOKEN|x|CognitoIdentityServiceProvider\\.[a-z]{1,3}\\.LastAuthUser)=[a-z%\"=.]{0,12}",
        1 => "[ -:<-~]{0,16}",
    ];
    prop::collection::vec(pair, 0..4)
}

fn core(auth: &Authenticator, now: UnixTime, method: &str, path: &str, query: &str, fields: &[String]) -> Said {
    let trimmed: Vec<&str> = fields.iter().map(|field| field.trim()).collect();
    let request = CoreRequest {
        method,
        scheme: Scheme::Https,
        host: HOST,
        path,
        query,
        cookies: &trimmed,
        headers: &NoHeaders,
    };
    match auth.begin(&request, now, &mut Zeros(0)) {
        Step::Call(_) => Said::Calls,
        Step::Decided(Decision::Forward(_)) => Said::Passed,
        Step::Decided(Decision::Respond(response)) => {
            let mut result = super::replay::result_of(&response);
            translate::as_http(&mut result);
            if method == "HEAD" && response.status != 307 {
                result["body"] = Value::from("");
            }
            Captured::take(&mut result);
            Said::Answered(result)
        }
    }
}

fn rendered(response: &Response, path: &str, was_passed: bool) -> Said {
    // What may pass and has two readings is refused instead.
    let is_refused = response.status == 400 && CanonicalPath::parse(path).is_err();
    if was_passed || is_refused {
        return Said::Passed;
    }
    let mut result = translate::result(response, &Value::Null);
    Captured::take(&mut result);
    Said::Answered(result)
}

#[test]
fn the_proxy_says_what_the_core_decides_of_any_request() {
    let vector = passing_vector();
    let (stage, session) = stage();
    let config = Config::as_deployed(&Json::parse(vector.config.get().as_bytes()).unwrap()).unwrap();
    let now = UnixTime::from_secs(vector.now);
    let runner_config = RunnerConfig {
        cases: CASES,
        failure_persistence: None,
        ..RunnerConfig::default()
    };
    let requests = (methods(), paths(), queries(), cookies(session));
    let compare = |(method, path, query, fields): (&str, String, String, Vec<String>)| {
        // Anew each time: what is remembered of one request must not change the answer to another.
        let auth = Authenticator::new(config.clone(), Capabilities::EDGE);
        let decided = core(&auth, now, method, &path, &query, &fields);
        stage.tokens.begin(&[]);
        let target = if query.is_empty() {
            path.clone()
        } else {
            format!("{path}?{query}")
        };
        let request = fields.iter().fold(Request::new(method, &target), |request, field| {
            request.header("Cookie", field.as_str())
        });
        let asked = stage.origin.asked().len();
        let response = stage.send(HOST, &request);
        let was_passed = stage.origin.asked().len() > asked;
        let (calls, _) = stage.tokens.end();
        let said = if calls.is_empty() {
            rendered(&response, &path, was_passed)
        } else {
            Said::Calls
        };
        prop_assert_eq!(said, decided);
        Ok(())
    };
    TestRunner::new(runner_config).run(&requests, compare).unwrap();
}
