//! What the benches and the load harness have in common.
//!
//! At the root, a site and a signed-in viewer's request, as the micro-benches measure them: the keys are those of
//! the core's tests, the cookies are a Cognito session's in size and number. Below it, the harness, from the
//! inside out: [`generator`] sends requests and times them, [`sessions`] has the viewers' cookies, [`process`]
//! runs servers and reads what they take, [`origin`] is content to serve, [`provider`] knows the viewers,
//! [`portcullis`] is the proxy between them. [`load`], [`peers`] and [`train`] are what it is for.
#![expect(clippy::expect_used, reason = "a bench stops at the first thing that is wrong")]

pub mod cli;
pub mod generator;
pub mod load;
pub mod origin;
pub mod peers;
pub mod portcullis;
pub mod process;
pub mod provider;
pub mod sessions;
pub mod train;

use auth_core::{Authenticator, Capabilities, Config, Entropy, NoHeaders, Request, Scheme, UnixTime, json::Json};
use ring::{
    rand::{SecureRandom, SystemRandom},
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::{Value, json};

/// The moment at which everything happens.
pub const NOW: UnixTime = UnixTime::from_secs(1_795_323_600);
const CLIENT: &str = "1example23456789abcdefghij";
const USER: &str = "b1f0c2d4-5e6f-4a7b-8c9d-0e1f2a3b4c5d";
const KEY: &str = include_str!("../../auth-core/tests/keys/signing-a.private.pem");
const JWKS: &str = include_str!("../../auth-core/tests/keys/jwks.json");

/// The operating system's randomness.
#[derive(Debug)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&mut self, out: &mut [u8]) {
        SystemRandom::new().fill(out).expect("the system gives random bytes");
    }
}

/// A site in SPA mode with Amplify's cookie names, remembering up to `remembered_tokens`.
#[must_use]
pub fn site(remembered_tokens: usize) -> Authenticator {
    site_of(&configuration(), remembered_tokens)
}

/// The same in the enhanced profile, everything in it as it is by default.
#[must_use]
pub fn enhanced_site(remembered_tokens: usize) -> Authenticator {
    let mut config: Value = serde_json::from_str(&configuration()).expect("the configuration is JSON");
    config["profile"] = json!("enhanced");
    site_of(&config.to_string(), remembered_tokens)
}

fn site_of(configuration: &str, remembered_tokens: usize) -> Authenticator {
    let json = Json::parse(configuration.as_bytes()).expect("the configuration is JSON");
    let config = Config::from_json(&json).expect("the configuration is right");
    let capabilities = Capabilities {
        remembered_tokens,
        ..Capabilities::PROXY
    };
    Authenticator::new(config, capabilities)
}

/// That site's configuration.json.
#[must_use]
pub fn configuration() -> String {
    let config = json!({
        "userPoolArn": "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_Ab12Cd34E",
        "jwks": serde_json::from_str::<Value>(JWKS).expect("the test keys are JSON"),
        "clientId": CLIENT, "clientSecret": "", "oauthScopes": ["openid", "email"],
        "cognitoAuthDomain": "login.example", "redirectPathSignIn": "/parseauth", "redirectPathSignOut": "/",
        "redirectPathAuthRefresh": "/refreshauth", "signOutUrl": "/signout", "mode": "spaMode",
        "cookieSettings": null, "cookieCompatibility": "amplify", "additionalCookies": {}, "requiredGroup": "",
        "httpHeaders": {"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"},
        "logLevel": "none", "nonceSigningSecret": "0123456789abcdef0123456789abcdef"
    });
    config.to_string()
}

/// An id token of the usual size, valid for an hour, `serial` making it distinct.
#[must_use]
pub fn id_token(serial: usize) -> String {
    id_token_until(UnixTime::from_secs(NOW.as_secs() + 3600), serial)
}

/// One that is valid until then.
#[must_use]
pub fn id_token_until(expires: UnixTime, serial: usize) -> String {
    let header = json!({"kid": "3u1kQm9pT5s8b0a4vYw7RfZx2LhNcJd6EoGiK+PqUtA=", "alg": "RS256"});
    let claims = json!({
        "sub": USER, "email_verified": true, "iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12Cd34E",
        "cognito:username": USER, "cognito:groups": ["readers", "writers"], "aud": CLIENT, "token_use": "id",
        "auth_time": NOW.as_secs(), "exp": expires.as_secs(), "iat": NOW.as_secs(),
        "jti": format!("{serial:032}"), "origin_jti": "5c1e0a9b-1111-4222-8333-944445555666",
        "event_id": "0d9c8b7a-aaaa-4bbb-8ccc-dddddddddddd", "email": "jane.doe@example.com"
    });
    let input = format!(
        "{}.{}",
        base64(header.to_string().as_bytes()),
        base64(claims.to_string().as_bytes())
    );
    let pair = RsaKeyPair::from_pkcs8(&signing_key()).expect("the test key is PKCS#8");
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        input.as_bytes(),
        &mut signature,
    )
    .expect("the test key signs");
    format!("{input}.{}", base64(&signature))
}

/// What a token's signature covers, and the signature.
#[must_use]
pub fn signed_parts(token: &str) -> (&str, Vec<u8>) {
    let (input, signature) = token.rsplit_once('.').expect("a token has three parts");
    (input, unbase64(signature))
}

/// The key that signs the tokens, in PKCS#8.
#[must_use]
pub fn signing_key() -> Vec<u8> {
    let pem: String = KEY.lines().filter(|line| !line.starts_with('-')).collect();
    unbase64(&pem)
}

/// The Cookie header of a signed-in viewer: about 4.5 KB, in the order in which a sign-in sets the cookies and a
/// browser sends them.
#[must_use]
pub fn cookie_header(id_token: &str) -> String {
    let prefix = format!("CognitoIdentityServiceProvider.{CLIENT}");
    let access_token = "a".repeat(1_050);
    let refresh_token = "r".repeat(1_750);
    let user_data = "d".repeat(260);
    format!(
        "theme=dark; {prefix}.{USER}.idToken={id_token}; {prefix}.{USER}.accessToken={access_token}; \
         {prefix}.{USER}.refreshToken={refresh_token}; {prefix}.LastAuthUser={USER}; \
         {prefix}.{USER}.tokenScopesString=openid email; {prefix}.{USER}.userData={user_data}; \
         amplify-signin-with-hostedUI=true"
    )
}

/// A GET with these Cookie fields.
#[must_use]
pub fn get<'a>(cookies: &'a [&'a str]) -> Request<'a> {
    Request {
        method: "GET",
        scheme: Scheme::Https,
        host: "site.example",
        path: "/assets/app.js",
        query: "",
        cookies,
        headers: &NoHeaders,
    }
}

const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn base64(bytes: &[u8]) -> String {
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
    let sextets = text
        .bytes()
        .filter_map(|byte| ALPHABET.iter().position(|&known| known == byte));
    let bits: Vec<usize> = sextets
        .flat_map(|sextet| (0..6).rev().map(move |bit| sextet >> bit & 1))
        .collect();
    bits.chunks_exact(8)
        .map(|chunk| chunk.iter().fold(0, |byte, &bit| byte << 1 | u8::from(bit == 1)))
        .collect()
}
