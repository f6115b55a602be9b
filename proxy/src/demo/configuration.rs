//! The proxy's configuration in a demo: one that an operator could have written.

use std::{
    io::{self, Write as _},
    net::SocketAddr,
};

use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::{Value, json};

use super::{Arguments, DemoError, arguments::reachable, site, store};
use crate::config::{Environment, Settings};

/// The app client.
pub(super) const CLIENT_ID: &str = "gatehouse-web";
/// The names that this machine has for itself.
pub(super) const HOSTS: [&str; 3] = ["localhost", "app.localhost", "127.0.0.1"];

const OAUTH_SCOPES: [&str; 5] = ["phone", "email", "profile", "openid", "aws.cognito.signin.user.admin"];
const REDIRECT_PATH_SIGN_IN: &str = "/parseauth";
const REDIRECT_PATH_SIGN_OUT: &str = "/";
const SIGN_OUT_URL: &str = "/signout";

/// What the sample site needs and nothing more; the sign-in pages of the proxy bring a style of their own.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; object-src 'none'; \
                                       base-uri 'none'; frame-ancestors 'none'";

/// The settings of the proxy, read from a file as those of any proxy, without the process's variables.
pub(super) fn settings(
    arguments: &Arguments,
    provider: &dev_idp::Running,
    store: &store::Running,
) -> Result<Settings, DemoError> {
    // Readable by us alone, and gone when it has been read.
    let mut file = tempfile::Builder::new()
        .suffix(".json")
        .tempfile()
        .map_err(DemoError::Temporary)?;
    let text = json!({
        "listen": { "http": [arguments.listen] },
        "admin": { "listen": arguments.admin },
        "shutdown": { "drain": "1s" },
        "sites": [{
            "name": "demo",
            "hosts": HOSTS,
            "default_root_object": "index.html",
            "rewrite_trailing_slash_to_index": true,
            "auth": auth(provider)?,
            "origin": origin(store),
        }],
    });
    file.write_all(text.to_string().as_bytes())
        .map_err(DemoError::Temporary)?;
    Ok(Settings::load(Some(file.path()), &Environment::default())?)
}

/// What the sample site's pages read, under the names that a deployment gives it.
pub(super) fn page_settings(provider: &dev_idp::Running) -> Value {
    json!({
        "UserPoolId": dev_idp::Settings::default().pool_id,
        "ClientId": CLIENT_ID,
        "CognitoAuthDomain": reachable(provider.addr()).to_string(),
        "OAuthScopes": OAUTH_SCOPES,
        "RedirectPathSignIn": REDIRECT_PATH_SIGN_IN,
        "RedirectPathSignOut": REDIRECT_PATH_SIGN_OUT,
        "SignOutUrl": SIGN_OUT_URL,
    })
}

fn auth(provider: &dev_idp::Running) -> Result<Value, DemoError> {
    let address = reachable(provider.addr());
    let pool = dev_idp::Settings::default();
    Ok(json!({
        "userPoolArn": format!("arn:aws:cognito-idp:{}:123456789012:userpool/{}", pool.region, pool.pool_id),
        "jwks": provider.jwks(),
        "jwksUri": jwks_uri(address, &pool.pool_id),
        "clientId": CLIENT_ID,
        "clientSecret": "",
        "oauthScopes": OAUTH_SCOPES,
        "cognitoAuthDomain": address.to_string(),
        "insecureLoopbackHttp": true,
        "redirectPathSignIn": REDIRECT_PATH_SIGN_IN,
        "redirectPathSignOut": REDIRECT_PATH_SIGN_OUT,
        "redirectPathAuthRefresh": "/refreshauth",
        "signOutUrl": SIGN_OUT_URL,
        // The page shows who is signed in: its scripts read the cookies, as AWS Amplify does.
        "mode": "spaMode",
        "cookieCompatibility": "amplify",
        "cookieSettings": {
            "idToken": null, "accessToken": null, "refreshToken": null, "nonce": null, "cognitoEnabled": null
        },
        "additionalCookies": {},
        "requiredGroup": "",
        "httpHeaders": {
            "Content-Security-Policy": CONTENT_SECURITY_POLICY,
            "Referrer-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
        },
        "nonceSigningSecret": random_secret()?,
        "logLevel": "none",
    }))
}

/// Where the provider's keys really are; its issuer is a name only.
fn jwks_uri(address: SocketAddr, pool_id: &str) -> String {
    format!("http://{address}/{pool_id}/.well-known/jwks.json")
}

fn origin(store: &store::Running) -> Value {
    json!({
        "kind": "s3",
        "bucket": site::BUCKET,
        "endpoint": store.endpoint,
        "path_style": true,
        "access_key_id": store.access_key,
        "secret_access_key": store.secret_key.expose(),
    })
}

fn random_secret() -> Result<String, DemoError> {
    let mut bytes = [0; 24];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| DemoError::Threads(io::Error::other("no random bytes")))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
