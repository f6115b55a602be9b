//! The pages' words: four languages of our own, and whatever the configuration puts in their place.

mod languages;

pub(super) use self::languages::Language;
use self::languages::{ENGLISH, LANGUAGES};
use super::Wording;
use crate::{Reason, config::Reader, json::Json, page::PageKind};

/// The words of one page in one language, where they are configured.
#[derive(Clone, Debug, Default)]
struct Own {
    /// The label of a page's kind, or a reason's code.
    about: String,
    title: Option<String>,
    message: Option<String>,
    link: Option<String>,
}

/// A language as it is offered: ours, configured, or both.
#[derive(Clone, Debug)]
struct Offered {
    code: String,
    built_in: Option<&'static Language>,
    own: Vec<Own>,
}

/// The languages on offer; the first is for those who ask for none of them.
#[derive(Clone, Debug)]
pub(crate) struct Words(Vec<Offered>);

/// The words that stand on every page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Labels {
    pub(super) details: &'static str,
    pub(super) code: &'static str,
    pub(super) request: &'static str,
    pub(super) signed_in_as: &'static str,
}

/// One language, chosen.
pub(crate) struct Speech<'w> {
    pub(super) code: &'w str,
    /// Ours, in which everything is said that is not configured: English where we have none of that code.
    pub(super) language: &'static Language,
    offered: Option<&'w Offered>,
}

impl Words {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let texts = read_texts(reader);
        let mut codes = reader.list("languages");
        if codes.is_empty() {
            codes = LANGUAGES.iter().map(|language| language.code.to_owned()).collect();
            let more = texts
                .iter()
                .map(|(code, _)| code)
                .filter(|code| built_in(code).is_none());
            codes.extend(more.cloned());
        }
        let offered = codes.into_iter().map(|code| {
            let of_code = texts.iter().filter(|(known, _)| *known == code);
            Offered {
                built_in: built_in(&code),
                own: of_code.flat_map(|(_, own)| own.iter().cloned()).collect(),
                code,
            }
        });
        let offered: Vec<Offered> = offered.collect();
        for language in &offered {
            if language.built_in.is_none() && language.own.is_empty() {
                let known = LANGUAGES.map(|language| language.code).join(", ");
                let expected = format!("{known}, or a language that has texts");
                reader.problem("languages", crate::json::stringify_text(&language.code), &expected);
            }
        }
        Self(offered)
    }

    /// The language that suits an Accept-Language best (RFC 9110, section 12.5.4).
    pub(super) fn speech(&self, accept: &str) -> Speech<'_> {
        let wanted = preferences(accept);
        let suits = |wanted: &str, offered: &Offered| {
            let primary = |code: &str| code.split('-').next().unwrap_or_default().to_ascii_lowercase();
            offered.code.eq_ignore_ascii_case(wanted) || primary(&offered.code) == primary(wanted)
        };
        let chosen = wanted
            .iter()
            .find_map(|wanted| self.0.iter().find(|offered| suits(wanted, offered)))
            .or(self.0.first());
        Speech {
            code: chosen.map_or("en", |offered| offered.code.as_str()),
            language: chosen.and_then(|offered| offered.built_in).unwrap_or(&ENGLISH),
            offered: chosen,
        }
    }
}

impl Speech<'_> {
    /// The words for a page: those configured for its reason, for its kind, ours in the language, ours in English.
    pub(super) fn wording(&self, kind: PageKind, reason: Reason) -> Wording<'_> {
        let built_in = self.offered.and_then(|offered| offered.built_in);
        let default = built_in
            .and_then(|language| language.pages.iter().find(|(of, _)| *of == kind))
            .map_or_else(|| kind.wording(), |(_, wording)| *wording);
        let pick = |part: fn(&Own) -> Option<&str>, default| {
            let own = self.offered.map(|offered| offered.own.as_slice()).unwrap_or_default();
            let about = |label: &str| own.iter().filter(|own| own.about == label).find_map(part);
            about(reason.as_str())
                .or_else(|| about(kind.label()))
                .unwrap_or(default)
        };
        Wording {
            title: pick(|own| own.title.as_deref(), default.title),
            message: pick(|own| own.message.as_deref(), default.message),
            link: pick(|own| own.link.as_deref(), default.link),
        }
    }
}

fn built_in(code: &str) -> Option<&'static Language> {
    LANGUAGES.into_iter().find(|language| language.code == code)
}

/// The languages asked for, the best first; one with a quality of 0 is not asked for.
fn preferences(accept: &str) -> Vec<&str> {
    let ranges = accept.split(',').take(20).filter_map(|range| {
        let (code, parameters) = range.split_once(';').unwrap_or((range, ""));
        let quality = match parameters.trim().strip_prefix("q=") {
            Some(quality) => quality.trim().parse::<f32>().ok()?,
            None => 1.0,
        };
        (quality > 0.0).then_some((code.trim(), quality))
    });
    let mut ranges: Vec<(&str, f32)> = ranges.collect();
    ranges.sort_by(|a, b| b.1.total_cmp(&a.1));
    ranges.into_iter().map(|(code, _)| code).collect()
}

/// `texts`: by language, then by page or reason, then title, message and link.
fn read_texts(reader: &mut Reader<'_>) -> Vec<(String, Vec<Own>)> {
    let Some(languages) = reader.object("texts") else {
        return Vec::new();
    };
    let mut texts = Vec::new();
    for (code, pages) in languages.iter() {
        let path = format!("texts.{code}");
        let Some(pages) = pages.as_object() else {
            reader.problem(&path, "something else", "an object of pages");
            continue;
        };
        let own = pages.iter().map(|(about, words)| read_own(reader, &path, about, words));
        texts.push((code.to_owned(), own.collect()));
    }
    texts
}

fn read_own(reader: &mut Reader<'_>, path: &str, about: &str, words: &Json) -> Own {
    let mut own = Own {
        about: about.to_owned(),
        ..Own::default()
    };
    // A reason's code is taken at its form: more of them may be known to later versions.
    if about.is_empty() || !about.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') {
        let expected = "a page's kind or a reason's code, as docs/reasons.md lists them";
        reader.problem(&format!("{path}.{about}"), "an unknown page", expected);
    }
    for (name, value) in words.as_object().into_iter().flat_map(|words| words.iter()) {
        let text = value.as_str().map(str::to_owned);
        match name {
            "title" if text.is_some() => own.title = text,
            "message" if text.is_some() => own.message = text,
            "link" if text.is_some() => own.link = text,
            _ => reader.problem(
                &format!("{path}.{about}.{name}"),
                "something else",
                "title, message or link, a string",
            ),
        }
    }
    if words.as_object().is_none() {
        reader.problem(
            &format!("{path}.{about}"),
            "something else",
            "an object of title, message and link",
        );
    }
    own
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_language_on_offer_is_chosen() {
        let words = Words(
            LANGUAGES
                .into_iter()
                .map(|language| Offered {
                    code: language.code.to_owned(),
                    built_in: Some(language),
                    own: Vec::new(),
                })
                .collect(),
        );
        for (accept, expected) in [
            ("", "en"),
            ("de", "de"),
            ("de-AT,en;q=0.5", "de"),
            ("nl, fr;q=0.8, es;q=0.9", "es"),
            ("nl", "en"),
            ("de;q=0, fr;q=0.1", "fr"),
            ("*", "en"),
            ("ES-mx", "es"),
            ("de;q=x, es", "es"),
        ] {
            assert_eq!(words.speech(accept).code, expected, "{accept}");
        }
    }

    #[test]
    fn every_language_has_every_page_that_the_profile_shows() {
        for language in LANGUAGES {
            for kind in PageKind::ALL {
                let own = language.pages.iter().any(|(of, _)| *of == kind);
                assert!(
                    own || language.code == "en" || kind == PageKind::ConfirmSignIn,
                    "{} {kind:?}",
                    language.code
                );
            }
        }
    }
}
