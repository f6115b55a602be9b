//! Preconditions of GET and HEAD: If-Match, If-Unmodified-Since, If-None-Match, If-Modified-Since, If-Range
//! (RFC 9110, section 13).

use std::time::{Duration, SystemTime};

use http::{
    HeaderMap, HeaderName,
    header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE},
};

/// What identifies one state of a representation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Validators {
    /// The entity tag as it stands in ETag, with its quotes and its `W/`.
    pub(crate) etag: Option<String>,
    /// When it was last changed; in HTTP a whole second.
    pub(crate) modified: Option<SystemTime>,
}

/// What a request's preconditions come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Precondition {
    /// Answer as if there were none.
    Proceed,
    /// 304: what the viewer has is current.
    NotModified,
    /// 412
    Failed,
}

impl Validators {
    /// Evaluates the preconditions of a GET or HEAD request in the order of RFC 9110, section 13.2.2.
    pub(crate) fn evaluate(&self, headers: &HeaderMap) -> Precondition {
        if !self.unchanged_since_last_seen(headers) {
            Precondition::Failed
        } else if self.viewer_is_current(headers) {
            Precondition::NotModified
        } else {
            Precondition::Proceed
        }
    }

    /// Whether a Range header counts: there is no If-Range, or it names this very state (section 13.1.5).
    pub(crate) fn range_applies(&self, headers: &HeaderMap) -> bool {
        let Some(condition) = headers.get(IF_RANGE) else {
            return true;
        };
        let Ok(condition) = condition.to_str() else {
            return false;
        };
        match self.etag.as_deref() {
            Some(etag) if condition.contains('"') => is_strong(etag) && condition.trim() == etag,
            _ => {
                self.modified.is_some() && httpdate::parse_http_date(condition).ok() == self.modified.map(whole_seconds)
            }
        }
    }

    fn unchanged_since_last_seen(&self, headers: &HeaderMap) -> bool {
        if headers.contains_key(IF_MATCH) {
            return self.listed(headers, IF_MATCH, |etag, listed| is_strong(etag) && etag == listed);
        }
        match (self.modified, date(headers, IF_UNMODIFIED_SINCE)) {
            (Some(modified), Some(since)) => whole_seconds(modified) <= since,
            _ => true,
        }
    }

    fn viewer_is_current(&self, headers: &HeaderMap) -> bool {
        if headers.contains_key(IF_NONE_MATCH) {
            return self.listed(headers, IF_NONE_MATCH, |etag, listed| opaque(etag) == opaque(listed));
        }
        match (self.modified, date(headers, IF_MODIFIED_SINCE)) {
            (Some(modified), Some(since)) => whole_seconds(modified) <= since,
            _ => false,
        }
    }

    fn listed(&self, headers: &HeaderMap, name: HeaderName, equal: impl Fn(&str, &str) -> bool) -> bool {
        let lists = headers.get_all(name);
        lists.iter().filter_map(|list| list.to_str().ok()).any(|list| {
            list.trim() == "*"
                || entity_tags(list).any(|listed| self.etag.as_deref().is_some_and(|etag| equal(etag, listed)))
        })
    }
}

/// The tags of a comma-separated list; a comma within quotes is part of the tag. What is no tag is skipped.
fn entity_tags(list: &str) -> impl Iterator<Item = &str> {
    let mut rest = list;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let opening = rest.find('"')?;
        let closing = opening + 1 + rest.get(opening + 1..)?.find('"')?;
        let (tag, tail) = rest.split_at_checked(closing + 1)?;
        rest = tail;
        Some(tag)
    })
}

fn is_strong(etag: &str) -> bool {
    !etag.starts_with("W/")
}

fn opaque(etag: &str) -> &str {
    etag.strip_prefix("W/").unwrap_or(etag)
}

fn date(headers: &HeaderMap, name: HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()
}

fn whole_seconds(moment: SystemTime) -> SystemTime {
    let since_epoch = moment.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(since_epoch.as_secs())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const CHANGED: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

    fn validators(etag: &str) -> Validators {
        Validators {
            etag: Some(etag.into()),
            modified: Some(httpdate::parse_http_date(CHANGED).unwrap() + Duration::from_millis(900)),
        }
    }

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
            .collect()
    }

    #[track_caller]
    fn comes_to(expected: Precondition, pairs: &[(HeaderName, &'static str)]) {
        assert_eq!(validators("\"a\"").evaluate(&headers(pairs)), expected, "{pairs:?}");
    }

    #[test]
    fn without_preconditions_the_answer_is_the_usual_one() {
        comes_to(Precondition::Proceed, &[]);
    }

    #[test]
    fn a_listed_tag_is_current_however_weak() {
        for list in [
            "\"a\"",
            "W/\"a\"",
            "\"x\", \"a\"",
            "\"x\",W/\"a\" , \"y\"",
            "*",
            "\"with,comma\", \"a\"",
        ] {
            comes_to(Precondition::NotModified, &[(IF_NONE_MATCH, list)]);
        }
    }

    #[test]
    fn a_tag_that_is_not_listed_is_fetched() {
        for list in ["\"b\"", "a", "", "\"", "\"x\", \"a", "\"a,b\"", "\"A\""] {
            comes_to(Precondition::Proceed, &[(IF_NONE_MATCH, list)]);
        }
    }

    #[test]
    fn the_date_counts_by_whole_seconds() {
        comes_to(Precondition::NotModified, &[(IF_MODIFIED_SINCE, CHANGED)]);
        comes_to(Precondition::Proceed, &[(IF_MODIFIED_SINCE, BEFORE)]);
        comes_to(Precondition::Proceed, &[(IF_MODIFIED_SINCE, "yesterday")]);
    }

    #[test]
    fn a_tag_outranks_a_date() {
        comes_to(
            Precondition::Proceed,
            &[(IF_NONE_MATCH, "\"b\""), (IF_MODIFIED_SINCE, CHANGED)],
        );
        comes_to(
            Precondition::Proceed,
            &[(IF_MATCH, "\"a\""), (IF_UNMODIFIED_SINCE, BEFORE)],
        );
    }

    #[test]
    fn a_lost_state_fails() {
        comes_to(Precondition::Failed, &[(IF_MATCH, "\"b\"")]);
        comes_to(Precondition::Failed, &[(IF_MATCH, "W/\"a\"")]);
        comes_to(Precondition::Failed, &[(IF_UNMODIFIED_SINCE, BEFORE)]);
        comes_to(Precondition::Proceed, &[(IF_UNMODIFIED_SINCE, CHANGED)]);
        comes_to(Precondition::Proceed, &[(IF_MATCH, "*")]);
        comes_to(Precondition::Failed, &[(IF_MATCH, "\"b\""), (IF_NONE_MATCH, "\"a\"")]);
    }

    #[test]
    fn a_range_of_another_state_does_not_count() {
        let applies = |etag: &str, value: &'static str| validators(etag).range_applies(&headers(&[(IF_RANGE, value)]));
        assert!(validators("\"a\"").range_applies(&HeaderMap::new()));
        assert!(applies("\"a\"", "\"a\""));
        assert!(applies("\"a\"", CHANGED));
        assert!(!applies("\"a\"", "\"b\""));
        assert!(
            !applies("W/\"a\"", "W/\"a\""),
            "a weak tag does not promise the same bytes"
        );
        assert!(!applies("\"a\"", BEFORE));
        assert!(!applies("\"a\"", "nonsense"));
    }
}
