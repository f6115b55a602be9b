//! The keys of a user pool, fetched once for the configuration, so that no function's first visitor waits
//! for them.

use serde_json::{Map, Value, json};

use crate::{
    event::{Event, RequestType},
    outcome::Done,
    problem::Problem,
    services::Services,
    user_pool::UserPool,
    wait::pause,
};

const CALL: &str = "the user pool's jwks";
const MAX_BYTES: usize = 64 * 1024;
/// The keys of a pool that was made a moment ago may not be there yet.
const ATTEMPTS: u32 = 6;
/// The members that verification reads (RFC 7517, RFC 7518). Others would only fill the answer.
const MEMBERS: [&str; 6] = ["alg", "e", "kid", "kty", "n", "use"];

/// Where the keys are; `endpoint` stands for AWS in tests.
fn uri(pool: &UserPool, endpoint: Option<&str>) -> String {
    let base = match endpoint {
        Some(endpoint) => endpoint.trim_end_matches('/').to_owned(),
        None if pool.region.starts_with("cn-") => format!("https://cognito-idp.{}.amazonaws.com.cn", pool.region),
        None => format!("https://cognito-idp.{}.amazonaws.com", pool.region),
    };
    format!("{base}/{}/.well-known/jwks.json", pool.id)
}

/// The keys without what nobody reads.
fn trim(text: &[u8]) -> Result<String, Problem> {
    let json: Value = serde_json::from_slice(text).unwrap_or_default();
    let keys: Option<Vec<Value>> = json["keys"]
        .as_array()
        .and_then(|keys| keys.iter().map(trim_key).collect());
    match keys {
        Some(keys) if !keys.is_empty() => Ok(json!({"keys": keys}).to_string()),
        _ => Err(Problem::Reply {
            call: CALL,
            found: "something else".to_owned(),
            expected: "a JWK set with at least one key",
        }),
    }
}

fn trim_key(key: &Value) -> Option<Value> {
    let mut trimmed = Map::new();
    for name in MEMBERS {
        if let Some(value) = key.as_object()?.get(name) {
            trimmed.insert(name.to_owned(), value.clone());
        }
    }
    Some(Value::Object(trimmed))
}

pub(crate) async fn apply(event: &Event, services: &Services) -> Result<Done, Problem> {
    let pool = UserPool::of(&event.properties)?;
    let same = UserPool::of(&event.old_properties).is_ok_and(|old| old == pool);
    let done = Done::new(event.keep_or(same, || format!("{}/jwks", pool.id)));
    if event.request == RequestType::Delete {
        return Ok(done);
    }
    let keys = fetch(services, &uri(&pool, services.endpoint())).await?;
    Ok(done.with("Jwks", keys))
}

async fn fetch(services: &Services, uri: &str) -> Result<String, Problem> {
    let mut attempt = 0;
    loop {
        let fetched = services.http.get(CALL, uri, MAX_BYTES).await;
        match fetched.and_then(|text| trim(&text)) {
            Err(_) if attempt + 1 < ATTEMPTS => {
                pause(attempt).await;
                attempt += 1;
            }
            outcome => return outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_are_where_the_pool_is() {
        let at = |region: &str, endpoint| {
            let pool = UserPool {
                region: region.to_owned(),
                id: "p_1".to_owned(),
            };
            uri(&pool, endpoint)
        };
        assert_eq!(
            at("eu-west-1", None),
            "https://cognito-idp.eu-west-1.amazonaws.com/p_1/.well-known/jwks.json"
        );
        assert_eq!(
            at("cn-north-1", None),
            "https://cognito-idp.cn-north-1.amazonaws.com.cn/p_1/.well-known/jwks.json"
        );
        assert_eq!(
            at("eu-west-1", Some("http://[::1]:5/")),
            "http://[::1]:5/p_1/.well-known/jwks.json"
        );
    }

    #[test]
    fn only_what_verification_reads_is_kept() {
        let keys = trim(br#"{"keys":[{"kid":"k","kty":"RSA","n":"1","e":"AQAB","x5c":["long"]}],"more":1}"#).unwrap();
        let keys: Value = serde_json::from_str(&keys).unwrap();
        assert_eq!(
            keys,
            json!({"keys": [{"kid": "k", "kty": "RSA", "n": "1", "e": "AQAB"}]})
        );
    }

    #[test]
    fn what_is_no_set_of_keys_is_refused() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"keys":[]}"#,
            r#"{"keys":{}}"#,
            r#"{"keys":[7]}"#,
            "<html>",
        ] {
            assert!(trim(text.as_bytes()).is_err(), "{text}");
        }
    }
}
