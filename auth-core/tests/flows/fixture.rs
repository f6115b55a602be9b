//! One site, its signing keys, and a browser's request in a line.

use auth_core::{
    Authenticator, Capabilities, Config, Decision, Entropy, Forward, HttpReply, Reason, Request, RequestHeaders,
    Response, Scheme, Step, UnixTime, json::Json,
};
use ring::{
    rand::{SecureRandom, SystemRandom},
    signature::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RsaEncoding, RsaKeyPair},
};
use serde_json::{Value, json};

pub(crate) const NOW: UnixTime = UnixTime::from_secs(1_795_323_600);
pub(crate) const KID: &str = "3u1kQm9pT5s8b0a4vYw7RfZx2LhNcJd6EoGiK+PqUtA=";
pub(crate) const ISSUER: &str = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12Cd34E";
pub(crate) const CLIENT: &str = "client";

pub(crate) struct Rng;

impl Entropy for Rng {
    fn fill(&mut self, out: &mut [u8]) {
        SystemRandom::new().fill(out).unwrap();
    }
}

fn read(name: &str) -> String {
    std::fs::read_to_string(format!("{}/tests/keys/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

pub(crate) fn jwks() -> Value {
    serde_json::from_str(&read("jwks.json")).unwrap()
}

/// The configuration with some keys replaced.
pub(crate) fn config(overrides: Value) -> Value {
    let mut config = json!({
        "userPoolArn": "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_Ab12Cd34E",
        "jwks": jwks(), "clientId": CLIENT, "clientSecret": "", "oauthScopes": ["openid"],
        "cognitoAuthDomain": "login.example", "redirectPathSignIn": "/parseauth", "redirectPathSignOut": "/",
        "redirectPathAuthRefresh": "/refreshauth", "signOutUrl": "/signout", "mode": "spaMode",
        "cookieSettings": null, "cookieCompatibility": "elasticsearch", "additionalCookies": {},
        "requiredGroup": "", "httpHeaders": {}, "logLevel": "none",
        "nonceSigningSecret": "0123456789abcdef0123456789abcdef"
    });
    for (key, value) in overrides.as_object().unwrap() {
        config[key] = value.clone();
    }
    config
}

pub(crate) fn site(overrides: Value) -> Authenticator {
    let json = Json::parse(config(overrides).to_string().as_bytes()).unwrap();
    Authenticator::new(Config::from_json(&json).unwrap(), Capabilities::PROXY)
}

/// Header fields, their names in lower case.
pub(crate) struct Fields<'a>(pub(crate) &'a [(&'a str, &'a str)]);

impl RequestHeaders for Fields<'_> {
    fn get_all<'h>(&'h self, name: &str) -> Vec<&'h str> {
        let of_name = self.0.iter().filter(|(known, _)| *known == name);
        of_name.map(|(_, value)| *value).collect()
    }
}

/// A request for the site.
pub(crate) struct Asking<'a> {
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    pub(crate) cookies: &'a [&'a str],
    pub(crate) fields: &'a [(&'a str, &'a str)],
}

pub(crate) fn ask(auth: &Authenticator, asking: &Asking<'_>, now: UnixTime) -> Step {
    let (path, query) = asking.target.split_once('?').unwrap_or((asking.target, ""));
    let request = Request {
        method: asking.method,
        scheme: Scheme::Https,
        host: "site.example",
        path,
        query,
        cookies: asking.cookies,
        headers: &Fields(asking.fields),
    };
    auth.begin(&request, now, &mut Rng)
}

/// A GET with these Cookie fields.
pub(crate) fn get(auth: &Authenticator, target: &str, cookies: &[&str], now: UnixTime) -> Step {
    get_with(auth, target, cookies, &[], now)
}

/// A GET with these Cookie fields and these others.
pub(crate) fn get_with(
    auth: &Authenticator,
    target: &str,
    cookies: &[&str],
    fields: &[(&str, &str)],
    now: UnixTime,
) -> Step {
    let asking = Asking {
        method: "GET",
        target,
        cookies,
        fields,
    };
    ask(auth, &asking, now)
}

/// Who may pass, or why not.
pub(crate) fn reason(step: Step) -> Reason {
    match step {
        Step::Decided(decision) => decision.reason(),
        Step::Call(pending) => panic!("unexpected call {pending:?}"),
    }
}

pub(crate) fn response(step: Step) -> Response {
    match step {
        Step::Decided(Decision::Respond(response)) => response,
        other => panic!("unexpected {other:?}"),
    }
}

pub(crate) fn forward(step: Step) -> Forward {
    match step {
        Step::Decided(Decision::Forward(forward)) => forward,
        other => panic!("unexpected {other:?}"),
    }
}

/// The outcome of a request that carries this id token.
pub(crate) fn with_token(auth: &Authenticator, token: &str, now: UnixTime) -> Step {
    get(auth, "/", &[&format!("ID-TOKEN={token}")], now)
}

pub(crate) fn json_reply(body: &Value) -> HttpReply {
    HttpReply {
        status: 200,
        content_type: Some("application/json".to_owned()),
        body: body.to_string().into_bytes(),
    }
}

pub(crate) fn set_cookies(response: &Response) -> Vec<&str> {
    response
        .headers
        .iter()
        .filter(|(name, _)| *name == "set-cookie")
        .map(|(_, value)| value)
        .collect()
}

pub(crate) fn claims(overrides: Value) -> Value {
    let mut claims = json!({
        "iss": ISSUER, "aud": CLIENT, "token_use": "id", "sub": "s", "cognito:username": "jane",
        "email": "jane@example.com", "exp": NOW.as_secs() + 3600, "iat": NOW.as_secs()
    });
    for (name, value) in overrides.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

/// A token signed by the pool's own key.
pub(crate) fn token(overrides: Value) -> String {
    sign(&json!({"alg": "RS256", "kid": KID}), &claims(overrides), "signing-a")
}

/// A token with these claims and no others.
pub(crate) fn token_of(claims: &Value) -> String {
    sign(&json!({"alg": "RS256", "kid": KID}), claims, "signing-a")
}

pub(crate) fn token_with_header(header: &Value) -> String {
    sign(header, &claims(json!({})), "signing-a")
}

pub(crate) fn foreign_token() -> String {
    sign(&json!({"alg": "RS256", "kid": KID}), &claims(json!({})), "foreign")
}

pub(crate) fn sign(header: &Value, claims: &Value, key: &str) -> String {
    let input = format!(
        "{}.{}",
        base64(header.to_string().as_bytes()),
        base64(claims.to_string().as_bytes())
    );
    let pair = key_pair(key);
    let mut signature = vec![0; pair.public().modulus_len()];
    let encoding: &'static dyn RsaEncoding = if header["alg"] == "RS384" {
        &RSA_PKCS1_SHA384
    } else {
        &RSA_PKCS1_SHA256
    };
    pair.sign(encoding, &SystemRandom::new(), input.as_bytes(), &mut signature)
        .unwrap();
    format!("{input}.{}", base64(&signature))
}

/// The keys of that name.
pub(crate) fn key_pair(name: &str) -> RsaKeyPair {
    let pem: String = read(&format!("{name}.private.pem"))
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    RsaKeyPair::from_pkcs8(&unbase64(&pem)).unwrap()
}

const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

pub(crate) fn base64(bytes: &[u8]) -> String {
    let bits: Vec<u8> = bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1))
        .collect();
    bits.chunks(6)
        .map(|chunk| (0..6).fold(0, |value, at| value << 1 | chunk.get(at).copied().unwrap_or(0)))
        .map(|value| char::from(ALPHABET[usize::from(value)]))
        .collect()
}

fn unbase64(text: &str) -> Vec<u8> {
    let text = text.replace('+', "-").replace('/', "_");
    let sextets: Vec<u8> = text
        .bytes()
        .filter_map(|byte| ALPHABET.iter().position(|&known| known == byte))
        .map(|at| at as u8)
        .collect();
    let bits: Vec<u8> = sextets
        .iter()
        .flat_map(|sextet| (0..6).rev().map(move |bit| sextet >> bit & 1))
        .collect();
    bits.chunks_exact(8)
        .map(|chunk| chunk.iter().fold(0, |byte, bit| byte << 1 | bit))
        .collect()
}
