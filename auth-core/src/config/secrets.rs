//! What the flow's own secrets are made of: nonce, its signature, PKCE verifier.

use super::{
    Endpoint,
    reader::{Reader, describe},
};
use crate::{Secret, cookies, js::number::parse_int, json::Json};

const DEFAULT_CHARACTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
const DEFAULT_MAX_AGE_SECS: f64 = 86_400.0;

#[derive(Clone, Debug)]
pub(crate) struct Secrets {
    pub(crate) nonce_signing: Secret<String>,
    pub(crate) allowed_characters: Vec<char>,
    pub(crate) pkce_length: usize,
    pub(crate) nonce_length: usize,
    pub(crate) nonce_max_age_secs: f64,
}

impl Secrets {
    pub(super) fn read(reader: &mut Reader<'_>, nonce_cookie: &str) -> Self {
        let nonce_signing = reader.optional_secret("nonceSigningSecret").unwrap_or_else(|| {
            if reader.value("nonceSigningSecret").is_none()
                && reader.is_needed_by(&[Endpoint::Protected, Endpoint::SignIn, Endpoint::Refresh])
            {
                reader.problem(
                    "nonceSigningSecret",
                    "nothing",
                    "a string, best of 32 random characters or more",
                );
            }
            Secret::default()
        });
        Self {
            nonce_signing,
            allowed_characters: allowed_characters(reader),
            pkce_length: reader.count("pkceLength", 1.0, 43),
            nonce_length: reader.count("nonceLength", 1.0, 16),
            nonce_max_age_secs: nonce_max_age_secs(reader, nonce_cookie),
        }
    }
}

fn allowed_characters(reader: &mut Reader<'_>) -> Vec<char> {
    let text = reader
        .optional_text("secretAllowedCharacters")
        .unwrap_or(DEFAULT_CHARACTERS);
    if text.is_empty() {
        reader.problem("secretAllowedCharacters", "\"\"", "at least one character");
        return DEFAULT_CHARACTERS.chars().collect();
    }
    text.chars().collect()
}

/// The configured age, else the Max-Age of the nonce cookie, else a day. A Max-Age of 0 or one that
/// cannot be read counts as none.
fn nonce_max_age_secs(reader: &mut Reader<'_>, nonce_cookie: &str) -> f64 {
    match reader.value("nonceMaxAge") {
        Some(Json::Number(secs)) => *secs,
        None => max_age_of(nonce_cookie).unwrap_or(DEFAULT_MAX_AGE_SECS),
        found => {
            reader.problem("nonceMaxAge", describe(found), "a number of seconds");
            DEFAULT_MAX_AGE_SECS
        }
    }
}

fn max_age_of(attributes: &str) -> Option<f64> {
    let attributes = attributes.to_lowercase();
    let fields = [attributes.as_str()];
    let value = cookies::Cookies::new(&fields).get("max-age")?;
    parse_int(&value).filter(|&secs| secs != 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_is_read_from_the_cookie_settings_as_a_cookie_parser_would() {
        for (attributes, secs) in [
            ("Path=/; Max-Age=900", Some(900.0)),
            ("MAX-AGE=10; max-age=20", Some(10.0)),
            ("Max-Age=\"60\"", Some(60.0)),
            ("Max-Age=%36%30", Some(60.0)),
            ("Max-Age=60min", Some(60.0)),
            ("Max-Age=-1", Some(-1.0)),
            ("Max-Age=0", None),
            ("Max-Age=x", None),
            ("Path=/", None),
        ] {
            assert_eq!(max_age_of(attributes), secs, "{attributes}");
        }
    }
}
