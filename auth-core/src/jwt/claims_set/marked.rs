//! Where a claim may be, as a mark of its name says.

/// For each mark the first member that has it, counted from one; zero where none has. One that is further on than a byte
/// can tell is looked for from the first on.
#[derive(Clone, Copy)]
pub(super) struct Marked([u8; 128]);

impl Marked {
    pub(super) const NONE: Self = Self([0; 128]);

    /// Notes a member's name. Says whether it is the first of its mark.
    pub(super) fn mark(&mut self, name: &[u8], at: usize) -> bool {
        let first = &mut self.0[mark_of(name)];
        let is_first = *first == 0;
        if is_first {
            *first = u8::try_from(at + 1).unwrap_or(1);
        }
        is_first
    }

    /// From which member on there may be one of that name. `None`: there is none.
    #[inline]
    pub(super) fn first(&self, name: &[u8]) -> Option<usize> {
        usize::from(self.0[mark_of(name)]).checked_sub(1)
    }
}

impl Default for Marked {
    fn default() -> Self {
        Self::NONE
    }
}

/// By these factors the claims of the usual issuers' tokens all have marks of their own.
#[inline]
fn mark_of(name: &[u8]) -> usize {
    let [first, last] = [name.first(), name.last()].map(|byte| byte.map_or(0, |&byte| usize::from(byte)));
    (4 * first + last + 22 * name.len()) % 128
}
