//! Tokens that differ from the ones a provider would issue.

use serde::Deserialize;
use serde_json::{Map, Value};

/// What to change in a token before it is signed, and who signs it; the default changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Overrides {
    /// Claims to set; `null` removes one.
    pub claims: Map<String, Value>,
    /// Header parameters to set; `null` removes one.
    pub header: Map<String, Value>,
    /// Sets `exp` to this many seconds from now; negative for an expired token.
    pub expires_in_seconds: Option<i64>,
    /// Sets `nbf` to this many seconds from now.
    pub not_before_in_seconds: Option<i64>,
    /// Who signs.
    pub signer: Signer,
}

/// Who signs a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signer {
    /// The current key.
    #[default]
    Current,
    /// A key outside the key set; the header still names the current key.
    Foreign,
    /// Nobody: the third part is empty.
    Nobody,
}

impl Overrides {
    /// Nothing changed.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// An id token whose time was up an hour ago.
    #[must_use]
    pub fn expired() -> Self {
        Self::default().expires_in(-3600)
    }

    /// Sets a claim.
    #[must_use]
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.to_owned(), value.into());
        self
    }

    /// Leaves a claim out.
    #[must_use]
    pub fn without_claim(self, name: &str) -> Self {
        self.claim(name, Value::Null)
    }

    /// Sets a header parameter.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.to_owned(), value.into());
        self
    }

    /// Leaves a header parameter out.
    #[must_use]
    pub fn without_header(self, name: &str) -> Self {
        self.header(name, Value::Null)
    }

    /// Sets `exp` relative to the provider's clock.
    #[must_use]
    pub fn expires_in(mut self, seconds: i64) -> Self {
        self.expires_in_seconds = Some(seconds);
        self
    }

    /// Sets `nbf` relative to the provider's clock.
    #[must_use]
    pub fn not_before_in(mut self, seconds: i64) -> Self {
        self.not_before_in_seconds = Some(seconds);
        self
    }

    /// Chooses who signs.
    #[must_use]
    pub fn signed_by(mut self, signer: Signer) -> Self {
        self.signer = signer;
        self
    }
}

/// JSON merge patch (RFC 7396) of one level: `null` removes.
pub(crate) fn patch(target: &mut Map<String, Value>, changes: &Map<String, Value>) {
    for (name, value) in changes {
        match value {
            Value::Null => drop(target.remove(name)),
            value => drop(target.insert(name.clone(), value.clone())),
        }
    }
}
