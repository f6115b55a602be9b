//! Drives the core through a vector and puts its answer into the form of a Lambda@Edge result.

use auth_core::{
    AfterAttempt, Authenticator, CallError, CallPurpose, Capabilities, Config, Decision, Endpoint, Entropy, HttpCall,
    HttpReply, NoHeaders, Request, Response, Scheme, Step, UnixTime, http_headers_from_json, json::Json,
    rewrite_trailing_slash,
};
use serde_json::{Map, Value, json};

use super::vector::Vector;

/// What came of a vector.
pub(crate) struct Outcome {
    /// `None`: the configuration or the request was refused.
    pub(crate) result: Option<Value>,
    pub(crate) token_requests: Vec<Value>,
    pub(crate) gaps_ms: Vec<u128>,
}

/// Random bytes that differ from call to call; what is made of them is checked by its relations.
struct Counter(u64);

impl Entropy for Counter {
    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            // A linear congruential generator (Knuth's constants): spread out, and the same in every run.
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *byte = (self.0 >> 56) as u8;
        }
    }
}

pub(crate) fn replay(vector: &Vector) -> Outcome {
    let config = Json::parse(vector.config.get().as_bytes()).unwrap();
    let mut outcome = Outcome {
        result: None,
        token_requests: Vec::new(),
        gaps_ms: Vec::new(),
    };
    outcome.result = match vector.handler.as_str() {
        "http-headers" => add_headers(vector, &config),
        "rewrite-trailing-slash" => Some(rewrite(vector)),
        _ => authenticate(vector, &config, &mut outcome),
    };
    outcome
}

fn add_headers(vector: &Vector, config: &Json) -> Option<Value> {
    let configured = http_headers_from_json(config).ok()?;
    let mut response = vector.cf().get("response")?.clone();
    let headers = response.as_object_mut()?.entry("headers").or_insert_with(|| json!({}));
    for (name, value) in configured.iter() {
        headers[name.to_lowercase()] = json!([{"key": name, "value": value}]);
    }
    Some(response)
}

fn rewrite(vector: &Vector) -> Value {
    let mut request = vector.cf()["request"].clone();
    if let Some(path) = request["uri"].as_str().and_then(rewrite_trailing_slash) {
        request["uri"] = json!(path);
    }
    request
}

fn authenticate(vector: &Vector, config: &Json, outcome: &mut Outcome) -> Option<Value> {
    let endpoint = match vector.handler.as_str() {
        "check-auth" => Endpoint::Protected,
        "parse-auth" => Endpoint::SignIn,
        "refresh-auth" => Endpoint::Refresh,
        "sign-out" => Endpoint::SignOut,
        other => panic!("unknown handler {other}"),
    };
    let auth = Authenticator::new(Config::for_endpoint(endpoint, config).ok()?, Capabilities::EDGE);
    let event = &vector.cf()["request"];
    let fields: Vec<&str> = event["headers"]["cookie"]
        .as_array()
        .map(|list| list.iter().filter_map(|header| header["value"].as_str()).collect())
        .unwrap_or_default();
    let request = Request {
        method: event["method"].as_str()?,
        scheme: Scheme::Https,
        host: event["headers"]["host"][0]["value"].as_str()?,
        path: event["uri"].as_str()?,
        query: event["querystring"].as_str()?,
        cookies: &fields,
        headers: &NoHeaders,
    };
    let now = UnixTime::from_secs(vector.now);
    let mut rng = Counter(now.as_millis() as u64);
    let mut step = auth.begin_at(endpoint, &request, now, &mut rng);
    loop {
        match step {
            Step::Decided(Decision::Forward(_)) => return Some(event.clone()),
            Step::Decided(Decision::Respond(response)) => return Some(result_of(&response)),
            Step::Call(pending) => {
                let reply = carry_out(vector, pending.call(), outcome, &mut rng);
                step = pending.resume(reply, now, &mut rng);
            }
        }
    }
}

/// The driver's loop, with scripted replies.
fn carry_out(
    vector: &Vector,
    call: &HttpCall,
    outcome: &mut Outcome,
    rng: &mut Counter,
) -> Result<HttpReply, CallError> {
    if call.purpose == CallPurpose::KeySet || call.url.contains("localhost:1/") {
        return Err(CallError::Connect("nothing listens there".to_owned()));
    }
    let untrusted = call.url.contains("localhost:9444") || call.url.contains("127.0.0.1:9443");
    let mut attempts = 0;
    loop {
        let scripted = vector.upstream.get(attempts as usize);
        let (reply, duration) = match scripted {
            _ if untrusted => (Err(CallError::Connect("certificate".to_owned())), 0),
            Some(upstream) => (upstream.outcome(), upstream.duration_ms()),
            None => panic!("{}: unscripted request", vector.id),
        };
        if !untrusted {
            outcome.token_requests.push(token_request(call));
        }
        attempts += 1;
        match call.retry.after_attempt(attempts, &reply, rng) {
            AfterAttempt::Settle => return reply,
            AfterAttempt::RetryAfter(pause) => outcome.gaps_ms.push(duration + pause.as_millis()),
        }
    }
}

fn token_request(call: &HttpCall) -> Value {
    let path = call.url.splitn(4, '/').nth(3).map(|path| format!("/{path}"));
    json!({
        "method": "POST",
        "path": path,
        "headers": {
            "content-type": "application/x-www-form-urlencoded",
            "authorization": call.authorization.as_ref().map(|value| value.expose().clone()),
        },
        "body": call.form.as_ref().map(|form| form.expose().clone()),
    })
}

pub(crate) fn result_of(response: &Response) -> Value {
    let mut headers = Map::new();
    for (name, value) in response.headers.iter() {
        let list = headers.entry(name.to_lowercase()).or_insert_with(|| json!([]));
        list.as_array_mut().unwrap().push(json!({"key": name, "value": value}));
    }
    let mut result = json!({"status": response.status.to_string(), "headers": headers});
    if response.status == 307 {
        result["statusDescription"] = json!("Temporary Redirect");
    } else {
        result["body"] = json!(response.body);
    }
    result
}
