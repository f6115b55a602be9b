//! A site with everything around it: identity provider, configuration, running proxy.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use dev_idp::{Client, DevIdp, Overrides, TokenSet, User};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    browser::Browser,
    http::{Request, Response, Wire, exchange},
    origin::{CONTENT, Origin},
    process::{Process, Signal, addresses},
    runtime::wait,
};

/// The name that viewers use. Browsers take it for loopback, so `Secure` cookies work over http.
pub(crate) const HOST: &str = "app.localhost";
pub(crate) const CLIENT: &str = "3n4b5urk1ft4fl3mg5e62d9ado";
pub(crate) const OTHER_POOL: &str = "us-east-1_Other0002";
pub(crate) const OTHER_CLIENT: &str = "7other5client4fl3mg5e62d9";
pub(crate) const CLIENT_SECRET: &str = "kept-between-client-and-provider-8231";
pub(crate) const NONCE_SECRET: &str = "what-nonces-are-signed-with-4471";
/// In the group `readers`.
pub(crate) const ALICE: (&str, &str) = ("alice", "wonderland-7 pass");
/// In no group.
pub(crate) const BOB: (&str, &str) = ("bob", "builder-7 pass");

/// A site about to be started.
pub(crate) struct Plan {
    idp: dev_idp::Settings,
    config: Value,
    folder: TempDir,
    variables: Vec<(String, String)>,
    /// What is still to be done when the provider has its address.
    provided: Option<Provided>,
}

type Provided = Box<dyn FnOnce(&dev_idp::Running)>;

impl Plan {
    /// In front of a folder with a few files, each with [`CONTENT`] in it.
    pub(crate) fn directory() -> Self {
        let plan = Self::bare();
        let root = plan.folder.path().join("content");
        fs::create_dir_all(root.join("docs")).unwrap();
        for file in ["index.html", "page.html", "docs/index.html", "data.json"] {
            fs::write(root.join(file), format!("{file} {CONTENT}")).unwrap();
        }
        let origin = json!({ "kind": "directory", "root": root });
        plan.origin(origin)
    }

    /// In front of an origin of the test's own.
    pub(crate) fn custom(origin: &Origin) -> Self {
        Self::bare().origin(json!({ "kind": "custom", "url": origin.url() }))
    }

    /// Without an origin.
    pub(crate) fn bare() -> Self {
        Self {
            idp: dev_idp::Settings {
                clients: vec![client(Client::public(CLIENT))],
                users: vec![
                    User::new(ALICE.0, ALICE.1).groups(["readers", "writers"]),
                    User::new(BOB.0, BOB.1),
                ],
                ..dev_idp::Settings::default()
            },
            config: json!({
                "listen": { "http": ["127.0.0.1:0"] },
                "admin": { "listen": "127.0.0.1:0" },
                "log": { "format": "json" },
                "threads": 2,
                "sites": [{
                    "name": "app",
                    "hosts": [HOST],
                    "default_root_object": "index.html",
                    "auth": {
                        "userPoolArn": "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_DevPool01",
                        "clientId": CLIENT,
                        "clientSecret": "",
                        "oauthScopes": ["phone", "email", "profile", "openid"],
                        "redirectPathSignIn": "/parseauth",
                        "redirectPathSignOut": "/",
                        "redirectPathAuthRefresh": "/refreshauth",
                        "signOutUrl": "/signout",
                        "mode": "spaMode",
                        "cookieCompatibility": "amplify",
                        "cookieSettings": {
                            "idToken": null, "accessToken": null, "refreshToken": null, "nonce": null,
                            "cognitoEnabled": null,
                        },
                        "additionalCookies": {},
                        "requiredGroup": "",
                        "httpHeaders": {
                            "Strict-Transport-Security": "max-age=31536000",
                            "X-Content-Type-Options": "nosniff",
                        },
                        "nonceSigningSecret": NONCE_SECRET,
                        // What most of the suite is about; the enhanced profile has tests of its own.
                        "profile": "reference",
                        "logLevel": "none",
                        "insecureLoopbackHttp": true,
                    },
                }],
            }),
            folder: TempDir::new().unwrap(),
            variables: Vec::new(),
            provided: None,
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn origin(mut self, origin: Value) -> Self {
        self.config["sites"][0]["origin"] = origin;
        self
    }

    /// Sets a key of the sign-in.
    pub(crate) fn auth(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.config["sites"][0]["auth"][key] = value.into();
        self
    }

    /// Sets a key of the site.
    pub(crate) fn site(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.config["sites"][0][key] = value.into();
        self
    }

    /// Another site beside it, of another pool with another client, otherwise configured alike.
    pub(crate) fn beside(mut self, host: &str, origin: Value) -> (Self, dev_idp::Running) {
        let settings = dev_idp::Settings {
            pool_id: OTHER_POOL.into(),
            clients: vec![client(Client::public(OTHER_CLIENT))],
            users: self.idp.users.clone(),
            ..dev_idp::Settings::default()
        };
        let idp = wait(DevIdp::start(settings)).unwrap();
        let mut site = self.config["sites"][0].clone();
        site["name"] = json!("other");
        site["hosts"] = json!([host]);
        site["origin"] = origin;
        for (key, value) in [
            (
                "userPoolArn",
                json!(format!(
                    "arn:aws:cognito-idp:us-east-1:123456789012:userpool/{OTHER_POOL}"
                )),
            ),
            ("clientId", json!(OTHER_CLIENT)),
            ("cognitoAuthDomain", json!(idp.addr().to_string())),
            ("jwksUri", json!(idp.jwks_url())),
            ("jwks", idp.jwks()),
        ] {
            site["auth"][key] = value;
        }
        self.config["sites"].as_array_mut().unwrap().push(site);
        (self, idp)
    }

    /// Sets a key at the top.
    pub(crate) fn top(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.config[key] = value.into();
        self
    }

    /// The client authenticates with a secret.
    pub(crate) fn confidential(mut self) -> Self {
        self.idp.clients = vec![client(Client::confidential(CLIENT, CLIENT_SECRET))];
        self.auth("clientSecret", CLIENT_SECRET)
    }

    pub(crate) fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// Changes the provider.
    pub(crate) fn provider(mut self, change: impl FnOnce(&mut dev_idp::Settings)) -> Self {
        change(&mut self.idp);
        self
    }

    /// Does this when the provider is there and the proxy is not.
    pub(crate) fn once_provided(mut self, provided: impl FnOnce(&dev_idp::Running) + 'static) -> Self {
        self.provided = Some(Box::new(provided));
        self
    }

    /// Starts the provider alone; the configuration is complete and in a file.
    pub(crate) fn write_only(self) -> (PathBuf, TempDir, dev_idp::Running) {
        let (plan, idp) = self.start_provider();
        (plan.write(), plan.folder, idp)
    }

    /// Starts the provider, then the proxy, and waits until it listens.
    pub(crate) fn start(self) -> Site {
        let (mut plan, idp) = self.start_provider();
        let file = plan.write();
        let process = Process::run(&file, &std::mem::take(&mut plan.variables));
        let ready = process.message("ready");
        let address = |field| addresses(&ready, field).first().copied();
        Site {
            http: address("http"),
            https: address("https"),
            admin: address("admin"),
            process,
            idp,
            elasticsearch: plan.config["sites"][0]["auth"]["cookieCompatibility"] == "elasticsearch",
            config: plan.config,
            file,
            folder: plan.folder,
        }
    }

    /// Starts the provider and puts its addresses into the configuration.
    fn start_provider(mut self) -> (Self, dev_idp::Running) {
        let idp = wait(DevIdp::start(self.idp.clone())).unwrap();
        if let Some(provided) = self.provided.take() {
            provided(&idp);
        }
        let auth = &mut self.config["sites"][0]["auth"];
        for (key, value) in [
            ("cognitoAuthDomain", json!(idp.addr().to_string())),
            ("jwksUri", json!(idp.jwks_url())),
            ("jwks", idp.jwks()),
        ] {
            if auth.get(key).is_none() {
                auth[key] = value;
            }
        }
        (self, idp)
    }

    fn write(&self) -> PathBuf {
        let file = self.folder.path().join("config.json");
        fs::write(&file, self.config.to_string()).unwrap();
        file
    }
}

fn client(client: Client) -> Client {
    client.callback("*").sign_out("*")
}

/// A site that is up.
pub(crate) struct Site {
    pub(crate) http: Option<SocketAddr>,
    pub(crate) https: Option<SocketAddr>,
    pub(crate) admin: Option<SocketAddr>,
    pub(crate) process: Process,
    pub(crate) idp: dev_idp::Running,
    elasticsearch: bool,
    config: Value,
    file: PathBuf,
    folder: TempDir,
}

impl Site {
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The configuration file.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Writes the configuration anew; the proxy is not told.
    pub(crate) fn rewrite(&mut self, change: impl FnOnce(&mut Value)) {
        change(&mut self.config);
        let next = self.file.with_extension("next");
        fs::write(&next, self.config.to_string()).unwrap();
        fs::rename(next, &self.file).unwrap();
    }

    /// The same where the log says nothing of it.
    pub(crate) fn reload_quietly(&mut self, change: impl FnOnce(&mut Value)) {
        const RELOADS: &str = "portcullis_config_reloads_total{result=\"success\"}";
        let before = self.metric(RELOADS);
        self.rewrite(change);
        self.process.signal(Signal::HangUp);
        while self.metric(RELOADS) == before {
            std::thread::yield_now();
        }
    }

    /// Writes the configuration anew and has it reloaded, which must work.
    pub(crate) fn reload(&mut self, change: impl FnOnce(&mut Value)) {
        const MESSAGE: &str = "configuration reloaded";
        let before = self.process.out().matches(MESSAGE).count();
        self.rewrite(change);
        self.process.signal(Signal::HangUp);
        self.process.messages(before + 1, MESSAGE);
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.http.expect("a plain listener")
    }

    /// `app.localhost` with the port.
    pub(crate) fn authority(&self) -> String {
        format!("{HOST}:{}", self.address().port())
    }

    pub(crate) fn url(&self, target: &str) -> String {
        format!("http://{}{target}", self.authority())
    }

    /// A fresh connection.
    pub(crate) fn wire(&self) -> Wire<std::net::TcpStream> {
        Wire::connect(self.address())
    }

    /// One request on a connection of its own.
    pub(crate) fn ask(&self, request: &Request) -> Response {
        exchange(self.address(), &self.authority(), request)
    }

    /// A viewer's request.
    pub(crate) fn get(&self, target: &str, cookies: &str) -> Response {
        self.ask(&Request::get(target).header("Cookie", cookies))
    }

    /// Bytes as they are, and what comes back; `None`: the connection just ends.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Option<Response> {
        let mut wire = self.wire();
        wire.write(bytes);
        wire.response("GET")
    }

    /// Something from the admin listener.
    pub(crate) fn admin(&self, path: &str) -> Response {
        exchange(self.admin.unwrap(), "admin", &Request::get(path))
    }

    /// The value of a metric by its whole name with labels; 0 when absent.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let text = self.admin("/metrics").text();
        let found = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        found.map_or(0.0, |value| value.parse().unwrap())
    }

    /// A session of alice's as a sign-in would give it.
    pub(crate) fn session(&self) -> String {
        self.session_with(ALICE.0, &Overrides::none())
    }

    /// A session, its id token changed.
    pub(crate) fn session_with(&self, user: &str, overrides: &Overrides) -> String {
        let tokens = self.tokens(user, overrides);
        self.cookies(user, &tokens)
    }

    pub(crate) fn tokens(&self, user: &str, overrides: &Overrides) -> TokenSet {
        self.idp.mint_session(user, CLIENT, overrides).unwrap()
    }

    /// The `Cookie` header of a session.
    pub(crate) fn cookies(&self, user: &str, tokens: &TokenSet) -> String {
        let TokenSet {
            id_token,
            access_token,
            refresh_token,
        } = tokens;
        if self.elasticsearch {
            return format!("ID-TOKEN={id_token}; ACCESS-TOKEN={access_token}; REFRESH-TOKEN={refresh_token}");
        }
        let prefix = format!("CognitoIdentityServiceProvider.{CLIENT}");
        format!(
            "{prefix}.LastAuthUser={user}; {prefix}.{user}.idToken={id_token}; \
             {prefix}.{user}.accessToken={access_token}; {prefix}.{user}.refreshToken={refresh_token}"
        )
    }

    /// A browser that has signed in as alice.
    pub(crate) fn signed_in(&self) -> Browser {
        let mut browser = Browser::new();
        let page = browser.sign_in(&self.url("/"), ALICE.0, ALICE.1);
        assert!(page.text().contains(CONTENT), "{page:?}");
        browser
    }

    /// Whether the answer leads to the hosted UI's sign-in.
    pub(crate) fn is_sign_in(&self, response: &Response) -> bool {
        let start = format!("{}/oauth2/authorize?", self.idp.url());
        response.status == 307 && response.location().starts_with(&start)
    }
}
