//! A vector as it stands in its file.

use std::{io::Read, path::PathBuf};

use auth_core::{CallError, HttpReply};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
pub(crate) struct Vector {
    pub(crate) id: String,
    pub(crate) handler: String,
    #[serde(default)]
    tags: Vec<String>,
    pub(crate) now: i64,
    /// As text: the order of its keys matters.
    pub(crate) config: Box<serde_json::value::RawValue>,
    pub(crate) event: Value,
    pub(crate) upstream: Vec<Upstream>,
    pub(crate) expect: Expect,
}

#[derive(Clone, Deserialize)]
pub(crate) struct Upstream {
    #[serde(default = "reply")]
    pub(crate) action: String,
    #[serde(default)]
    pub(crate) status: u16,
    #[serde(default)]
    pub(crate) headers: Vec<(String, String)>,
    #[serde(default)]
    pub(crate) body: String,
    #[serde(default)]
    pub(crate) delay_ms: u64,
    #[serde(default)]
    pub(crate) chunked: bool,
}

fn reply() -> String {
    "reply".to_owned()
}

#[derive(Deserialize)]
pub(crate) struct Expect {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) graceful: bool,
    pub(crate) result: Option<Value>,
    pub(crate) page: Option<Page>,
    pub(crate) relations: Option<Relations>,
    pub(crate) token_requests: Vec<Value>,
    pub(crate) token_min_gap_ms: Option<Vec<u128>>,
}

#[derive(Deserialize)]
pub(crate) struct Page {
    pub(crate) kind: String,
    pub(crate) reason: Option<String>,
    pub(crate) link: String,
    pub(crate) secret: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Relations {
    pub(crate) nonce_timestamp: i64,
    pub(crate) alphabet: String,
    pub(crate) nonce_length: usize,
    pub(crate) pkce_length: usize,
    pub(crate) hmac_secret: String,
    pub(crate) requested_uri: String,
}

impl Vector {
    pub(crate) fn load(handler: &str) -> Vec<Self> {
        // The proxy plays the same vectors.
        let name = format!("../auth-core/tests/parity/vectors/{handler}.jsonl.gz");
        let file = std::fs::File::open(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap();
        let mut text = String::new();
        flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub(crate) fn is_exotic(&self) -> bool {
        self.tags.iter().any(|tag| tag == "exotic")
    }

    pub(crate) fn cf(&self) -> &Value {
        &self.event["Records"][0]["cf"]
    }
}

impl Upstream {
    /// What the driver would make of this reply to one attempt.
    pub(crate) fn outcome(&self) -> Result<HttpReply, CallError> {
        match self.action.as_str() {
            "hang" | "stall" => Err(CallError::Timeout),
            "reply" if self.delay_ms >= 4000 => Err(CallError::Timeout),
            "reply" => Ok(HttpReply {
                status: self.status,
                content_type: self
                    .headers
                    .iter()
                    .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))
                    .map(|(_, value)| value.clone()),
                body: self.body.clone().into_bytes(),
            }),
            other => Err(CallError::Broken(other.to_owned())),
        }
    }

    /// How long the attempt takes at least.
    pub(crate) fn duration_ms(&self) -> u128 {
        match self.action.as_str() {
            "hang" | "stall" => 4000,
            _ => u128::from(self.delay_ms.min(4000)),
        }
    }
}
