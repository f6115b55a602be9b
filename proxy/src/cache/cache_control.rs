//! The Cache-Control header of a response (RFC 9111, section 5.2.2; RFC 5861).

use http::{HeaderMap, header::CACHE_CONTROL};

/// What RFC 9111 recommends for a number that is too large: 2³¹ seconds.
const TOO_LARGE: u32 = 1 << 31;

/// What a response says about being kept. A directive that may name fields (`private="Set-Cookie"`) is taken
/// as if it named none, which is the stricter reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct CacheControl {
    pub(super) no_store: bool,
    pub(super) no_cache: bool,
    pub(super) private: bool,
    pub(super) public: bool,
    /// `must-revalidate` or `proxy-revalidate`.
    pub(super) must_revalidate: bool,
    /// In seconds, as are the others. A value that is no number counts as 0: stale.
    pub(super) max_age: Option<u32>,
    pub(super) s_maxage: Option<u32>,
    pub(super) stale_while_revalidate: Option<u32>,
    pub(super) stale_if_error: Option<u32>,
}

impl CacheControl {
    /// Reads all fields of the header. Of a directive that stands there twice the smaller value counts.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut control = Self::default();
        for field in headers.get_all(CACHE_CONTROL) {
            for directive in directives(&String::from_utf8_lossy(field.as_bytes())) {
                control.note(directive);
            }
        }
        control
    }

    /// How long the response says it is fresh for a shared cache, in seconds.
    pub(super) const fn lifetime(self) -> Option<u32> {
        match self.s_maxage {
            Some(seconds) => Some(seconds),
            None => self.max_age,
        }
    }

    /// Whether a response to a request with Authorization may be kept (RFC 9111, section 3.5).
    pub(super) const fn allows_authorized(self) -> bool {
        self.public || self.s_maxage.is_some() || self.must_revalidate
    }

    fn note(&mut self, directive: &str) {
        let (name, value) = match directive.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (directive.trim(), None),
        };
        match name.to_ascii_lowercase().as_str() {
            "no-store" => self.no_store = true,
            "no-cache" => self.no_cache = true,
            "private" => self.private = true,
            "public" => self.public = true,
            "must-revalidate" | "proxy-revalidate" => self.must_revalidate = true,
            "max-age" => lower(&mut self.max_age, value),
            "s-maxage" => lower(&mut self.s_maxage, value),
            "stale-while-revalidate" => lower(&mut self.stale_while_revalidate, value),
            "stale-if-error" => lower(&mut self.stale_if_error, value),
            _ => {}
        }
    }
}

fn lower(slot: &mut Option<u32>, value: Option<&str>) {
    let seconds = seconds(value.unwrap_or_default());
    *slot = Some(slot.map_or(seconds, |known| known.min(seconds)));
}

/// Digits, also within quotes.
fn seconds(value: &str) -> u32 {
    let digits = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'))
        .unwrap_or(value);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return 0;
    }
    digits.parse().unwrap_or(TOO_LARGE).min(TOO_LARGE)
}

/// The members of a comma-separated list; a comma within quotes separates nothing.
fn directives(field: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    field.split(move |character| {
        let is_escaped = std::mem::take(&mut escaped);
        match character {
            '"' if !is_escaped => quoted = !quoted,
            '\\' if quoted && !is_escaped => escaped = true,
            ',' => return !quoted,
            _ => {}
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn of(fields: &[&str]) -> CacheControl {
        let fields = fields
            .iter()
            .map(|field| (CACHE_CONTROL, HeaderValue::from_bytes(field.as_bytes()).unwrap()));
        CacheControl::of(&fields.collect())
    }

    #[test]
    fn every_directive_is_known() {
        let all = of(&[
            "no-store, no-cache, private, public, must-revalidate, max-age=1, s-maxage=2, \
                       stale-while-revalidate=3, stale-if-error=4, immutable, unheard-of=5",
        ]);
        let expected = CacheControl {
            no_store: true,
            no_cache: true,
            private: true,
            public: true,
            must_revalidate: true,
            max_age: Some(1),
            s_maxage: Some(2),
            stale_while_revalidate: Some(3),
            stale_if_error: Some(4),
        };
        assert_eq!(all, expected);
        assert!(of(&["proxy-revalidate"]).must_revalidate);
        assert_eq!(of(&[]), CacheControl::default());
    }

    #[test]
    fn what_is_for_shared_caches_outranks_the_rest() {
        assert_eq!(of(&["max-age=10, s-maxage=0"]).lifetime(), Some(0));
        assert_eq!(of(&["s-maxage=20", "max-age=10"]).lifetime(), Some(20));
        assert_eq!(of(&["max-age=10"]).lifetime(), Some(10));
        assert_eq!(of(&["public"]).lifetime(), None);
    }

    #[test]
    fn numbers_are_read_strictly() {
        for (field, expected) in [
            ("max-age=60", 60),
            ("MAX-AGE = 60", 60),
            ("max-age=\"60\"", 60),
            ("max-age=4294967295", TOO_LARGE),
            ("max-age=99999999999999999999", TOO_LARGE),
            ("max-age=-1", 0),
            ("max-age=+1", 0),
            ("max-age=1.5", 0),
            ("max-age=60s", 0),
            ("max-age=", 0),
            ("max-age", 0),
            ("max-age=60, max-age=30", 30),
            ("max-age=30, max-age=60", 30),
        ] {
            assert_eq!(of(&[field]).max_age, Some(expected), "{field}");
        }
    }

    #[test]
    fn a_comma_within_quotes_separates_nothing() {
        let quoted = of(&["private=\"a, no-store, \\\", b\", max-age=5"]);
        assert!(quoted.private && !quoted.no_store);
        assert_eq!(quoted.max_age, Some(5));
        assert!(of(&["no-cache=\"set-cookie\""]).no_cache);
        assert!(!of(&["x=\"no-store"]).no_store);
    }

    #[test]
    fn similar_names_are_other_names() {
        assert_eq!(
            of(&["no-stores, nostore, xprivate, max_age=5, no-cache-me"]),
            CacheControl::default()
        );
    }

    #[test]
    fn some_directives_allow_what_was_asked_for_with_authorization() {
        for field in ["public", "s-maxage=5", "must-revalidate"] {
            assert!(of(&[field]).allows_authorized(), "{field}");
        }
        assert!(!of(&["max-age=60"]).allows_authorized());
    }

    proptest! {
        #[test]
        fn no_value_breaks_it(bytes in proptest::collection::vec(any::<u8>().prop_filter("a field", |byte| *byte >= 32 && *byte != 127), 0..80)) {
            let value = HeaderValue::from_bytes(&bytes).unwrap();
            CacheControl::of(&HeaderMap::from_iter([(CACHE_CONTROL, value)]));
        }

        #[test]
        fn what_stands_somewhere_in_the_list_is_found(before in "[a-z=0-9-]{0,12}", after in "[a-z=0-9-]{0,12}", seconds in 0u32..1_000_000) {
            let control = of(&[&format!("{before}, no-store ,s-maxage={seconds},{after}")]);
            prop_assert!(control.no_store);
            prop_assert!(control.s_maxage.is_some_and(|found| found <= seconds));
        }
    }
}
