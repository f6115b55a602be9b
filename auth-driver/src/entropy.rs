//! Randomness from the operating system.

use std::process;

use auth_core::Entropy;
use ring::rand::{SecureRandom, SystemRandom};

/// Exit status when the system gives no randomness: `EX_OSERR` of sysexits.
const EXIT_OS_ERROR: i32 = 71;

/// The operating system's random number generator.
///
/// Nothing is buffered, so a sandbox that is frozen, copied and thawed never hands out the same bytes
/// twice.
///
/// When the system refuses, the process exits with status 71 and says so on standard error. A nonce or
/// PKCE verifier that can be guessed would let a stranger sign in as someone else, so there is nothing
/// to fall back to; the refusal does not pass (getrandom(2) cannot fail once the system has booted,
/// except under a broken seccomp filter), so there is no request that could still be served; and both
/// Lambda and process supervisors start anew what has exited, which a panic under `panic = "abort"`
/// would also do, but with a core dump that may hold secrets.
#[derive(Clone, Debug)]
pub struct SystemEntropy(SystemRandom);

impl SystemEntropy {
    /// The system's generator.
    #[must_use]
    pub fn new() -> Self {
        Self(SystemRandom::new())
    }
}

impl Default for SystemEntropy {
    fn default() -> Self {
        Self::new()
    }
}

impl Entropy for SystemEntropy {
    fn fill(&mut self, out: &mut [u8]) {
        if self.0.fill(out).is_err() {
            eprintln!("the operating system gives no randomness; exiting, because no secret can be made without it");
            process::exit(EXIT_OS_ERROR);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ_and_none_is_left_empty() {
        let mut rng = SystemEntropy::new();
        let (mut one, mut other) = ([0; 32], [0; 32]);
        rng.fill(&mut one);
        rng.fill(&mut other);
        assert_ne!(one, other);
        assert_ne!(one, [0; 32]);
    }
}
