//! The pages that a person sees of us: in their language, with the site's name, logo, colours and words.
//!
//! Each loads nothing but the logo and runs nothing: its Content-Security-Policy allows one style, by its hash. Every
//! text from outside is escaped. The page names the reason's code, and the request's id where the adapter has one.

mod branding;
mod explanation;
mod words;

use self::{
    branding::Branding,
    words::{Language, Words},
};
pub(super) use self::{branding::colour_keys, explanation::Explanation};
use super::{answer::Answer, viewer::Viewer};
use crate::{
    Reason, Request, Step,
    authenticator::Authenticator,
    config::Reader,
    js::base64::encode_standard,
    page::{Page, PageKind, Wording, escape, fill},
};

const TEMPLATE: &str = include_str!("pages/page.html");

/// What a page says.
#[derive(Clone, Copy)]
pub(crate) struct Shown<'a> {
    pub(crate) kind: PageKind,
    pub(crate) reason: Reason,
    /// For those who want to know more.
    pub(crate) details: Option<&'a Explanation>,
    /// Where the one link leads: an address of ours.
    pub(crate) link: &'a str,
    /// Who is signed in.
    pub(crate) who: Option<&'a str>,
}

/// How the pages look and speak.
#[derive(Clone, Debug)]
pub(crate) struct Pages {
    branding: Branding,
    words: Words,
    security_policy: String,
}

impl Pages {
    pub(super) const KEYS: [&'static str; 5] = ["name", "logo", "colours", "languages", "texts"];

    /// Reads `pages`; `None` if it is switched off.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        if !reader.is_on("pages") {
            return None;
        }
        let (branding, words) = reader.section_or_switch("pages", &Self::KEYS, |section| {
            (Branding::read(section), Words::read(section))
        });
        let hash = encode_standard(&crate::hmac::sha256(branding.style.as_bytes()));
        Some(Self {
            security_policy: policy(&format!("'sha256-{hash}'"), branding.image_source()),
            branding,
            words,
        })
    }

    fn answer(&self, status: u16, viewer: &Viewer, shown: Shown<'_>) -> Answer {
        let body = self.render(viewer, shown);
        Answer::html(status, shown.reason, body, self.security_policy.as_str())
    }

    fn render(&self, viewer: &Viewer, shown: Shown<'_>) -> String {
        let speech = self.words.speech(&viewer.languages);
        let wording = speech.wording(shown.kind, shown.reason);
        let named = self.branding.name.as_deref().map(|name| format!(" – {name}"));
        fill(TEMPLATE, |name, html| match name {
            "language" => html.push_str(&escape(speech.code)),
            "kind" => html.push_str(shown.kind.label()),
            "reason" => html.push_str(shown.reason.as_str()),
            "title" => html.push_str(&escape(wording.title)),
            "named" => html.push_str(&escape(named.as_deref().unwrap_or_default())),
            "style" => html.push_str(&self.branding.style),
            "brand" => self.branding.write(html),
            "message" => html.push_str(&escape(wording.message)),
            "who" => {
                if let Some(who) = shown.who {
                    let (label, who) = (escape(speech.language.labels.signed_in_as), escape(who));
                    html.push_str(&format!("<p>{label} <strong>{who}</strong></p>\n"));
                }
            }
            "link" => html.push_str(&escape(shown.link)),
            "link-text" => html.push_str(&escape(wording.link)),
            _ => html.push_str(&details(speech.language, viewer, shown)),
        })
    }
}

/// The part that is folded away: why, and what to tell who asks.
fn details(language: &Language, viewer: &Viewer, shown: Shown<'_>) -> String {
    let Some(explanation) = shown.details else {
        return String::new();
    };
    let labels = &language.labels;
    let mut html = format!(
        "<details><summary>{}</summary>\n<p lang=\"{}\">{}</p>\n<p>{}: <code>{}</code>",
        escape(labels.details),
        language.code,
        escape(&explanation.text(language.pick)),
        escape(labels.code),
        shown.reason.as_str()
    );
    if let Some(id) = &viewer.request_id {
        html.push_str(&format!("<br>{}: <code>{}</code>", escape(labels.request), escape(id)));
    }
    html.push_str("</p></details>\n");
    html
}

/// A page of ours, with the status that fits, or 200 where `statusCodes` is switched off.
pub(crate) fn show(auth: &Authenticator, viewer: &Viewer, status: u16, shown: Shown<'_>) -> Answer {
    let enhanced = auth.config().enhanced.as_deref();
    let status = match enhanced {
        Some(enhanced) if !enhanced.status_codes => 200,
        _ => status,
    };
    let answer = match enhanced.and_then(|enhanced| enhanced.pages.as_ref()) {
        Some(pages) => pages.answer(status, viewer, shown),
        None => plain(status, shown),
    };
    answer
        .with("Referrer-Policy", "no-referrer")
        .with("X-Content-Type-Options", "nosniff")
}

/// The reference's page.
fn plain(status: u16, shown: Shown<'_>) -> Answer {
    let page = Page {
        kind: shown.kind,
        reason: shown.reason,
        details: &shown.details.map(Explanation::english).unwrap_or_default(),
        link: shown.link,
    };
    Answer::html(status, shown.reason, page.render(), policy("'unsafe-inline'", ""))
}

/// Nothing but one style and perhaps a logo; nobody's frame.
fn policy(style: &str, image: &str) -> String {
    let image = match image {
        "" => String::new(),
        image => format!(" img-src {image};"),
    };
    format!("default-src 'none'; style-src {style};{image} base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
}

/// Where a sign-out may end: public, and without a redirect that would sign the viewer in again.
pub(crate) fn signed_out(auth: &Authenticator, request: &Request<'_>) -> Step {
    let viewer = Viewer::of(auth, request);
    let shown = Shown {
        kind: PageKind::SignedOut,
        reason: Reason::SignedOut,
        details: None,
        link: &viewer.address("/"),
        who: None,
    };
    show(auth, &viewer, 200, shown).decide(auth.config())
}
