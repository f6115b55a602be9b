//! A text that lies within whatever holds it.

use std::fmt;

use arrayvec::ArrayString;

/// A text, on the heap only if it is longer than the room.
pub(in crate::jwt) enum Texts<const ROOM: usize> {
    Short(ArrayString<ROOM>),
    Long(String),
}

impl<const ROOM: usize> Texts<ROOM> {
    pub(in crate::jwt) fn as_str(&self) -> &str {
        match self {
            Self::Short(text) => text,
            Self::Long(text) => text,
        }
    }

    pub(in crate::jwt) fn clear(&mut self) {
        match self {
            Self::Short(text) => text.clear(),
            Self::Long(_) => *self = Self::default(),
        }
    }

    pub(in crate::jwt) fn push_str(&mut self, more: &str) {
        match self {
            Self::Short(text) => {
                if text.try_push_str(more).is_err() {
                    *self = Self::Long([&**text, more].concat());
                }
            }
            Self::Long(text) => text.push_str(more),
        }
    }
}

/// Nothing of it: it is a token, or what one claims.
impl<const ROOM: usize> fmt::Debug for Texts<ROOM> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Texts").finish_non_exhaustive()
    }
}

impl<const ROOM: usize> Default for Texts<ROOM> {
    fn default() -> Self {
        Self::Short(ArrayString::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_the_same_wherever_it_lies() {
        const ROOM: usize = 64;
        let mut texts = Texts::<ROOM>::default();
        let mut expected = String::new();
        for part in ["a", &"b".repeat(ROOM - 1), "c", "\u{e9}"] {
            texts.push_str(part);
            expected.push_str(part);
            assert_eq!(texts.as_str(), expected);
        }
        assert!(matches!(texts, Texts::Long(_)));
        texts.clear();
        assert!(matches!(texts, Texts::Short(text) if text.is_empty()));
    }
}
