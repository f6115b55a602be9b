//! Request parameters, from a query or a form body (`application/x-www-form-urlencoded`).

use std::collections::HashSet;

/// Name and value pairs in their order.
#[derive(Debug)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    pub(crate) fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// A parameter's value; empty counts as absent (RFC 6749, 3.1).
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// Whether a parameter is there twice, which RFC 6749, 3.1, forbids.
    pub(crate) fn repeats(&self) -> bool {
        let mut seen = HashSet::new();
        !self.0.iter().all(|(name, _)| seen.insert(name))
    }
}

/// `url` with these parameters behind whatever query it has.
pub(crate) fn append(url: &str, params: &[(&str, &str)]) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(params)
        .finish();
    format!("{url}{separator}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_values_count_as_absent() {
        let params = Params::parse(b"state=&scope=a+b");
        assert_eq!(params.value("state"), None);
        assert_eq!(params.value("scope"), Some("a b"));
    }

    #[test]
    fn repeated_names_are_noticed() {
        assert!(Params::parse(b"a=1&b=2&a=1").repeats());
        assert!(!Params::parse(b"a=1&b=1").repeats());
    }

    #[test]
    fn parameters_go_behind_an_existing_query() {
        assert_eq!(append("http://a/b", &[("code", "1 2")]), "http://a/b?code=1+2");
        assert_eq!(append("http://a/b?c=d", &[("code", "1")]), "http://a/b?c=d&code=1");
    }
}
