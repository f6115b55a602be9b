//! `[sites.identity.assertion]`: a JWT about the viewer, signed by a key of the operator's.

use std::time::Duration;

use http::HeaderName;

use super::may_tell;
use crate::{
    config::{section::Section, units::Span},
    identity::assertion::key::SigningKey,
};

/// A JWT about the viewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssertionSettings {
    /// What it is signed with.
    pub key: SigningKey,
    /// The header that carries it.
    pub header: HeaderName,
    /// Its `iss`.
    pub issuer: String,
    /// Its `aud`.
    pub audience: String,
    /// From `iat` to `exp`.
    pub lifetime: Duration,
    /// The claims of the id token that it repeats.
    pub claims: Vec<String>,
}

/// Reads the table. `None`: there is none, or there was a problem, and it has been reported.
pub(super) fn read(mut section: Section<'_>) -> Option<AssertionSettings> {
    section.object()?;
    let key = key(&mut section);
    let header = header(&mut section);
    let issuer = section
        .text("issuer")
        .map_or_else(|| "portcullis".to_owned(), |text| text.into_owned());
    let audience = section.required_text("audience", "the name by which the origin knows itself");
    let lifetime = section.parsed::<Span>("lifetime", "a duration as `60s`");
    let lifetime = lifetime.map_or(Duration::from_secs(60), |span| span.0);
    if !(10..=600).contains(&lifetime.as_secs()) {
        section.refuse("lifetime", format!("{lifetime:?}"), "10s to 10m");
    }
    let mut claims: Vec<String> = section.parsed_list("claims", "the name of a claim");
    if claims.is_empty() {
        claims = ["sub", "email", "cognito:groups"].map(str::to_owned).into();
    }
    if let Some(own) = claims
        .iter()
        .find(|claim| ["iss", "aud", "iat", "exp", "nbf"].contains(&claim.as_str()))
    {
        section.refuse("claims", format!("{own:?}"), "claims about the viewer");
    }
    section.finish();
    Some(AssertionSettings {
        key: key?,
        header,
        issuer,
        audience: audience?,
        lifetime,
        claims,
    })
}

fn key(section: &mut Section<'_>) -> Option<SigningKey> {
    const EXPECTED: &str = "a P-256 or Ed25519 key in PKCS #8 PEM form";
    let Some(pem) = section.secret("key", "key_file") else {
        if !section.is_refused() {
            section.refuse("key_file", "nothing", EXPECTED);
        }
        return None;
    };
    SigningKey::from_pem(pem.expose())
        .map_err(|error| section.refuse("key_file", error.to_string(), EXPECTED))
        .ok()
}

fn header(section: &mut Section<'_>) -> HeaderName {
    let default = HeaderName::from_static("x-portcullis-assertion");
    let header = section
        .parsed::<HeaderName>("header", "a header's name")
        .unwrap_or(default);
    if !may_tell(&header) || header.as_str().contains('_') {
        section.refuse(
            "header",
            format!("{:?}", header.as_str()),
            "a header's name as `X-Portcullis-Assertion`",
        );
    }
    header
}
