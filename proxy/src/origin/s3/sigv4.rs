//! AWS Signature Version 4 in headers, for the one kind of request this origin sends: GET or HEAD, no
//! query, no body (AWS General Reference, "Signing AWS API requests").
//!
//! Only what must be signed is: Host and the `x-amz-*` headers. The path has to arrive encoded once, as
//! [`CanonicalPath::as_str`](crate::canonical_path::CanonicalPath::as_str) has it; S3 signs paths as they
//! are sent, without normalising dot segments. It refuses to sign a query, so that no viewer can have one
//! signed.

use std::{fmt, fmt::Write as _, time::SystemTime};

use auth_core::Secret;
use http::{HeaderValue, Method};
use ring::{digest, hmac};
use thiserror::Error;

/// SHA-256 of no bytes at all, the body of every request signed here.
pub(crate) const EMPTY_PAYLOAD_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Who signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AccessKey {
    /// The public half.
    pub(crate) id: String,
    /// The secret half.
    pub(crate) secret: Secret<String>,
    /// Temporary credentials come with one.
    pub(crate) session_token: Option<Secret<String>>,
}

/// A request as far as the signature covers it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    /// GET or HEAD.
    pub(crate) method: &'a Method,
    /// The Host header, byte for byte.
    pub(crate) host: &'a str,
    /// The whole path, encoded once.
    pub(crate) path: &'a str,
}

/// What a signed request has to carry beside its Host. Debug output shows no value.
pub(crate) struct SignatureHeaders {
    /// `authorization`
    pub(crate) authorization: HeaderValue,
    /// `x-amz-date`
    pub(crate) date: HeaderValue,
    /// `x-amz-security-token`
    pub(crate) security_token: Option<HeaderValue>,
}

impl fmt::Debug for SignatureHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignatureHeaders(…)")
    }
}

/// Why nothing can be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum SignError {
    /// The clock stands before 1970 or after 9999.
    #[error("clock is outside of the years 1970 to 9999")]
    Clock,
    /// The access key has characters that no header can carry.
    #[error("access key has characters that cannot stand in a header")]
    Unprintable,
}

/// The second a request is signed at, in the two forms that a signature needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Instant {
    year: i32,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
}

impl Instant {
    /// Reads a wall clock.
    ///
    /// # Errors
    /// A year that four digits cannot hold.
    pub(crate) fn of(now: SystemTime) -> Result<Self, SignError> {
        let since_epoch = now
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_err(|_| SignError::Clock)?;
        let seconds = i64::try_from(since_epoch.as_secs()).map_err(|_| SignError::Clock)?;
        let utc = time::OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| SignError::Clock)?;
        Ok(Self {
            year: utc.year(),
            month: utc.month().into(),
            day: utc.day(),
            hour: utc.hour(),
            minute: utc.minute(),
            second: utc.second(),
        })
    }

    fn date(self) -> String {
        format!("{:04}{:02}{:02}", self.year, self.month, self.day)
    }

    fn date_and_time(self) -> String {
        let Self {
            hour, minute, second, ..
        } = self;
        format!("{}T{hour:02}{minute:02}{second:02}Z", self.date())
    }
}

/// A key for one access key, day and region. Four HMACs to make, one to use: worth keeping for the day.
pub(crate) struct SigningKey {
    date: String,
    /// `Credential=` with its scope, up to the signature.
    prefix: String,
    scope: String,
    key: hmac::Key,
    security_token: Option<HeaderValue>,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Derives the key for the day of `now`.
    ///
    /// # Errors
    /// An access key that cannot be sent.
    pub(crate) fn derive(access: &AccessKey, region: &str, now: Instant) -> Result<Self, SignError> {
        let date = now.date();
        let security_token = access
            .session_token
            .as_ref()
            .map(|token| secret_header(token.expose()))
            .transpose()?;
        let mut key = hmac_sha256(format!("AWS4{}", access.secret.expose()).as_bytes(), &date);
        for part in [region, "s3", "aws4_request"] {
            key = hmac_sha256(key.as_ref(), part);
        }
        let scope = format!("{date}/{region}/s3/aws4_request");
        let prefix = format!(
            "{ALGORITHM} Credential={}/{scope}, SignedHeaders={}, Signature=",
            access.id,
            signed_headers(security_token.is_some())
        );
        secret_header(&prefix)?;
        Ok(Self {
            date,
            prefix,
            scope,
            key: hmac::Key::new(hmac::HMAC_SHA256, key.as_ref()),
            security_token,
        })
    }

    /// Whether the key was made for that day.
    pub(crate) fn serves(&self, now: Instant) -> bool {
        self.date == now.date()
    }

    /// Signs one request. `now` has to be of the day that the key was derived for.
    ///
    /// # Errors
    /// None that [`derive`](Self::derive) has not already ruled out.
    pub(crate) fn sign(&self, target: Target<'_>, now: Instant) -> Result<SignatureHeaders, SignError> {
        let date = now.date_and_time();
        let request = self.canonical_request_sha256(target, &date);
        let string_to_sign = format!("{ALGORITHM}\n{date}\n{}\n{}", self.scope, Hex(request.as_ref()));
        let signature = hmac::sign(&self.key, string_to_sign.as_bytes());
        let mut authorization = String::with_capacity(self.prefix.len() + 64);
        let _ = write!(authorization, "{}{}", self.prefix, Hex(signature.as_ref()));
        Ok(SignatureHeaders {
            authorization: secret_header(&authorization)?,
            date: HeaderValue::try_from(date).map_err(|_| SignError::Unprintable)?,
            security_token: self.security_token.clone(),
        })
    }

    fn canonical_request_sha256(&self, target: Target<'_>, date: &str) -> digest::Digest {
        let mut hash = digest::Context::new(&digest::SHA256);
        for part in [target.method.as_str(), "\n", target.path, "\n\nhost:", target.host] {
            hash.update(part.as_bytes());
        }
        for part in ["\nx-amz-content-sha256:", EMPTY_PAYLOAD_SHA256, "\nx-amz-date:", date] {
            hash.update(part.as_bytes());
        }
        if let Some(token) = &self.security_token {
            hash.update(b"\nx-amz-security-token:");
            hash.update(token.as_bytes());
        }
        for part in [
            "\n\n",
            signed_headers(self.security_token.is_some()),
            "\n",
            EMPTY_PAYLOAD_SHA256,
        ] {
            hash.update(part.as_bytes());
        }
        hash.finish()
    }
}

const fn signed_headers(with_token: bool) -> &'static str {
    if with_token {
        "host;x-amz-content-sha256;x-amz-date;x-amz-security-token"
    } else {
        "host;x-amz-content-sha256;x-amz-date"
    }
}

fn hmac_sha256(key: &[u8], data: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data.as_bytes())
}

fn secret_header(text: &str) -> Result<HeaderValue, SignError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| SignError::Unprintable)?;
    value.set_sensitive(true);
    Ok(value)
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests;
