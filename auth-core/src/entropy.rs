//! Randomness as the core sees it: handed in, never drawn from the system.

/// A source of random bytes fit for secrets (the operating system's, except in tests).
pub trait Entropy {
    /// Fills `out` with random bytes.
    fn fill(&mut self, out: &mut [u8]);
}

/// A number below `bound`, each equally likely: candidates that would favour the low ones are drawn again.
pub(crate) fn below(rng: &mut dyn Entropy, bound: u32) -> u32 {
    debug_assert!(bound > 0);
    let fair = u32::MAX - u32::MAX % bound;
    loop {
        let mut bytes = [0; 4];
        rng.fill(&mut bytes);
        let candidate = u32::from_le_bytes(bytes);
        if candidate < fair {
            return candidate % bound;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Script(Vec<u32>);

    impl Entropy for Script {
        fn fill(&mut self, out: &mut [u8]) {
            out.copy_from_slice(&self.0.remove(0).to_le_bytes());
        }
    }

    #[test]
    fn a_candidate_that_would_favour_low_numbers_is_drawn_again() {
        let mut rng = Script(vec![u32::MAX, 7]);
        assert_eq!(below(&mut rng, 10), 7);
        assert!(rng.0.is_empty());
    }
}
