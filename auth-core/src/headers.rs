//! Response headers and the configured `httpHeaders` that are merged into them.

/// Response headers in sending order. Names compare without case; the case of the last writer is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseHeaders(Vec<(String, String)>);

impl ResponseHeaders {
    /// Adds a header behind those that are there, even if the name occurs already.
    pub fn append(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// Puts one header in place of all of that name.
    pub fn replace(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let name = name.into();
        self.0.retain(|(known, _)| !known.eq_ignore_ascii_case(&name));
        self.0.push((name, value.into()));
    }

    /// Name and value pairs in sending order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The first value of a header.
    #[must_use]
    pub fn first(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

/// The configured `httpHeaders`, one entry a name: of several spellings the last one holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfiguredHeaders(Vec<(String, String)>);

impl ConfiguredHeaders {
    /// Name and value pairs, names in their configured case.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Each configured header in place of whatever the response had under its name.
    pub(crate) fn merge_into(&self, headers: &mut ResponseHeaders) {
        for (name, value) in &self.0 {
            headers.replace(name.clone(), value.clone());
        }
    }
}

impl FromIterator<(String, String)> for ConfiguredHeaders {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        let mut list: Vec<(String, String)> = Vec::new();
        for (name, value) in pairs {
            match list.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(&name)) {
                Some(entry) => *entry = (name, value),
                None => list.push((name, value)),
            }
        }
        Self(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configured_header_replaces_the_whole_list_of_its_name() {
        let mut headers = ResponseHeaders::default();
        headers.append("set-cookie", "a=1");
        headers.append("location", "/");
        headers.append("set-cookie", "b=2");
        let configured: ConfiguredHeaders = [("Set-Cookie".to_owned(), "c=3".to_owned())].into_iter().collect();
        configured.merge_into(&mut headers);
        assert_eq!(
            headers.iter().collect::<Vec<_>>(),
            [("location", "/"), ("Set-Cookie", "c=3")]
        );
    }

    #[test]
    fn of_several_spellings_the_last_holds_with_its_own_case() {
        let configured: ConfiguredHeaders = [("X-A", "1"), ("x-a", "2"), ("X-a", "3")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter()
            .collect();
        assert_eq!(configured.iter().collect::<Vec<_>>(), [("X-a", "3")]);
    }
}
