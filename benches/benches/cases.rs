//! What is measured: each case is one turn of a part of the request path, its preparation done beforehand.

mod crypto;
mod decisions;
mod events;
mod kept;
mod sign_in;
mod signing;

/// A part of the request path.
pub(crate) struct Case {
    /// `group/name`.
    pub(crate) name: &'static str,
    /// Does it once, and checks that it was done.
    pub(crate) turn: Box<dyn FnMut()>,
}

impl Case {
    fn new(name: &'static str, turn: impl FnMut() + 'static) -> Self {
        Self {
            name,
            turn: Box::new(turn),
        }
    }
}

/// All cases, in the order of the table.
pub(crate) fn all() -> Vec<Case> {
    let mut cases = decisions::cases();
    cases.push(crypto::rs256_alone());
    cases.extend(sign_in::cases());
    cases.extend(events::cases());
    cases.extend(signing::cases());
    cases.extend(kept::cases());
    cases
}

/// So many tokens take turns that what is done once for all of them does not show, and so few that they stay in the
/// processor's cache, as a request does that was just read.
const TOKENS: usize = 64;

fn tokens() -> Vec<String> {
    (0..TOKENS).map(benches::id_token).collect()
}
