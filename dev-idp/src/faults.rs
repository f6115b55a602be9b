//! Breaking on demand: which endpoint answers wrongly, how, and how often.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::endpoint::Endpoint;
use crate::tamper::Overrides;

/// One way to answer wrongly.
///
/// As JSON (for `POST /_dev/faults`): `{"kind": "status", "status": 500, "body": "html"}` and so on.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Fault {
    /// Waits, then answers as it would, or with another fault.
    Delay {
        /// How long.
        millis: u64,
        /// What comes after; the true answer if absent.
        #[serde(default)]
        then: Option<Box<Fault>>,
    },
    /// This status instead of the true answer.
    Status {
        /// 200 to 599.
        status: u16,
        /// What stands in the body.
        #[serde(default)]
        body: FaultBody,
    },
    /// A redirect, which clients of the token endpoint must not follow.
    Redirect {
        /// Where to.
        location: String,
    },
    /// Status 400 and this error code as RFC 6749, 5.2, has it: `invalid_grant` and its like.
    OauthError {
        /// The code.
        error: String,
    },
    /// Status 200, `application/json`, and bytes that are neither JSON nor UTF-8.
    Garbage,
    /// The true answer, called `text/html`.
    WrongContentType,
    /// Valid JSON of this many bytes, without a `Content-Length`.
    HugeBody {
        /// How many.
        bytes: usize,
    },
    /// Announces more bytes than it sends before it closes the connection.
    Truncated,
    /// Sends the header and half a body, then nothing more.
    Stalled,
    /// Closes the connection without an answer.
    Close,
    /// Resets the connection (TCP RST) without an answer.
    Reset,
    /// Never answers.
    Hang,
    /// The token endpoint's id token is changed so.
    IdToken(Overrides),
    /// The token endpoint's JSON reply is changed so; `null` removes a member.
    Reply {
        /// Members to set.
        members: Map<String, Value>,
    },
}

/// The body that goes with [`Fault::Status`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultBody {
    /// `{"error": "server_error"}`
    #[default]
    Json,
    /// A page as a load balancer writes it.
    Html,
    /// Nothing.
    Empty,
}

impl Fault {
    /// Late, but true.
    #[must_use]
    pub fn delay(duration: Duration) -> Self {
        Self::Delay {
            millis: millis(duration),
            then: None,
        }
    }

    /// This fault, late.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self::Delay {
            millis: millis(duration),
            then: Some(Box::new(self)),
        }
    }

    /// A status with a JSON body.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Status {
            status,
            body: FaultBody::Json,
        }
    }

    /// A status with an HTML body.
    #[must_use]
    pub fn html_status(status: u16) -> Self {
        Self::Status {
            status,
            body: FaultBody::Html,
        }
    }

    /// `{"error": "invalid_grant"}` with status 400.
    #[must_use]
    pub fn invalid_grant() -> Self {
        Self::OauthError {
            error: "invalid_grant".to_owned(),
        }
    }

    /// Sets one member of the token reply; `null` removes it.
    #[must_use]
    pub fn reply(member: &str, value: impl Into<Value>) -> Self {
        Self::Reply {
            members: Map::from_iter([(member.to_owned(), value.into())]),
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[derive(Debug)]
struct Scripted {
    fault: Fault,
    /// `None`: until cleared.
    remaining: Option<usize>,
}

/// A handle on the faults; clones share them.
///
/// Each endpoint has a queue: its first entry answers until it is used up or cleared.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<HashMap<Endpoint, VecDeque<Scripted>>>>);

impl Faults {
    /// Every request from now on, whatever was queued before.
    pub fn set(&self, endpoint: Endpoint, fault: Fault) {
        self.queues()
            .insert(endpoint, VecDeque::from([Scripted { fault, remaining: None }]));
    }

    /// The next `count` requests, after those already queued.
    pub fn times(&self, endpoint: Endpoint, count: usize, fault: Fault) {
        self.queues().entry(endpoint).or_default().push_back(Scripted {
            fault,
            remaining: Some(count),
        });
    }

    /// True answers again at one endpoint.
    pub fn clear(&self, endpoint: Endpoint) {
        self.queues().remove(&endpoint);
    }

    /// True answers again everywhere.
    pub fn clear_all(&self) {
        self.queues().clear();
    }

    /// The fault for the request at hand.
    pub(crate) fn take(&self, endpoint: Endpoint) -> Option<Fault> {
        let mut queues = self.queues();
        let queue = queues.get_mut(&endpoint)?;
        while let Some(first) = queue.front_mut() {
            match &mut first.remaining {
                None => return Some(first.fault.clone()),
                Some(0) => drop(queue.pop_front()),
                Some(remaining) => {
                    *remaining -= 1;
                    return Some(first.fault.clone());
                }
            }
        }
        None
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<Endpoint, VecDeque<Scripted>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queued_faults_come_in_order_and_end() {
        let faults = Faults::default();
        faults.times(Endpoint::Token, 2, Fault::Hang);
        faults.times(Endpoint::Token, 0, Fault::Reset);
        faults.times(Endpoint::Token, 1, Fault::Garbage);
        assert_eq!(faults.take(Endpoint::Token), Some(Fault::Hang));
        assert_eq!(faults.take(Endpoint::Jwks), None);
        assert_eq!(faults.take(Endpoint::Token), Some(Fault::Hang));
        assert_eq!(faults.take(Endpoint::Token), Some(Fault::Garbage));
        assert_eq!(faults.take(Endpoint::Token), None);
    }

    #[test]
    fn a_standing_fault_replaces_the_queue_and_lasts_until_cleared() {
        let faults = Faults::default();
        faults.times(Endpoint::Token, 2, Fault::Hang);
        faults.set(Endpoint::Token, Fault::Close);
        assert_eq!(faults.take(Endpoint::Token), Some(Fault::Close));
        assert_eq!(faults.take(Endpoint::Token), Some(Fault::Close));
        faults.clear(Endpoint::Token);
        assert_eq!(faults.take(Endpoint::Token), None);
    }

    #[test]
    fn faults_read_from_json() {
        let read = |json: &str| serde_json::from_str::<Fault>(json).unwrap();
        assert_eq!(read(r#"{"kind":"status","status":503}"#), Fault::status(503));
        assert_eq!(read(r#"{"kind":"hang"}"#), Fault::Hang);
        assert_eq!(
            read(r#"{"kind":"id_token","claims":{"aud":"other"},"signer":"foreign"}"#),
            Fault::IdToken(
                Overrides::none()
                    .claim("aud", "other")
                    .signed_by(crate::Signer::Foreign)
            )
        );
        assert_eq!(
            read(r#"{"kind":"delay","millis":50,"then":{"kind":"oauth_error","error":"invalid_grant"}}"#),
            Fault::invalid_grant().after(Duration::from_millis(50))
        );
        assert!(serde_json::from_str::<Fault>(r#"{"kind":"staus"}"#).is_err());
        assert!(serde_json::from_str::<Fault>(r#"{"kind":"status","status":500,"bdoy":"html"}"#).is_err());
    }
}
