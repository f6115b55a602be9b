//! The enhanced profile: what users of the reference have asked for, each improvement with a switch of its own.
//!
//! Nothing in here runs in the reference profile. An improvement that is switched off, or that the adapter's
//! [`Capabilities`](crate::Capabilities) cannot carry out, falls back to what the reference does.

mod answer;
mod api;
mod attempt;
mod audience;
mod bearer;
mod check;
mod cors;
mod detour;
mod expiry;
mod goal;
mod hints;
mod hops;
mod host_cookie;
mod hygiene;
mod in_use;
mod lifetime;
mod own_cookies;
mod pages;
mod parts;
mod places;
mod plain;
mod renewal;
mod renewal_request;
mod renewing;
mod rules;
mod same_site;
mod seal;
mod sealed;
mod session;
mod session_info;
mod sign_in;
mod sign_out;
mod start_sign_in;
mod trouble;
mod viewer;
mod way_back;
mod writer;

pub(crate) use self::bearer::Bearer;
pub use self::rules::{RuleOutcome, RuleStep, RuleTrace};
pub(crate) use self::rules::{Rules, judge, trace as trace_rules};
pub(crate) use self::session::Unsealed;
use self::{
    api::Api, attempt::Attempts, cors::CorsOrigins, hints::Hints, hygiene::Hygiene, lifetime::Lifetime, pages::Pages,
    renewal::RenewalSettings, sealed::SealedSessions,
};
use crate::{
    Config, Endpoint, Entropy, Request, Secret, Step, UnixTime,
    authenticator::Authenticator,
    config::{OIDC_KEYS, Reader},
    endpoints::refresh,
    json::Json,
};

/// What is switched on, and what the improvements are set to.
#[derive(Clone, Debug)]
pub(crate) struct Enhanced {
    pub(crate) rules: Rules,
    /// `parallelSignIns`.
    pub(crate) attempts: Option<Attempts>,
    /// `statusCodes`.
    pub(crate) status_codes: bool,
    /// `pages`: how they look and speak, if not as the reference's.
    pub(crate) pages: Option<Pages>,
    /// `authorizeParameters`.
    pub(crate) hints: Hints,
    pub(crate) hygiene: Hygiene,
    /// Sessions are sealed, if they are.
    pub(crate) sealed: Option<SealedSessions>,
    /// `thoroughSignOut`.
    pub(crate) signs_out_thoroughly: bool,
    /// `bearerTokens`.
    pub(crate) bearer: Option<Bearer>,
    /// Whether the pool signs in people of other providers.
    federated: bool,
    pub(crate) api: Api,
    pub(crate) cors: CorsOrigins,
    pub(crate) renewal: RenewalSettings,
    /// `sessionLifetime`.
    pub(crate) lifetime: Option<Lifetime>,
}

impl Enhanced {
    /// Every key of `enhancements`.
    pub(crate) const KEYS: &[&str] = &[
        "accessTokenCookie",
        "apiPaths",
        "apiResponses",
        "authorizeParameters",
        "bearerTokens",
        "cookieBudgetBytes",
        "cookieHygiene",
        "corsOrigins",
        "federated",
        "inPlaceRefresh",
        "oidc",
        "pages",
        "parallelSignIns",
        "refreshAheadSecs",
        "refreshGraceSecs",
        "refreshTokenRotation",
        "rules",
        "sealedSession",
        "sessionClaims",
        "sessionLifetime",
        "sessionSecrets",
        "statusCodes",
        "thoroughSignOut",
    ];

    /// Those keys, and all below them: as their readers have them.
    pub(crate) fn all_keys() -> Vec<&'static str> {
        let below: [&[&'static str]; 9] = [
            &rules::KEYS,
            &rules::CONDITIONS,
            &bearer::KEYS,
            &OIDC_KEYS,
            Hints::KEYS,
            &Lifetime::KEYS,
            &SealedSessions::KEYS,
            &Pages::KEYS,
            &pages::colour_keys(),
        ];
        [Self::KEYS, &below.concat()].concat()
    }

    /// A shorter secret can be guessed by trying (T-CRYPTO-5). The reference's deployment makes 16 characters.
    pub(crate) const LEAST_SECRET_LENGTH: usize = 16;

    /// Reads `enhancements`; `config` is everything else.
    pub(crate) fn read(reader: &mut Reader<'_>, config: &Config) -> Self {
        let secrets = session_secrets(reader, config);
        if config.requirements.dialect.is_generic() {
            refuse_the_references_ways(reader);
        }
        let enhanced = Self {
            hints: Hints::read(reader),
            hygiene: Hygiene::read(reader, config.requirements.dialect.speaker),
            sealed: SealedSessions::read(reader, config, &secrets),
            signs_out_thoroughly: reader.switch("thoroughSignOut", true),
            bearer: Bearer::read(reader, config),
            federated: reader.flag("federated"),
            status_codes: reader.switch("statusCodes", true),
            pages: Pages::read(reader),
            rules: Rules::read(reader),
            attempts: reader.switch("parallelSignIns", true).then(|| Attempts::new(config)),
            api: Api::read(reader, &config.requirements.dialect),
            cors: CorsOrigins::read(reader),
            renewal: RenewalSettings::read(reader),
            lifetime: Lifetime::read(reader, config),
        };
        // Few providers say when their users have signed in; the seal always does.
        if config.requirements.dialect.is_generic() && enhanced.lifetime.is_some() && enhanced.sealed.is_none() {
            let expected = "sealedSession, with a provider other than Cognito";
            reader.problem("sessionLifetime", "limits without a sealed session", expected);
        }
        enhanced
    }

    /// What is accepted but probably not meant, a sentence each.
    pub(crate) fn warnings(&self, config: &Config) -> Vec<String> {
        let mut warnings = self.rules.warnings();
        let federated = self.federated || self.hints.names_another_provider();
        if federated && config.requirements.group.is_none() && !self.rules.narrow() {
            warnings.push(OPEN_TO_ALL.to_owned());
        }
        if self.sealed.is_none() && !places::has_flag(&config.cookie_settings.id_token, "httponly") {
            warnings.push(READABLE.to_owned());
        }
        warnings
    }
}

const OPEN_TO_ALL: &str = "the user pool signs in people of other identity providers, and no rule narrows who may \
    pass: anyone with an account there may (see enhancements.rules)";

const READABLE: &str = "scripts of every page can read the tokens: mode is spaMode, or cookieSettings leave HttpOnly out; \
    choose staticSiteMode or enhancements.sealedSession unless an application needs that";

/// What the reference does in their place is Cognito's way, and does without the id token's nonce.
fn refuse_the_references_ways(reader: &mut Reader<'_>) {
    for key in ["parallelSignIns", "inPlaceRefresh", "thoroughSignOut"] {
        if reader.value(key) == Some(&Json::Bool(false)) {
            reader.problem(key, "false", "no such key, or true, with a provider other than Cognito");
        }
    }
}

/// What sessions are sealed with, newest first: the first seals, all of them open.
fn session_secrets(reader: &mut Reader<'_>, config: &Config) -> Vec<Secret<String>> {
    let own = reader.secrets("sessionSecrets", Enhanced::LEAST_SECRET_LENGTH);
    if own.is_empty() {
        vec![config.secrets.nonce_signing.clone()]
    } else {
        own
    }
}

/// Decides a request in the enhanced profile.
pub(crate) fn begin(
    auth: &Authenticator,
    enhanced: &Enhanced,
    endpoint: Endpoint,
    request: &Request<'_>,
    now: UnixTime,
    rng: &mut dyn Entropy,
) -> Step {
    // At the edge one function may stand before all paths but the reference's own; ours are told apart here.
    let endpoint = match endpoint {
        Endpoint::Protected => auth.config().endpoint_of(request.path),
        known => known,
    };
    match endpoint {
        Endpoint::Session if enhanced.api.is_on => session_info::begin(auth, enhanced, request, now, rng),
        Endpoint::Renewal if enhanced.api.is_on => renewal_request::begin(auth, enhanced, request),
        Endpoint::Refresh if sign_out::comes_round(enhanced, request) => sign_out::begin(auth, enhanced, request, now),
        Endpoint::Refresh if enhanced.renewal.in_place => detour::begin(auth, enhanced, request),
        Endpoint::StartSignIn => hints::begin(auth, enhanced, request, now, rng),
        Endpoint::InUse => match &enhanced.lifetime {
            Some(lifetime) => in_use::begin(auth, enhanced, lifetime, request, now, rng),
            None => check::begin(auth, enhanced, request, now, rng),
        },
        Endpoint::Protected | Endpoint::Session | Endpoint::Renewal => check::begin(auth, enhanced, request, now, rng),
        Endpoint::SignedOut => pages::signed_out(auth, request),
        Endpoint::SignIn => sign_in::begin(auth, enhanced, request, now, rng),
        Endpoint::Refresh => refresh::begin(auth, request, now),
        Endpoint::SignOut => sign_out::begin(auth, enhanced, request, now),
    }
}
