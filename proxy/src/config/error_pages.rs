//! What viewers get instead of an origin's error: the document of a single-page application, or a page of the
//! site's own (CloudFront's custom error responses).

use http::{HeaderMap, Method, StatusCode, header::ACCEPT};

use super::section::Section;
use crate::canonical_path::CanonicalPath;

/// The errors of an origin that are answered otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorPages {
    /// For paths that only an application in the browser knows.
    pub spa: Option<SpaFallback>,
    /// By status.
    pub pages: Vec<ErrorPage>,
}

/// `spa_fallback`: a document instead of what is missing, with status 200.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpaFallback {
    /// The document.
    pub path: CanonicalPath,
    /// Which requests get it.
    pub scope: FallbackScope,
}

/// Which requests get a single-page application's document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FallbackScope {
    /// A browser's navigations: scripts and styles that are missing stay missing, and calls to an API get
    /// their 404.
    #[default]
    Navigations,
    /// Every GET and HEAD, as with CloudFront.
    Reads,
}

/// One entry of `error_pages`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorPage {
    /// The origin's status.
    pub status: StatusCode,
    /// The page.
    pub path: CanonicalPath,
    /// The viewer's status.
    pub response_status: StatusCode,
}

impl ErrorPages {
    /// The page and its status for a GET or HEAD that the origin answered with an error; `missing`: there is
    /// nothing at the path, whatever the status says of it.
    #[must_use]
    pub fn find(
        &self,
        status: StatusCode,
        missing: Missing,
        method: &Method,
        headers: &HeaderMap,
    ) -> Option<(&CanonicalPath, StatusCode)> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return None;
        }
        let spa = self
            .spa
            .as_ref()
            .filter(|spa| missing == Missing::Yes && (spa.scope == FallbackScope::Reads || is_navigation(headers)));
        if let Some(spa) = spa {
            return Some((&spa.path, StatusCode::OK));
        }
        let page = self.pages.iter().find(|page| page.status == status)?;
        Some((&page.path, page.response_status))
    }

    /// Whether every error is passed on as it is.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.spa.is_none() && self.pages.is_empty()
    }

    /// From now on the application's document is for [every read](FallbackScope::Reads).
    pub(super) fn widen(&mut self) {
        if let Some(spa) = &mut self.spa {
            spa.scope = FallbackScope::Reads;
        }
    }
}

/// Whether an error means that there is nothing at the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// It does.
    Yes,
    /// It means something else.
    No,
}

/// Whether a browser wants a document to show (Fetch Metadata, section 2.2). Of clients that do not say, those
/// that ask for HTML by name.
fn is_navigation(headers: &HeaderMap) -> bool {
    if let Some(mode) = headers.get("sec-fetch-mode") {
        return mode == "navigate";
    }
    let accepts_html = headers.get_all(ACCEPT).iter().any(|accept| {
        let accept = String::from_utf8_lossy(accept.as_bytes()).to_ascii_lowercase();
        accept.contains("text/html") || accept.contains("application/xhtml+xml")
    });
    accepts_html && !headers.contains_key("x-requested-with")
}

/// Reads `spa_fallback`.
pub(super) fn spa_fallback(section: &mut Section<'_>) -> Option<SpaFallback> {
    Some(SpaFallback {
        path: path(section, "spa_fallback")?,
        scope: FallbackScope::default(),
    })
}

/// Reads `error_pages`.
pub(super) fn pages(section: &mut Section<'_>) -> Option<Vec<ErrorPage>> {
    let entries = section.sections("error_pages");
    let pages: Vec<ErrorPage> = entries.into_iter().filter_map(page).collect();
    (!pages.is_empty()).then_some(pages)
}

fn page(mut section: Section<'_>) -> Option<ErrorPage> {
    let status = status(&mut section, "status", 400..=599, "a status from 400 to 599");
    if status.is_none() && !section.is_refused() {
        section.refuse("status", "nothing", "a status from 400 to 599");
    }
    let path = path(&mut section, "path");
    if path.is_none() && !section.is_refused() {
        section.refuse("path", "nothing", EXPECTED_PATH);
    }
    let response_status = status_of_response(&mut section);
    section.finish();
    Some(ErrorPage {
        status: status?,
        path: path?,
        response_status: response_status.or(status)?,
    })
}

fn status_of_response(section: &mut Section<'_>) -> Option<StatusCode> {
    let found = status(section, "response_status", 200..=599, "200 or a status from 400 to 599")?;
    if found.is_success() && found != StatusCode::OK || found.is_redirection() {
        section.refuse("response_status", found.as_str(), "200 or a status from 400 to 599");
    }
    Some(found)
}

fn status(
    section: &mut Section<'_>,
    key: &'static str,
    range: std::ops::RangeInclusive<u16>,
    expected: &str,
) -> Option<StatusCode> {
    let code = section.parsed::<u16>(key, expected)?;
    let status = range.contains(&code).then(|| StatusCode::from_u16(code).ok()).flatten();
    if status.is_none() {
        section.refuse(key, code.to_string(), expected);
    }
    status
}

const EXPECTED_PATH: &str = "the path of a document as `/index.html`";

fn path(section: &mut Section<'_>, key: &'static str) -> Option<CanonicalPath> {
    let text = section.text(key)?;
    let path = CanonicalPath::parse(text.as_bytes());
    path.map_err(|error| section.refuse(key, format!("{text:?} ({error})"), EXPECTED_PATH))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages() -> ErrorPages {
        ErrorPages {
            spa: Some(SpaFallback {
                path: CanonicalPath::parse("/index.html").unwrap(),
                scope: FallbackScope::Navigations,
            }),
            pages: vec![ErrorPage {
                status: StatusCode::NOT_FOUND,
                path: CanonicalPath::parse("/404.html").unwrap(),
                response_status: StatusCode::GONE,
            }],
        }
    }

    fn found(pages: &ErrorPages, method: &str, missing: Missing, headers: &[(&str, &str)]) -> Option<(String, u16)> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap()))
            .collect();
        let method = method.parse().unwrap();
        let (path, status) = pages.find(StatusCode::NOT_FOUND, missing, &method, &headers)?;
        Some((path.as_str().to_owned(), status.as_u16()))
    }

    const BROWSER: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

    #[test]
    fn navigations_get_the_document_and_other_reads_the_page() {
        let document = Some(("/index.html".to_owned(), 200));
        let page = Some(("/404.html".to_owned(), 410));
        for (headers, expected) in [
            (&[("sec-fetch-mode", "navigate")][..], &document),
            (&[("accept", BROWSER)], &document),
            (&[("accept", "*/*")], &page),
            (&[], &page),
            (&[("sec-fetch-mode", "cors"), ("accept", BROWSER)], &page),
            (&[("sec-fetch-mode", "no-cors"), ("accept", "image/*")], &page),
            (&[("x-requested-with", "XMLHttpRequest"), ("accept", BROWSER)], &page),
        ] {
            assert_eq!(&found(&pages(), "GET", Missing::Yes, headers), expected, "{headers:?}");
            assert_eq!(&found(&pages(), "HEAD", Missing::Yes, headers), expected, "{headers:?}");
        }
        assert_eq!(found(&pages(), "GET", Missing::No, &[("accept", BROWSER)]), page);
    }

    #[test]
    fn only_reads_are_answered_otherwise() {
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "INVENTED"] {
            assert_eq!(
                found(&pages(), method, Missing::Yes, &[("sec-fetch-mode", "navigate")]),
                None
            );
        }
    }

    #[test]
    fn in_the_wider_scope_every_read_gets_the_document() {
        let mut pages = pages();
        pages.spa.as_mut().unwrap().scope = FallbackScope::Reads;
        assert_eq!(
            found(&pages, "GET", Missing::Yes, &[]),
            Some(("/index.html".into(), 200))
        );
    }
}
