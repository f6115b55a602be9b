//! Randomness as the core sees it: handed in, never drawn from the system.

/// A source of random bytes fit for secrets (the operating system's, except in tests).
pub trait Entropy {
    /// Fills `out` with random bytes.
    fn fill(&mut self, out: &mut [u8]);
}

/// Numbers drawn from a source, which is asked for many bytes at a time: each request may be a system call.
pub(crate) struct Draw<'r> {
    rng: &'r mut dyn Entropy,
    buffer: [u8; 256],
    used: usize,
}

impl<'r> Draw<'r> {
    pub(crate) fn new(rng: &'r mut dyn Entropy) -> Self {
        let buffer = [0; 256];
        Self {
            used: buffer.len(),
            rng,
            buffer,
        }
    }

    /// A number below `bound`, each equally likely: candidates that would favour the low ones are drawn again.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        debug_assert!(bound > 0);
        let fair = u32::MAX - u32::MAX % bound;
        loop {
            let candidate = self.next();
            if candidate < fair {
                return candidate % bound;
            }
        }
    }

    fn next(&mut self) -> u32 {
        if self.used == self.buffer.len() {
            self.rng.fill(&mut self.buffer);
            self.used = 0;
        }
        let bytes = &self.buffer[self.used..self.used + 4];
        self.used += 4;
        bytes.iter().fold(0, |number, &byte| number << 8 | u32::from(byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fills with these numbers, then zeros.
    struct Script(&'static [u32]);

    impl Entropy for Script {
        fn fill(&mut self, out: &mut [u8]) {
            let numbers = self.0.iter().copied().chain(std::iter::repeat(0));
            for (bytes, number) in out.chunks_mut(4).zip(numbers) {
                bytes.copy_from_slice(&number.to_be_bytes());
            }
        }
    }

    #[test]
    fn a_candidate_that_would_favour_low_numbers_is_drawn_again() {
        let mut rng = Script(&[u32::MAX, 27, 13]);
        let mut draw = Draw::new(&mut rng);
        assert_eq!(draw.below(10), 7);
        assert_eq!(draw.below(10), 3);
    }

    #[test]
    fn the_source_is_asked_again_when_its_bytes_are_used_up() {
        let mut rng = Script(&[5]);
        let mut draw = Draw::new(&mut rng);
        let drawn: Vec<u32> = (0..65).map(|_| draw.below(10)).collect();
        assert_eq!((drawn[0], drawn[1], drawn[64]), (5, 0, 5));
    }
}
