//! Which entries an operator wants removed.

use super::entry::Owner;

/// Everything that fits all that is named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Purge {
    site: Option<String>,
    path: Option<String>,
    prefix: Option<String>,
}

impl Purge {
    #[cfg(test)]
    pub(super) fn new(site: Option<&str>, path: Option<&str>, prefix: Option<&str>) -> Self {
        Self {
            site: site.map(ToOwned::to_owned),
            path: path.map(ToOwned::to_owned),
            prefix: prefix.map(ToOwned::to_owned),
        }
    }

    /// Reads `site=…&path=…`, `site=…&prefix=…`, `site=…&all=true` or `all=true`. What is named twice, unknown,
    /// or names neither a path, a prefix nor all is refused: a slip should not empty the cache.
    pub(crate) fn parse(query: &str) -> Result<Self, &'static str> {
        let mut purge = Self::default();
        let mut all = None;
        for (key, value) in url_pairs(query) {
            let slot = match &*key {
                "site" => &mut purge.site,
                "path" => &mut purge.path,
                "prefix" => &mut purge.prefix,
                "all" => &mut all,
                _ => return Err("unknown parameter: site, path, prefix and all are known"),
            };
            if slot.replace(value).is_some() {
                return Err("a parameter stands there twice");
            }
        }
        let named = [&purge.path, &purge.prefix, &all].into_iter().flatten().count();
        if named != 1 {
            return Err("one of path, prefix and all=true is needed");
        }
        if all.is_some_and(|all| all != "true") {
            return Err("all is true or absent");
        }
        let paths = [&purge.path, &purge.prefix].into_iter().flatten();
        if paths.into_iter().any(|path| !path.starts_with('/')) {
            return Err("path and prefix begin with a slash");
        }
        Ok(purge)
    }

    pub(super) fn means(&self, owner: &Owner) -> bool {
        let fits = |wanted: &Option<String>, test: &dyn Fn(&str) -> bool| wanted.as_deref().is_none_or(test);
        fits(&self.site, &|site| *owner.site == *site)
            && fits(&self.path, &|path| *owner.path == *path)
            && fits(&self.prefix, &|prefix| owner.path.starts_with(prefix))
    }
}

/// The pairs of a query, decoded.
fn url_pairs(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purge_names_a_path_a_prefix_or_everything() {
        let parsed = |query| Purge::parse(query);
        assert_eq!(
            parsed("site=app&path=/a%20b"),
            Ok(Purge::new(Some("app"), Some("/a b"), None))
        );
        assert_eq!(parsed("prefix=/a/"), Ok(Purge::new(None, None, Some("/a/"))));
        assert_eq!(parsed("all=true&site=app"), Ok(Purge::new(Some("app"), None, None)));
        assert_eq!(parsed("all=true"), Ok(Purge::default()));
    }

    #[test]
    fn a_slip_does_not_empty_the_cache() {
        for query in [
            "",
            "site=app",
            "all",
            "all=false",
            "all=true&path=/a",
            "path=/a&prefix=/b",
            "path=/a&path=/b",
            "path=a",
            "prefix=",
            "pfad=/a",
            "Path=/a",
        ] {
            assert!(Purge::parse(query).is_err(), "{query}");
        }
    }
}
