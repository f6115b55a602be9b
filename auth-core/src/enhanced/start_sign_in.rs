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
    js::query::stringify, nonce::code_challenge,
};

/// How often one sign-in is begun anew before its viewer is told what stands in the way.
const MOST_GENERATIONS: u8 = 1;

/// Begins a sign-in that returns to what the viewer asked for; `reason` is why there has to be one.
pub(crate) fn start(
    auth: &Authenticator,
    viewer: &Viewer,
    reason: Reason,
    now: UnixTime,
    rng: &mut dyn Entropy,
) -> Step {
    let Some(attempts) = attempts(auth) else {
        return reference::send_away(auth.config(), &viewer.as_reference(), reason, now, rng);
    };
    let hops = hops(attempts, viewer, now);
    if hops.are_spent() {
        return Trouble::going_round(reason, hops.over_in_secs(now)).respond(auth, viewer, &viewer.requested_uri);
    }
    let begun = begin(attempts, viewer, &viewer.requested_uri, 0, now, rng);
    redirect(auth, viewer, begun, reason)
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
    redirect(auth, viewer, (attempt, cookies), Reason::SignInRestarted)
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

fn redirect(auth: &Authenticator, viewer: &Viewer, (attempt, cookies): (Attempt, Vec<String>), reason: Reason) -> Step {
    let config = auth.config();
    Answer::new(viewer.redirect_status, reason)
        .with("Location", authorize_url(config, &viewer.origin, &attempt))
        .with_cookies(cookies)
        .decide(config)
}

/// The authorization request (RFC 6749, section 4.1.1; RFC 7636; OpenID Connect Core 1.0, section 3.1.2.1).
fn authorize_url(config: &Config, origin: &str, attempt: &Attempt) -> String {
    let query = stringify(&[
        ("redirect_uri", &format!("{origin}{}", config.sign_in_path)),
        ("response_type", "code"),
        ("client_id", &config.client_id),
        ("state", &attempt.state()),
        ("scope", &config.scope),
        ("code_challenge_method", "S256"),
        ("code_challenge", &code_challenge(&attempt.verifier())),
        ("nonce", &attempt.nonce()),
    ]);
    format!("{}/oauth2/authorize?{query}", config.hosted_ui)
}
