//! The random parts of an answer: replaced by placeholders, and checked against each other.

use ring::{digest, hmac};
use serde_json::Value;

use super::vector::Relations;

/// The random parts as they stood in the answer.
#[derive(Default)]
pub(crate) struct Captured {
    nonces: Vec<String>,
    hmac: Option<String>,
    verifier: Option<String>,
    state: Option<String>,
    challenge: Option<String>,
}

impl Captured {
    /// Puts placeholders in place of random parts and keeps what stood there.
    pub(crate) fn take(result: &mut Value) -> Self {
        let mut captured = Self::default();
        if let Some(location) = result["headers"].get_mut("location") {
            let text = location[0]["value"].as_str().unwrap_or_default().to_owned();
            location[0]["value"] = Value::from(captured.take_location(&text));
        }
        let cookies = result["headers"].get_mut("set-cookie").and_then(Value::as_array_mut);
        for cookie in cookies.into_iter().flatten() {
            let text = cookie["value"].as_str().unwrap_or_default().to_owned();
            cookie["value"] = Value::from(captured.take_cookie(&text));
        }
        captured
    }

    fn take_location(&mut self, location: &str) -> String {
        if let Some((base, query)) = location.split_once("/oauth2/authorize?") {
            let parts: Vec<String> = query
                .split('&')
                .map(|part| match part.split_once('=') {
                    Some(("state", value)) => {
                        self.state = Some(value.to_owned());
                        "state={{STATE}}".to_owned()
                    }
                    Some(("code_challenge", value)) => {
                        self.challenge = Some(value.to_owned());
                        "code_challenge={{CODE_CHALLENGE}}".to_owned()
                    }
                    _ => part.to_owned(),
                })
                .collect();
            return format!("{base}/oauth2/authorize?{}", parts.join("&"));
        }
        match location.rsplit_once("&nonce=") {
            Some((rest, nonce)) if rest.contains("?requestedUri=") => {
                self.nonces.push(nonce.to_owned());
                format!("{rest}&nonce={{{{NONCE}}}}")
            }
            _ => location.to_owned(),
        }
    }

    fn take_cookie(&mut self, cookie: &str) -> String {
        let Some((name, rest)) = cookie.split_once('=') else {
            return cookie.to_owned();
        };
        let (value, attributes) = match rest.split_once(';') {
            Some((value, attributes)) => (value, format!(";{attributes}")),
            None => (rest, String::new()),
        };
        let placeholder = match name {
            _ if value.is_empty() => return cookie.to_owned(),
            "spa-auth-edge-nonce" => {
                self.nonces.push(value.to_owned());
                "{{NONCE}}"
            }
            "spa-auth-edge-nonce-hmac" => {
                self.hmac = Some(value.to_owned());
                "{{NONCE_HMAC}}"
            }
            "spa-auth-edge-pkce" => {
                self.verifier = Some(value.to_owned());
                "{{PKCE}}"
            }
            _ => return cookie.to_owned(),
        };
        format!("{name}={placeholder}{attributes}")
    }

    /// Checks what was captured; what configured headers replaced is not there to check.
    pub(crate) fn check(&self, relations: &Relations, differences: &mut Vec<String>) {
        let mut demand = |holds: bool, what: &str| {
            if !holds {
                differences.push(what.to_owned());
            }
        };
        let state = self.state.as_deref().map(open_state);
        if let Some(state) = &state {
            demand(
                state["requestedUri"] == relations.requested_uri.as_str(),
                "requestedUri in state",
            );
            demand(
                state.as_object().is_some_and(|state| state.len() == 2),
                "members of state",
            );
        }
        let nonces: Vec<String> = self
            .nonces
            .iter()
            .map(|nonce| decode(nonce))
            .chain(state.and_then(|state| state["nonce"].as_str().map(str::to_owned)))
            .collect();
        for (raw, decoded) in self.nonces.iter().zip(&nonces) {
            demand(*raw == encode(decoded), "encoding of nonce");
        }
        let of_alphabet = |text: &str, length: usize| {
            text.chars().count() == length && text.chars().all(|c| relations.alphabet.contains(c))
        };
        for nonce in &nonces {
            demand(*nonce == nonces[0], "nonces differ");
            let random = nonce.strip_prefix(&format!("{}T", relations.nonce_timestamp));
            demand(
                random.is_some_and(|random| of_alphabet(random, relations.nonce_length)),
                "form of nonce",
            );
        }
        if let (Some(hmac), Some(nonce)) = (&self.hmac, nonces.first()) {
            demand(decode(hmac) == signature(relations, nonce), "signature of nonce");
        }
        if let Some(raw) = &self.verifier {
            let verifier = decode(raw);
            demand(*raw == encode(&verifier), "encoding of verifier");
            demand(of_alphabet(&verifier, relations.pkce_length), "form of verifier");
            let challenge = base64(digest::digest(&digest::SHA256, verifier.as_bytes()).as_ref());
            let challenge = challenge.replace('+', "-").replace('/', "_").replace('=', "");
            demand(
                self.challenge.as_ref().is_none_or(|found| *found == challenge),
                "code challenge",
            );
        }
    }
}

fn signature(relations: &Relations, nonce: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, relations.hmac_secret.as_bytes());
    let text = base64(hmac::sign(&key, nonce.as_bytes()).as_ref());
    let cut: String = text.chars().take(relations.nonce_length).collect();
    cut.replace('=', "").replace('+', "-").replace('/', "_")
}

fn open_state(state: &str) -> Value {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (mut bytes, mut group, mut bits) = (Vec::new(), 0u32, 0);
    for byte in state.bytes() {
        let sextet = alphabet.iter().position(|&known| known == byte).unwrap();
        group = group << 6 | sextet as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((group >> bits) as u8);
        }
    }
    serde_json::from_slice(&bytes).unwrap()
}

/// Standard base64, written apart from the core's so that the two do not share a mistake.
fn base64(bytes: &[u8]) -> String {
    let alphabet: Vec<char> = ('A'..='Z')
        .chain('a'..='z')
        .chain('0'..='9')
        .chain(['+', '/'])
        .collect();
    let bits: Vec<u8> = bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1))
        .collect();
    let mut text: String = bits
        .chunks(6)
        .map(|chunk| (0..6).fold(0, |value, at| value << 1 | chunk.get(at).copied().unwrap_or(0)))
        .map(|value| alphabet[usize::from(value)])
        .collect();
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'%' {
            let hex = std::str::from_utf8(&after[..2]).unwrap();
            bytes.push(u8::from_str_radix(hex, 16).unwrap());
            rest = &after[2..];
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap()
}
