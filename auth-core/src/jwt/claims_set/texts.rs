//! A text that lies within whatever holds it.

use arrayvec::ArrayString;

/// Most tokens with their claims are shorter. With it an [`IdToken`](crate::jwt::IdToken) comes to three KiB.
const ROOM: usize = 2_432;

/// A text, on the heap only if it is a long one.
#[expect(clippy::large_enum_variant, reason = "the room is what it is for")]
pub(super) enum Texts {
    Short(ArrayString<ROOM>),
    Long(String),
}

impl Texts {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Short(text) => text,
            Self::Long(text) => text,
        }
    }

    pub(super) fn clear(&mut self) {
        match self {
            Self::Short(text) => text.clear(),
            Self::Long(_) => *self = Self::default(),
        }
    }

    pub(super) fn push_str(&mut self, more: &str) {
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

impl Default for Texts {
    fn default() -> Self {
        Self::Short(ArrayString::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_the_same_wherever_it_lies() {
        let mut texts = Texts::default();
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
