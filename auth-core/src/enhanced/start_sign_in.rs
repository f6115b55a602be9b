//! Sends a person to the identity provider, and remembers where they wanted to go.

use super::{
    answer::Answer,
    attempt::{Attempt, Attempts},
    hops::Hops,
    trouble::Trouble,
    viewer::Viewer,
};
use crate::{
    Config, Entropy, Reason, Step, UnixTime, authenticator::Authenticator, endpoints::check as reference,
    nonce::code_challenge,
};

/// How often one sign-in is begun anew before its viewer is told what stands in the way.
const MOST_GENERATIONS: u8 = 1;

/// A sign-in as a link asks for it.
pub(crate) struct Wish {
    /// Path and query.
    pub(crate) return_to: String,
    /// Parameters for the provider.
    pub(crate) hints: Vec<(String, String)>,
}

/// Begins a sign-in that returns to what the viewer asked for; `reason` is why there has to be one.
pub(crate) fn start(
    auth: &Authenticator,
    viewer: &Viewer,
    reason: Reason,
    now: UnixTime,
    rng: &mut dyn Entropy,
) -> Step {
    let hints = match reason {
        // The provider's own session would let anybody go on who sits there.
        Reason::SessionTooOld | Reason::SessionIdle => vec![("prompt".to_owned(), "login".to_owned())],
        _ => Vec::new(),
    };
    let wish = Wish {
        return_to: viewer.requested_uri.clone(),
        hints,
    };
    start_as_wished(auth, viewer, &wish, reason, now, rng)
}

/// Begins a sign-in that returns to where the wish says, with the hints that it gives.
pub(crate) fn start_as_wished(
    auth: &Authenticator,
    viewer: &Viewer,
    wish: &Wish,
    reason: Reason,
    now: UnixTime,
    rng: &mut dyn Entropy,
) -> Step {
    let Some(attempts) = attempts(auth) else {
        let viewer = reference::Viewer {
            requested_uri: wish.return_to.clone(),
            ..viewer.as_reference()
        };
        return reference::send_away(auth.config(), &viewer, reason, now, rng);
    };
    let hops = hops(attempts, viewer, now);
    if hops.are_spent() {
        return Trouble::going_round(reason, hops.over_in_secs(now)).respond(auth, viewer, &wish.return_to);
    }
    let begun = begin(attempts, viewer, &wish.return_to, 0, now, rng);
    redirect(auth, viewer, begun, &wish.hints, reason)
}

/// Begins anew a sign-in whose callback came to nothing, once: `otherwise` is what its viewer is told the second time.
pub(crate) fn start_anew(
    auth: &Authenticator,
    viewer: &Viewer,
    (return_to, generation): (&str, u8),
    otherwise: Trouble,
    now: UnixTime,
    rng: &mut dyn Entropy,
) -> Step {
    let Some(attempts) = attempts(auth).filter(|_| generation < MOST_GENERATIONS) else {
        return otherwise.respond(auth, viewer, return_to);
    };
    let hops = hops(attempts, viewer, now);
    if hops.are_spent() {
        return otherwise.respond(auth, viewer, return_to);
    }
    let (attempt, mut cookies) = begin(attempts, viewer, return_to, generation + 1, now, rng);
    cookies.push(hops.one_more(attempts.sealer(), &viewer.host, rng));
    redirect(auth, viewer, (attempt, cookies), &[], Reason::SignInRestarted)
}

fn attempts(auth: &Authenticator) -> Option<&Attempts> {
    auth.config().enhanced.as_deref()?.attempts.as_ref()
}

fn hops(attempts: &Attempts, viewer: &Viewer, now: UnixTime) -> Hops {
    viewer.with_cookies(|cookies| Hops::of(attempts.sealer(), &viewer.host, cookies, now))
}

fn begin(
    attempts: &Attempts,
    viewer: &Viewer,
    return_to: &str,
    generation: u8,
    now: UnixTime,
    rng: &mut dyn Entropy,
) -> (Attempt, Vec<String>) {
    viewer.with_cookies(|cookies| attempts.begin(&viewer.host, cookies, return_to, generation, now, rng))
}

fn redirect(
    auth: &Authenticator,
    viewer: &Viewer,
    (attempt, cookies): (Attempt, Vec<String>),
    asked: &[(String, String)],
    reason: Reason,
) -> Step {
    let config = auth.config();
    let hints = config.enhanced.as_deref().map(|enhanced| enhanced.hints.with(asked));
    Answer::new(viewer.redirect_status, reason)
        .with(
            "Location",
            authorize_url(config, &viewer.origin, &attempt, &hints.unwrap_or_default()),
        )
        .with_cookies(cookies)
        .decide(config)
}

/// The authorization request (RFC 6749, section 4.1.1; RFC 7636; OpenID Connect Core 1.0, section 3.1.2.1).
fn authorize_url(config: &Config, origin: &str, attempt: &Attempt, hints: &[(&str, &str)]) -> String {
    let redirect_uri = format!("{origin}{}", config.sign_in_path);
    let (state, nonce) = (attempt.state(), attempt.nonce());
    let challenge = code_challenge(&attempt.verifier());
    let mut pairs = vec![
        ("redirect_uri", &*redirect_uri),
        ("response_type", "code"),
        ("client_id", &config.client_id),
        ("state", &state),
        ("scope", &config.scope),
        ("code_challenge_method", "S256"),
        ("code_challenge", &challenge),
        ("nonce", &nonce),
    ];
    pairs.extend(hints);
    config.endpoints.authorize_url(&pairs)
}
