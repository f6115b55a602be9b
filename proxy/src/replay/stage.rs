//! What stands around both programs: the same configuration, with a played origin and a played provider.

use std::{
    io,
    net::SocketAddr,
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
};

use auth_core::{
    Config,
    json::{Json, Object},
};

use super::{
    ReplayError,
    answer::Answer,
    loopback::{self, Asked, Reply},
    recorded::Recorded,
};
use crate::config::{
    AuthSettings, Conduct, CustomSettings, HostPattern, HttpViewers, ListenSettings, OriginChoice, OriginSettings,
    Settings, SiteSettings, split_port,
};

/// The body of the played origin's answers.
pub(super) const CONTENT: &str = "played content\n";

/// The stage, set for one request.
pub(super) struct Stage {
    /// The proxy's settings: one site in edge parity, in front of the played origin.
    pub(super) settings: Settings,
    /// The text of configuration.json.
    pub(super) configuration: String,
    /// Which of the edge functions the path belongs to.
    pub(super) config: Config,
    played: Played,
    /// `http://` and the played provider's address, and what stood there before.
    provider: (String, String),
}

/// What was asked of those who are played.
#[derive(Clone, Default)]
struct Played {
    calls: Arc<Mutex<Vec<String>>>,
    origin: Arc<Mutex<Option<String>>>,
}

impl Stage {
    pub(super) fn set(
        settings: Settings,
        recorded: &Recorded,
        token_reply: Option<Vec<u8>>,
    ) -> Result<Self, ReplayError> {
        let site = find(&settings, &recorded.host)?;
        let AuthSettings::Required { given, .. } = &site.auth else {
            return Err(ReplayError::Site(format!("the site {:?} has no sign-in", site.name)));
        };
        let played = Played::default();
        let provider = played.provider(given.get("jwks").map(Json::stringify), token_reply)?;
        let origin = played.origin()?;
        let (configuration, before) = with_provider(given.clone(), provider);
        let json = Json::Object(configuration);
        let config = Config::as_deployed(&json).map_err(|error| ReplayError::Site(error.to_string()))?;
        let auth = AuthSettings::in_parity(&config, &json);
        Ok(Self {
            settings: on_stage(settings.clone(), site.clone(), auth, origin)?,
            configuration: json.stringify(),
            config,
            played,
            provider: (format!("http://{provider}"), before),
        })
    }

    /// The token requests since the last time.
    pub(super) fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.played.calls))
    }

    /// The target that the origin was last asked for.
    pub(super) fn take_origin(&self) -> Option<String> {
        lock(&self.played.origin).take()
    }

    /// The answer with the provider's true address, and the calls that were made for it.
    pub(super) fn restore(&self, answer: Answer, calls: Vec<String>) -> Answer {
        let (played, before) = &self.provider;
        let mut answer = answer.map(|text| text.replace(played, before));
        answer.calls = calls;
        answer
    }
}

impl Played {
    fn provider(&self, jwks: Option<String>, token_reply: Option<Vec<u8>>) -> io::Result<SocketAddr> {
        let calls = Arc::clone(&self.calls);
        loopback::serve(move |asked: &Asked| -> Reply {
            let json =
                |status, body: Vec<u8>| Some((status, vec![("Content-Type", "application/json".to_owned())], body));
            if asked.method == "GET" {
                return match &jwks {
                    Some(jwks) => json(200, jwks.clone().into_bytes()),
                    None => json(404, b"{}".to_vec()),
                };
            }
            lock(&calls).push(String::from_utf8_lossy(&asked.body).into_owned());
            match &token_reply {
                Some(reply) => json(200, reply.clone()),
                None => json(400, br#"{"error":"invalid_request"}"#.to_vec()),
            }
        })
    }

    fn origin(&self) -> io::Result<SocketAddr> {
        let origin = Arc::clone(&self.origin);
        loopback::serve(move |asked: &Asked| -> Reply {
            *lock(&origin) = Some(asked.target.clone());
            Some((
                200,
                vec![("Content-Type", "text/plain".to_owned())],
                CONTENT.as_bytes().to_vec(),
            ))
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn find<'s>(settings: &'s Settings, host: &str) -> Result<&'s SiteSettings, ReplayError> {
    let unknown = || ReplayError::Site(format!("no site answers to the host {host:?}"));
    let (name, port) = split_port(host).ok_or_else(unknown)?;
    let name = name.to_ascii_lowercase();
    let fitting = settings.sites.iter().filter_map(|site| {
        let weight = HostPattern::best(&site.hosts, &name, port);
        weight.map(|weight| (weight, site))
    });
    let best = fitting.max_by_key(|(weight, _)| *weight);
    best.map(|(_, site)| site).ok_or_else(unknown)
}

/// The configuration with the played provider in it, and the hosted UI's address before.
fn with_provider(mut given: Object, provider: SocketAddr) -> (Object, String) {
    let text = |key: &str| given.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
    let scheme = match given.get("insecureLoopbackHttp") {
        Some(Json::Bool(true)) => "http",
        _ => "https",
    };
    let before = format!("{scheme}://{}", text("cognitoAuthDomain"));
    given.insert("cognitoAuthDomain".to_owned(), Json::String(provider.to_string()));
    given.insert(
        "jwksUri".to_owned(),
        Json::String(format!("http://{provider}/jwks.json")),
    );
    given.insert("insecureLoopbackHttp".to_owned(), Json::Bool(true));
    (given, before)
}

fn on_stage(
    mut settings: Settings,
    mut site: SiteSettings,
    auth: AuthSettings,
    origin: SocketAddr,
) -> Result<Settings, ReplayError> {
    let url = format!("http://{origin}").parse();
    let url = url.map_err(|_| ReplayError::Site("the played origin has no address".to_owned()))?;
    let origin = OriginSettings::Custom(CustomSettings {
        urls: vec![url],
        health_check: None,
        host: None,
        sni: None,
        ca_file: None,
        client_certificate: None,
        headers: Vec::new(),
        timeouts: Default::default(),
    });
    site.auth = auth;
    site.conduct = Conduct::Edge;
    // CloudFront redirects before it calls any function: what is replayed came over https.
    site.http_viewers = HttpViewers::Served;
    site.origins = Vec::new();
    site.origin = origin;
    site.default.origin = OriginChoice::Default;
    for behaviour in &mut site.behaviours {
        behaviour.settings.origin = OriginChoice::Default;
    }
    settings.listen = ListenSettings {
        http: vec![SocketAddr::from(([127, 0, 0, 1], 0))],
        ..ListenSettings::default()
    };
    settings.admin = None;
    settings.trusted_proxies = Vec::new();
    settings.upgrade.socket = None;
    settings.threads = NonZeroUsize::MIN;
    settings.sites = vec![site];
    Ok(settings)
}
