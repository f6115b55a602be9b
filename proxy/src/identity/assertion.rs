//! The signed assertion: who the viewer is in a short-lived JWT of ours, so that an origin can check instead of
//! trust (T-HDR-5; RFC 7519, RFC 7515).
//!
//! An origin that verifies it against our published key needs no faith in the network between: a copy that is
//! not signed, is out of date or names another audience is worth nothing. It says nothing that the id token
//! did not say, and cannot be used to sign in anywhere.

pub(crate) mod key;

use auth_core::{
    UnixTime, VerifiedIdToken,
    json::{Json, Object},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderName, HeaderValue};
use quick_cache::sync::Cache;

use crate::config::AssertionSettings;

/// The path below every host of a site where its key is published (RFC 7517, section 5).
pub(crate) const JWKS_PATH: &str = "/_portcullis/jwks.json";

/// Sessions whose latest assertion is remembered.
const REMEMBERED: usize = 4096;

/// Makes assertions.
#[derive(Debug)]
pub(crate) struct Assertion {
    settings: AssertionSettings,
    /// By id token. An assertion serves for half of its life, so that one is signed for many requests.
    recent: Cache<Box<str>, Signed>,
}

#[derive(Clone)]
struct Signed {
    made: i64,
    value: HeaderValue,
}

impl Assertion {
    pub(crate) fn new(settings: AssertionSettings) -> Self {
        Self {
            settings,
            recent: Cache::new(REMEMBERED),
        }
    }

    /// The header that carries it.
    pub(crate) const fn header(&self) -> &HeaderName {
        &self.settings.header
    }

    /// The assertion about this viewer. `None`: the system gives no random numbers to sign with.
    pub(crate) fn of(&self, viewer: &VerifiedIdToken, now: UnixTime) -> Option<HeaderValue> {
        let token = *viewer.credential().expose();
        let now = now.as_secs();
        let half = self.lifetime() / 2;
        let known = self.recent.get(token);
        if let Some(known) = known.filter(|known| (known.made..known.made + half).contains(&now)) {
            return Some(known.value);
        }
        let mut value = HeaderValue::try_from(self.sign(viewer, now)?).ok()?;
        value.set_sensitive(true);
        let signed = Signed {
            made: now,
            value: value.clone(),
        };
        self.recent.insert(token.into(), signed);
        Some(value)
    }

    /// The JWK set that it verifies with.
    pub(crate) fn jwks(&self) -> String {
        format!("{{\"keys\":[{}]}}", self.settings.key.jwk())
    }

    /// In seconds; the configuration has seen to it that they are few.
    fn lifetime(&self) -> i64 {
        self.settings.lifetime.as_secs().cast_signed()
    }

    fn sign(&self, viewer: &VerifiedIdToken, now: i64) -> Option<String> {
        let key = &self.settings.key;
        let header = object([
            ("alg", Json::String(key.algorithm().to_owned())),
            ("kid", Json::String(key.id().to_owned())),
            ("typ", Json::String("JWT".to_owned())),
        ]);
        let mut payload = object([
            ("iss", Json::String(self.settings.issuer.clone())),
            ("aud", Json::String(self.settings.audience.clone())),
            ("iat", Json::Number(now as f64)),
            ("exp", Json::Number((now + self.lifetime()) as f64)),
        ]);
        for claim in &self.settings.claims {
            if let Some(value) = viewer.claim(claim) {
                payload.insert(claim.clone(), value.to_json());
            }
        }
        let encode = |part: Object| URL_SAFE_NO_PAD.encode(Json::Object(part).stringify());
        let mut jwt = format!("{}.{}", encode(header), encode(payload));
        let signature = key.sign(jwt.as_bytes())?;
        jwt.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut jwt);
        Some(jwt)
    }
}

fn object<const N: usize>(members: [(&str, Json); N]) -> Object {
    members
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
}
