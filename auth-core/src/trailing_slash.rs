//! The optional rewriting of directory paths towards the origin.

/// The path to ask the origin for: a path that ends in `/` gets `index.html` appended. `None`: unchanged.
#[must_use]
pub fn rewrite_trailing_slash(path: &str) -> Option<String> {
    path.ends_with('/').then(|| format!("{path}index.html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_that_ends_in_a_slash_is_rewritten() {
        assert_eq!(rewrite_trailing_slash("/a/").as_deref(), Some("/a/index.html"));
        assert_eq!(rewrite_trailing_slash("/a"), None);
        assert_eq!(rewrite_trailing_slash(""), None);
    }
}
