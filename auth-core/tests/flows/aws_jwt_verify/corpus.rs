//! Tokens to be judged, made by technique: one thing wrong in each, or something odd that is right.

use std::fmt::Display;

use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaEncoding},
};
use serde_json::{Value, json};

use super::variants::{around, odd_json, wrapped};
use crate::fixture::{CLIENT, ISSUER, KID, NOW, base64, jwks, key_pair};

/// The key id of the second key of the pool.
pub(super) const SECOND: &str = "second";

/// What a token is presented as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    Id,
    Access,
}

/// A token, and the keys that it is judged by.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) token_use: Use,
    pub(crate) token: String,
    pub(crate) jwks: Value,
}

#[derive(Default)]
pub(crate) struct Corpus(pub(crate) Vec<Case>);

/// The pool's keys: those of the fixture, and one that signs as well.
pub(crate) fn pool_keys() -> Value {
    let mut set = jwks();
    let second = public_jwk("foreign");
    set["keys"].as_array_mut().unwrap().push(second);
    set
}

pub(super) fn public_jwk(key: &str) -> Value {
    let pair = key_pair(key);
    let public = ring::rsa::PublicKeyComponents::<Vec<u8>>::from(pair.public());
    json!({"kid": SECOND, "kty": "RSA", "alg": "RS256", "use": "sig", "n": base64(&public.n), "e": base64(&public.e)})
}

/// A header, as text, for nobody knows what a parser makes of it.
pub(super) fn header(kid: &str, more: &str) -> String {
    format!(r#"{{"alg":"RS256","kid":"{kid}"{more}}}"#)
}

pub(super) fn good_header() -> String {
    header(KID, "")
}

/// Claims as texts, in this order: an id token's, or an access token's.
fn claims(token_use: Use) -> Vec<(&'static str, String)> {
    let now = NOW.as_secs();
    let mut claims = vec![
        ("iss", format!("{ISSUER:?}")),
        ("sub", r#""s""#.to_owned()),
        ("exp", (now + 3600).to_string()),
        ("iat", now.to_string()),
    ];
    match token_use {
        Use::Id => claims.extend([("aud", format!("{CLIENT:?}")), ("token_use", r#""id""#.to_owned())]),
        Use::Access => claims.extend([
            ("client_id", format!("{CLIENT:?}")),
            ("token_use", r#""access""#.to_owned()),
            ("scope", r#""openid""#.to_owned()),
        ]),
    }
    claims
}

fn object<'c>(members: impl IntoIterator<Item = &'c (&'c str, String)>) -> String {
    let members: Vec<String> = members
        .into_iter()
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    format!("{{{}}}", members.join(","))
}

/// The claims with one of them as `value` has it; `None`: without it.
pub(super) fn with(token_use: Use, name: &str, value: Option<&str>) -> String {
    let mut all = claims(token_use);
    all.retain(|(known, _)| *known != name);
    let mut members: Vec<(&str, String)> = all;
    members.extend(value.map(|value| (name, value.to_owned())));
    object(&members)
}

pub(super) fn good(token_use: Use) -> String {
    object(&claims(token_use))
}

pub(super) fn join(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    format!("{}.{}", base64(header.as_ref()), base64(payload.as_ref()))
}

pub(super) fn signature(input: &str, key: &str, encoding: &'static dyn RsaEncoding) -> Vec<u8> {
    let pair = key_pair(key);
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(encoding, &SystemRandom::new(), input.as_bytes(), &mut signature)
        .unwrap();
    signature
}

fn signed(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    signed_input(&join(header, payload))
}

fn signed_input(input: &str) -> String {
    format!("{input}.{}", base64(&signature(input, "signing-a", &RSA_PKCS1_SHA256)))
}

impl Corpus {
    pub(crate) fn new() -> Self {
        let mut corpus = Self::default();
        corpus.forms();
        corpus.encodings();
        corpus.headers();
        corpus.payloads();
        for token_use in [Use::Id, Use::Access] {
            corpus.texts(token_use);
            corpus.times(token_use);
            corpus.repeated(token_use);
        }
        corpus.other_claims();
        corpus.signatures();
        corpus.keys();
        corpus
    }

    pub(super) fn add(&mut self, token_use: Use, name: impl Display, token: String) {
        self.add_with(token_use, name, token, pool_keys());
    }

    pub(super) fn add_with(&mut self, token_use: Use, name: impl Display, token: String, jwks: Value) {
        let kind = match token_use {
            Use::Id => "id",
            Use::Access => "access",
        };
        let name = format!("{kind} {name}");
        self.0.push(Case {
            name,
            token_use,
            token,
            jwks,
        });
    }

    /// Parts and what stands between them.
    fn forms(&mut self) {
        for token_use in [Use::Id, Use::Access] {
            let token = signed(good_header(), good(token_use));
            let parts: Vec<&str> = token.split('.').collect();
            let (h, p, s) = (parts[0], parts[1], parts[2]);
            for (name, token) in [
                ("good", token.clone()),
                ("one part", h.to_owned()),
                ("two parts", format!("{h}.{p}")),
                ("two parts and a dot", format!("{h}.{p}.")),
                ("four parts", format!("{token}.{s}")),
                ("five parts", format!("{token}.{s}.{s}")),
                ("dot before", format!(".{token}")),
                ("dot behind", format!("{token}.")),
                ("two dots between", format!("{h}..{p}.{s}")),
                ("no header", format!(".{p}.{s}")),
                ("no payload", format!("{h}..{s}")),
                ("parts exchanged", format!("{p}.{h}.{s}")),
                ("dots alone", "..".to_owned()),
                ("space inside", format!("{h}. {p}.{s}")),
                ("tab inside", format!("{h}\t.{p}.{s}")),
                ("underlined dot", format!("{h}_{p}_{s}")),
                ("full width dot", format!("{h}\u{ff0e}{p}\u{ff0e}{s}")),
            ] {
                self.add(token_use, format_args!("form: {name}"), token);
            }
        }
    }

    /// Base64 as RFC 7515 has it, and as others do. What is signed is what stands there.
    fn encodings(&mut self) {
        let payload = with(Use::Id, "x", Some(r#""??>>~~\u00ff""#));
        let input = join(good_header(), &payload);
        let (h, p) = input.split_once('.').unwrap();
        let token = signed_input(&input);
        let s = token.rsplit_once('.').unwrap().1.to_owned();
        for at in 0..3 {
            for (name, change) in [
                ("padded", (|part: &str| format!("{part}=")) as fn(&str) -> String),
                ("padded twice", |part| format!("{part}==")),
                ("padded thrice", |part| format!("{part}===")),
                ("padding alone", |_| "=".to_owned()),
                ("padding inside", |part| format!("{}={}", &part[..4], &part[4..])),
                ("the standard alphabet", |part| part.replace('-', "+").replace('_', "/")),
                ("plus", |part| format!("{}+{}", &part[..4], &part[5..])),
                ("a star", |part| format!("{}*{}", &part[..4], &part[5..])),
                ("a letter beyond ascii", |part| {
                    format!("{}\u{e9}{}", &part[..4], &part[5..])
                }),
                ("one character more", |part| format!("{part}A")),
                ("one character less", |part| part[..part.len() - 1].to_owned()),
                ("one character alone", |_| "A".to_owned()),
                ("four characters less", |part| part[..part.len() - 4].to_owned()),
            ] {
                let mut parts = [h.to_owned(), p.to_owned(), s.clone()];
                parts[at] = change(&parts[at]);
                let part = ["header", "payload", "signature"][at];
                let name = format!("encoding: {name} in the {part}");
                // Signed as it stands, so that nothing but the encoding is wrong.
                let token = match at {
                    2 => parts.join("."),
                    _ => signed_input(&format!("{}.{}", parts[0], parts[1])),
                };
                self.add(Use::Id, name, token);
            }
        }
        for length in 0..4 {
            let payload = with(Use::Id, "pad", Some(&format!("{:?}", "x".repeat(length))));
            self.add(
                Use::Id,
                format_args!("encoding: {length} bytes over"),
                signed(good_header(), payload),
            );
        }
        // Bits behind the last byte that are not zero.
        for (at, part) in ["header", "payload"].into_iter().enumerate() {
            let texts = [format!("{} ", good_header()), format!("{} ", good(Use::Id))];
            for spaces in 0..3 {
                let mut parts = [h.to_owned(), base64(good(Use::Id).as_bytes())];
                let text = format!("{}{}", texts[at], " ".repeat(spaces));
                if text.len() % 3 == 0 {
                    continue;
                }
                let mut encoded = base64(text.as_bytes());
                let last = encoded.pop().unwrap();
                encoded.push(char::from(last as u8 + 1));
                parts[at] = encoded;
                let name = format!("encoding: bits left over in the {part}, {spaces} spaces");
                self.add(Use::Id, name, signed_input(&parts.join(".")));
            }
        }
    }

    /// The header's own members (RFC 7515, section 4.1).
    fn headers(&mut self) {
        let payload = good(Use::Id);
        for alg in [
            "none",
            "None",
            "NONE",
            "HS256",
            "HS384",
            "HS512",
            "RS384",
            "RS512",
            "PS256",
            "ES256",
            "ES384",
            "EdDSA",
            "rs256",
            "RS256 ",
            " RS256",
            "RS-256",
            "RSA256",
            "RS256\\u0000",
            "",
            "RSA-OAEP",
            "dir",
        ] {
            let header = format!(r#"{{"alg":"{alg}","kid":"{KID}"}}"#);
            self.add(Use::Id, format_args!("alg: {alg:?}"), signed(&header, &payload));
            let unsigned = format!("{}.", join(&header, &payload));
            self.add(Use::Id, format_args!("alg: {alg:?} unsigned"), unsigned);
        }
        for alg in ["null", "true", "256", "[\"RS256\"]", "{}"] {
            let header = format!(r#"{{"alg":{alg},"kid":"{KID}"}}"#);
            self.add(Use::Id, format_args!("alg: {alg}"), signed(header, &payload));
        }
        self.add(
            Use::Id,
            "alg: none said",
            signed(format!(r#"{{"kid":"{KID}"}}"#), &payload),
        );
        for kid in [
            "\"\"",
            "null",
            "7",
            "true",
            "[]",
            "{}",
            "[\"second\"]",
            "\"unknown\"",
            "\"second\"",
            "\"__proto__\"",
            "\"constructor\"",
            "\"toString\"",
            "\"SECOND\"",
            "\"secon\"",
            "\"second\\u0000\"",
            "\"../second\"",
        ] {
            let header = format!(r#"{{"alg":"RS256","kid":{kid}}}"#);
            self.add(Use::Id, format_args!("kid: {kid}"), signed(header, &payload));
        }
        self.add(Use::Id, "kid: none said", signed(r#"{"alg":"RS256"}"#, &payload));
        let embedded = public_jwk("foreign").to_string();
        for (name, more) in [
            ("crit of nothing", r#","crit":[]"#.to_owned()),
            ("crit of something unknown", r#","crit":["x"],"x":1"#.to_owned()),
            ("crit of exp", r#","crit":["exp"],"exp":1"#.to_owned()),
            ("crit of no list", r#","crit":"x""#.to_owned()),
            ("unencoded payload", r#","crit":["b64"],"b64":false"#.to_owned()),
            ("b64 alone", r#","b64":false"#.to_owned()),
            ("a key of its own", format!(r#","jwk":{embedded}"#)),
            (
                "a place of keys",
                r#","jku":"https://evil.example/jwks.json""#.to_owned(),
            ),
            (
                "a place of certificates",
                r#","x5u":"https://evil.example/x.pem""#.to_owned(),
            ),
            ("certificates", r#","x5c":["MIIB"]"#.to_owned()),
            ("another type", r#","typ":"at+jwt""#.to_owned()),
            ("a type of no text", r#","typ":7"#.to_owned()),
            ("a content type", r#","cty":"JWT""#.to_owned()),
            ("compressed", r#","zip":"DEF""#.to_owned()),
            (
                "alg twice, the good one last",
                r#","alg":"none","alg":"RS256""#.to_owned(),
            ),
            ("alg twice, the bad one last", r#","alg":"none""#.to_owned()),
            ("alg spelled by escapes last", r#","\u0061lg":"none""#.to_owned()),
            ("kid twice, the good one last", format!(r#","kid":"x","kid":"{KID}""#)),
            ("kid twice, the other one last", r#","kid":"second""#.to_owned()),
            ("in upper case", r#","ALG":"none","KID":"x""#.to_owned()),
        ] {
            self.add(
                Use::Id,
                format_args!("header: {name}"),
                signed(header(KID, &more), &payload),
            );
        }
        for (name, text) in odd_json() {
            self.add(Use::Id, format_args!("header: {name}"), signed(text, &payload));
        }
        for (name, text) in wrapped(&good_header()) {
            self.add(Use::Id, format_args!("header: {name}"), signed(text, &payload));
        }
    }

    fn payloads(&mut self) {
        for (name, text) in odd_json() {
            self.add(Use::Id, format_args!("payload: {name}"), signed(good_header(), text));
        }
        for (name, text) in wrapped(&good(Use::Id)) {
            self.add(Use::Id, format_args!("payload: {name}"), signed(good_header(), text));
        }
    }

    /// Claims that are compared: issuer, client, use.
    fn texts(&mut self, token_use: Use) {
        let (client, other) = match token_use {
            Use::Id => ("aud", "client_id"),
            Use::Access => ("client_id", "aud"),
        };
        let kind = match token_use {
            Use::Id => "id",
            Use::Access => "access",
        };
        for (name, right) in [("iss", ISSUER), (client, CLIENT), ("token_use", kind)] {
            for (how, value) in around(right) {
                let payload = with(token_use, name, value.as_deref());
                self.add(token_use, format_args!("{name}: {how}"), signed(good_header(), payload));
            }
        }
        for (how, value) in around(CLIENT) {
            let payload = with(token_use, other, value.as_deref());
            self.add(
                token_use,
                format_args!("{other} as well: {how}"),
                signed(good_header(), payload),
            );
        }
        let other_use = match token_use {
            Use::Id => Use::Access,
            Use::Access => Use::Id,
        };
        self.add(
            token_use,
            "a token of the other kind",
            signed(good_header(), good(other_use)),
        );
        for issuer in [
            "http://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12Cd34E",
            "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_ab12cd34e",
            "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12Cd34F",
            "https://cognito-idp.us-east-1.amazonaws.com/eu-west-1_Ab12Cd34E",
            "https://cognito-idp.eu-west-1.amazonaws.com.evil.example/eu-west-1_Ab12Cd34E",
            "https://cognito-idp.eu-west-1.amazonaws.com:443/eu-west-1_Ab12Cd34E",
            "https://cognito-idp.eu-west-1.amazonaws.com//eu-west-1_Ab12Cd34E",
            "https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12Cd34E",
            "eu-west-1_Ab12Cd34E",
        ] {
            let payload = with(token_use, "iss", Some(&format!("{issuer:?}")));
            self.add(token_use, format_args!("iss: {issuer}"), signed(good_header(), payload));
        }
    }

    /// Claims that are times, to the second and beyond (T-JWT-7).
    fn times(&mut self, token_use: Use) {
        let now = NOW.as_secs();
        for name in ["exp", "nbf", "iat"] {
            let mut values: Vec<String> = [-86_400, -1, 0, 1, 86_400]
                .map(|secs| (now + secs).to_string())
                .to_vec();
            values.extend([
                format!("{}.5", now - 1),
                format!("{now}.0"),
                format!("{now}.5"),
                format!("{now}000"),
            ]);
            let odd = [
                "0",
                "-0",
                "-1",
                "1",
                "1e3",
                "1e300",
                "-1e300",
                "1e400",
                "-1e400",
                "4102444800",
                "9007199254740993",
                "9223372036854775808",
                "1e21",
                "0.1",
                "null",
                "true",
                "false",
                "\"\"",
                "\"1795327200\"",
                "[]",
                "{}",
                "[1795327200]",
                "\"never\"",
            ];
            values.extend(odd.map(str::to_owned));
            for value in values {
                let payload = with(token_use, name, Some(&value));
                self.add(
                    token_use,
                    format_args!("{name}: {value}"),
                    signed(good_header(), payload),
                );
            }
            let payload = with(token_use, name, None);
            self.add(
                token_use,
                format_args!("{name}: not there"),
                signed(good_header(), payload),
            );
        }
    }

    /// Names that come twice (T-JWT-1): of two values the last holds, or neither.
    fn repeated(&mut self, token_use: Use) {
        let client = if token_use == Use::Id { "aud" } else { "client_id" };
        let past = (NOW.as_secs() - 1).to_string();
        for (name, bad) in [
            ("iss", "\"https://evil.example\""),
            ("exp", past.as_str()),
            ("token_use", "\"refresh\""),
            (client, "\"other\""),
        ] {
            let right = claims(token_use)
                .into_iter()
                .find(|(known, _)| *known == name)
                .unwrap()
                .1;
            let escaped = format!("\\u{:04x}{}", u32::from(name.as_bytes()[0]), &name[1..]);
            for (how, first, last) in [
                ("the good one last", (name, bad), (name, right.as_str())),
                ("the bad one last", (name, right.as_str()), (name, bad)),
                (
                    "the good one last, in escapes",
                    (name, bad),
                    (escaped.as_str(), right.as_str()),
                ),
                (
                    "the bad one last, in escapes",
                    (name, right.as_str()),
                    (escaped.as_str(), bad),
                ),
                ("null last", (name, right.as_str()), (name, "null")),
            ] {
                let mut members = claims(token_use);
                members.retain(|(known, _)| *known != name);
                let mut members: Vec<(&str, String)> = members;
                members.extend([first, last].map(|(name, value)| (name, value.to_owned())));
                let token = signed(good_header(), object(&members));
                self.add(token_use, format_args!("{name} twice: {how}"), token);
            }
        }
    }

    /// Claims that are not compared, of types that they should not have.
    fn other_claims(&mut self) {
        let values = ["null", "7", "true", "\"x\"", "[]", "[\"a\"]", "[7]", "{}"];
        for name in [
            "sub",
            "jti",
            "scope",
            "cognito:groups",
            "cognito:username",
            "auth_time",
            "nonce",
            "email_verified",
        ] {
            for value in values {
                for token_use in [Use::Id, Use::Access] {
                    let payload = with(token_use, name, Some(value));
                    self.add(
                        token_use,
                        format_args!("{name}: {value}"),
                        signed(good_header(), payload),
                    );
                }
            }
        }
        for name in ["__proto__", "constructor", "toString", "hasOwnProperty", ""] {
            let payload = with(Use::Id, name, Some(r#"{"exp":1}"#));
            self.add(
                Use::Id,
                format_args!("a claim called {name:?}"),
                signed(good_header(), payload),
            );
        }
    }
}
