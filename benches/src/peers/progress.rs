//! What the run says while it goes on, and what it has to say about peers that were left out.

use std::io::{self, IsTerminal as _, Write as _};

use serde::Serialize;

use super::{case::Case, peer::Peer};

/// A peer that was not measured, or not in everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The peer.
    pub peer: Peer,
    /// The case, if it is only one.
    pub case: Option<Case>,
    /// Why.
    pub why: String,
}

/// Tells on standard error how far the run is.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    left_out: Vec<LeftOut>,
}

impl Progress {
    /// A line of its own.
    pub(crate) fn say(&mut self, text: &str) {
        // Whether anybody reads it is not the run's affair.
        let _ = writeln!(io::stderr(), "{text}");
    }

    /// A turn begins.
    pub(crate) fn turn(&mut self, case: Case, turn: usize, turns: usize) {
        let mut error = io::stderr();
        if error.is_terminal() {
            let end = if turn + 1 == turns { "\n" } else { "" };
            let _ = write!(error, "\r{}: turn {} of {turns}{end}", case.id(), turn + 1);
            let _ = error.flush();
        } else if turn == 0 {
            self.say(&format!("{}: {turns} turns", case.id()));
        }
    }

    /// A peer that is not measured at all.
    pub(crate) fn leave_out(&mut self, peer: Peer, why: String) {
        self.note(LeftOut { peer, case: None, why });
    }

    /// What was found, or `None` and a word about why not.
    pub(crate) fn kept<T, E: std::fmt::Display>(&mut self, case: Case, peer: Peer, found: Result<T, E>) -> Option<T> {
        found
            .map_err(|error| {
                self.note(LeftOut {
                    peer,
                    case: Some(case),
                    why: error.to_string(),
                });
            })
            .ok()
    }

    fn note(&mut self, left_out: LeftOut) {
        self.say(&format!("{}: left out: {}", left_out.peer.id(), left_out.why));
        self.left_out.push(left_out);
    }

    /// Everything that was left out.
    pub(crate) fn into_left_out(self) -> Vec<LeftOut> {
        self.left_out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_is_remembered_with_its_case() {
        let mut progress = Progress::default();
        assert_eq!(
            progress.kept(Case::Http1Small, Peer::Nginx, Ok::<_, String>(1)),
            Some(1)
        );
        assert_eq!(
            progress.kept(Case::Http1Small, Peer::Nginx, Err::<i32, _>("gone")),
            None
        );
        progress.leave_out(Peer::Varnish, "not there".into());
        let left_out = progress.into_left_out();
        assert_eq!(left_out.len(), 2);
        assert_eq!(
            (left_out[0].case, left_out[0].why.as_str()),
            (Some(Case::Http1Small), "gone")
        );
        assert_eq!((left_out[1].peer, left_out[1].case), (Peer::Varnish, None));
    }
}
