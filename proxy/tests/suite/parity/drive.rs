//! Starts a proxy for each configuration and clock, and plays its vectors.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    thread,
};

use auth_core::{Config, Endpoint, UnixTime, json::Json};
use auth_driver::Clock;
use proxy::{
    Running, Server, Surroundings,
    config::{Environment, Settings},
};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use tempfile::TempDir;

use super::{
    super::support::{
        http::{Response, exchange},
        origin::{Answer, Origin},
    },
    compare,
    replay::{Outcome, replay},
    token_endpoint::{self, TokenEndpoint},
    translate,
    vector::Vector,
};

/// An ordinary configuration, and a request that passes.
const PASSING: &str = "check-auth/core/amplify-spa/valid";
/// Configurations at a time.
const LANES: usize = 6;

/// A vector that has been played.
pub(super) struct Played {
    pub(super) id: String,
    /// Empty: it was met.
    pub(super) differences: Vec<String>,
    /// Whether the core meets it.
    pub(super) core_follows: bool,
}

/// Plays the vectors, grouped by configuration and clock.
pub(super) fn play(vectors: Vec<Vector>) -> Vec<Played> {
    let mut groups: BTreeMap<(String, i64), Vec<Vector>> = BTreeMap::new();
    for vector in vectors {
        let key = (site_config(&vector), vector.now);
        groups.entry(key).or_default().push(vector);
    }
    let groups = Mutex::new(groups.into_iter().collect::<Vec<_>>());
    let played = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..LANES {
            scope.spawn(|| {
                loop {
                    // The lock is not to be held while the vectors are played.
                    let group = groups.lock().unwrap().pop();
                    let Some(((config, now), vectors)) = group else { return };
                    let results = play_group(&config, now, vectors);
                    played.lock().unwrap().extend(results);
                }
            });
        }
    });
    played.into_inner().unwrap()
}

fn play_group(config: &str, now: i64, vectors: Vec<Vector>) -> Vec<Played> {
    let is_rewrite = vectors.iter().any(|vector| vector.handler == "rewrite-trailing-slash");
    let stage = Stage::set(config, now, if is_rewrite { Rewrite::On } else { Rewrite::Off });
    let play = |mut vector: Vector| {
        let core_follows = compare::differences(&vector, &replay(&vector)).is_empty();
        assert!(core_follows || vector.is_exotic(), "{}", vector.id);
        let outcome = stage.play(&mut vector);
        Played {
            core_follows,
            differences: compare::differences(&vector, &outcome),
            id: vector.id,
        }
    };
    vectors.into_iter().map(play).collect()
}

/// The configuration of the site that a vector needs: its own, and where its function reads less than a whole site
/// does, the rest from an ordinary one. Keys are never fetched over the network.
fn site_config(vector: &Vector) -> String {
    let own = match vector.handler.as_str() {
        "http-headers" => headers_alone(vector.config.get()),
        _ => vector.config.get().to_owned(),
    };
    let own = own.as_str();
    let json = Json::parse(own.as_bytes()).unwrap();
    let endpoint = match vector.handler.as_str() {
        "check-auth" => Some(Endpoint::Protected),
        "parse-auth" => Some(Endpoint::SignIn),
        "refresh-auth" => Some(Endpoint::Refresh),
        "sign-out" => Some(Endpoint::SignOut),
        _ => None,
    };
    let is_whole = Config::as_deployed(&json).is_ok();
    let starts = match endpoint {
        Some(endpoint) => Config::for_endpoint(endpoint, &json).is_ok(),
        None => true,
    };
    let config = if starts && !is_whole {
        completed(own)
    } else {
        own.to_owned()
    };
    let members = config.trim_end().strip_suffix('}').unwrap().trim_end();
    let comma = if members.ends_with('{') { "" } else { "," };
    format!(r#"{members}{comma}"jwksUri":"https://localhost:1/jwks.json"}}"#)
}

/// All that this function reads; the session is that of an ordinary configuration.
fn headers_alone(own: &str) -> String {
    #[derive(Deserialize)]
    struct Headers {
        #[serde(rename = "httpHeaders")]
        headers: Option<Box<RawValue>>,
    }
    match serde_json::from_str::<Headers>(own).unwrap().headers {
        Some(headers) => format!(r#"{{"httpHeaders":{headers}}}"#),
        // Refused by this function, and by a site.
        None => r#"{"httpHeaders":5}"#.to_owned(),
    }
}

/// The keys that are missing, from the configuration of an ordinary vector; those that are there stand first.
fn completed(own: &str) -> String {
    let ordinary = passing_vector();
    let ordinary: Value = serde_json::from_str(ordinary.config.get()).unwrap();
    let present: Value = serde_json::from_str(own).unwrap();
    let mut text = own.trim_end().strip_suffix('}').unwrap().trim_end().to_owned();
    for (key, value) in ordinary.as_object().unwrap() {
        let is_there = present.get(key).is_some_and(|value| !value.is_null());
        if !is_there && (key != "jwks" || present.get(key).is_none()) {
            let comma = if text.ends_with('{') { "" } else { "," };
            text.push_str(&format!("{comma}{}:{value}", json!(key)));
        }
    }
    text + "}"
}

/// A vector with an ordinary configuration whose request passes.
pub(crate) fn passing_vector() -> Vector {
    let mut vectors = Vector::load("check-auth").into_iter();
    vectors
        .find(|vector| vector.expect.kind == "request" && vector.id == PASSING)
        .expect("a request that passes")
}

/// Whether paths that end in a slash are rewritten.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rewrite {
    On,
    Off,
}

/// A running proxy and what is around it.
pub(super) struct Stage {
    /// `None`: it refused its configuration.
    proxy: Option<Running>,
    pub(super) tokens: TokenEndpoint,
    pub(super) origin: Origin,
    answer: Arc<Mutex<Answer>>,
    config: Value,
    _folder: TempDir,
}

impl Stage {
    /// A proxy in edge parity, its clock stopped, in front of an origin that answers as told.
    pub(super) fn set(config: &str, now: i64, rewrite: Rewrite) -> Self {
        let tokens = TokenEndpoint::start();
        let config = tokens.localise(config);
        let answer = Arc::new(Mutex::new(Answer::ok("")));
        let origin = Origin::start({
            let answer = Arc::clone(&answer);
            move |_| answer.lock().unwrap().clone()
        });
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("configuration.json"), &config).unwrap();
        let settings = json!({
            "listen": { "http": ["127.0.0.1:0"] },
            "admin": { "listen": "off" },
            "threads": 1,
            "sites": [{
                "hosts": ["d111111abcdef8.cloudfront.net", "www.example.com", "[::1]", "localhost"],
                "edge_parity": true,
                "methods": ["GET", "HEAD", "POST"],
                "rewrite_trailing_slash_to_index": rewrite == Rewrite::On,
                "auth": { "file": "configuration.json" },
                "origin": { "kind": "custom", "url": origin.url() },
            }],
        });
        let file = folder.path().join("config.json");
        std::fs::write(&file, settings.to_string()).unwrap();
        let settings = Settings::load(Some(&file), &Environment::default());
        let surroundings = Surroundings {
            clock: Clock::Stopped(UnixTime::from_secs(now)),
            provider_roots: Some(vec![token_endpoint::authority()]),
        };
        let proxy = settings
            .ok()
            .map(|settings| Server::start_in(settings, surroundings).unwrap());
        Self {
            proxy,
            tokens,
            origin,
            answer,
            config: serde_json::from_str(&config).unwrap(),
            _folder: folder,
        }
    }

    fn play(&self, vector: &mut Vector) -> Outcome {
        self.prepare(vector);
        self.tokens.begin(&vector.upstream);
        let asked_before = self.origin.asked().len();
        let response = self.ask(vector);
        let (token_requests, gaps) = self.tokens.end();
        let asked = self.origin.asked().get(asked_before).cloned();
        let result = response.map(|response| match (vector.expect.kind.as_str(), asked) {
            ("request", Some(asked)) => passed(vector, asked.target()),
            ("origin-response", Some(_)) => of_origin(vector, &response),
            _ => translate::result(&response, vector.expect.result.as_ref().unwrap_or(&Value::Null)),
        });
        Outcome {
            result,
            token_requests,
            // What is measured may fall short of what was waited for, by as much as the vectors' own runner allows.
            gaps_ms: gaps.iter().map(|gap| gap * 100 / 85).collect(),
        }
    }

    /// Puts the vector's addresses and expectations into the form they have here.
    fn prepare(&self, vector: &mut Vector) {
        if let Some(result) = &mut vector.expect.result {
            *result = serde_json::from_str(&self.tokens.localise(&result.to_string())).unwrap();
            if vector.expect.kind != "request" {
                translate::as_http(result);
            }
        }
        if let Some(page) = &mut vector.expect.page {
            page.link = self.tokens.localise(&page.link);
        }
        for request in &mut vector.expect.token_requests {
            *request = serde_json::from_str(&self.tokens.localise(&request.to_string())).unwrap();
        }
        if let Some(response) = vector.cf().get("response") {
            *self.answer.lock().unwrap() = answer(response);
        }
    }

    fn ask(&self, vector: &Vector) -> Option<Response> {
        let address = self.proxy.as_ref()?.http_addrs[0];
        let mut request = translate::request(vector, &self.config);
        // These functions sit behind the sign-in.
        if matches!(vector.handler.as_str(), "http-headers" | "rewrite-trailing-slash") {
            for field in passing_vector().cf()["request"]["headers"]["cookie"]
                .as_array()
                .unwrap()
            {
                request = request.header("Cookie", field["value"].as_str().unwrap());
            }
        }
        let host = translate::host(vector).unwrap_or_default();
        let response = exchange(address, &host, &request);
        // A request without a host is refused before anything is decided.
        (!(host.is_empty() && response.status == 400)).then_some(response)
    }

    /// One request to the proxy.
    pub(super) fn send(&self, host: &str, request: &super::super::support::http::Request) -> Response {
        exchange(self.proxy.as_ref().unwrap().http_addrs[0], host, request)
    }
}

/// The request of the event, with the path and query that the origin was asked for.
fn passed(vector: &Vector, target: &str) -> Value {
    let mut request = vector.cf()["request"].clone();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    request["uri"] = json!(path);
    request["querystring"] = json!(query);
    request
}

/// What the origin of an origin-response event says.
fn answer(response: &Value) -> Answer {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    let status = format!("{} {}", text(&response["status"]), text(&response["statusDescription"]));
    let mut fields = Vec::new();
    for (name, list) in response["headers"].as_object().into_iter().flatten() {
        for field in list.as_array().into_iter().flatten() {
            fields.push((field["key"].as_str().unwrap_or(name), field["value"].as_str().unwrap()));
        }
    }
    Answer::with(&status, &fields, "")
}

/// The response of the event with the headers that the viewer got; the rest of it is not HTTP.
fn of_origin(vector: &Vector, response: &Response) -> Value {
    let expected = vector.expect.result.clone().unwrap_or(Value::Null);
    let mut result = expected.clone();
    let found = translate::result(response, &expected);
    result["headers"] = found["headers"].clone();
    if expected["status"].is_string() {
        result["status"] = found["status"].clone();
    }
    result
}
