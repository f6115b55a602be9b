//! The one page we show: what happened, why, and one way on.
//!
//! It loads nothing, runs nothing, and works under `default-src 'none'; style-src 'unsafe-inline'`.
//! `<html data-page data-reason>` says to scripts and tests what it is.

use crate::{Config, Decision, Reason, Response, ResponseHeaders, SecurityPolicy, Step};

const TEMPLATE: &str = include_str!("page.html");

/// Which page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PageKind {
    NotAuthorized,
    SignInIssue,
    ConfirmSignIn,
    RefreshIssue,
    SignedOut,
    /// Nobody may see it, signed in or not.
    NotAvailable,
    /// The path can be read in two ways.
    UnclearAddress,
    /// The identity provider does not do what it should.
    ProviderIssue,
    /// Sign-ins follow each other without end.
    SignInLoop,
}

/// The words of a page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wording<'w> {
    pub(crate) title: &'w str,
    pub(crate) message: &'w str,
    pub(crate) link: &'w str,
}

/// A page to show.
pub(crate) struct Page<'a> {
    pub(crate) kind: PageKind,
    pub(crate) reason: Reason,
    /// For those who want to know more; left out when empty. Never a secret.
    pub(crate) details: &'a str,
    /// Where the one link leads.
    pub(crate) link: &'a str,
}

impl Page<'_> {
    /// The page as the end of a flow: status 200 as the reference has it, and a Content-Type that the
    /// configured headers cannot change.
    pub(crate) fn respond(&self, config: &Config) -> Step {
        let mut headers = ResponseHeaders::default();
        config.http_headers().merge_into(&mut headers);
        headers.replace("Content-Type", "text/html; charset=UTF-8");
        Step::Decided(Decision::Respond(Response {
            status: 200,
            headers,
            body: self.render(),
            security_policy: SecurityPolicy::Configured,
            reason: self.reason,
        }))
    }

    pub(crate) fn render(&self) -> String {
        let wording = self.kind.wording();
        let details = if self.details.is_empty() {
            String::new()
        } else {
            format!(
                "<details><summary>Details</summary><p>{}</p><p><code>{}</code></p></details>",
                escape(self.details),
                self.reason.as_str()
            )
        };
        fill(TEMPLATE, |name, html| match name {
            "kind" => html.push_str(self.kind.label()),
            "reason" => html.push_str(self.reason.as_str()),
            "title" => html.push_str(wording.title),
            "message" => html.push_str(wording.message),
            "details" => html.push_str(&details),
            "link" => html.push_str(&escape(self.link)),
            _ => html.push_str(wording.link),
        })
    }
}

/// Puts texts in the place of `{{names}}`, in one pass, so that a text put in is never taken for a placeholder.
pub(crate) fn fill(template: &str, mut put: impl FnMut(&str, &mut String)) -> String {
    let mut html = String::with_capacity(template.len() + 2048);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, after)) = after.split_once("}}") else {
            break;
        };
        html.push_str(before);
        put(name, &mut html);
        rest = after;
    }
    html.push_str(rest);
    html
}

impl PageKind {
    /// All of them.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 9] = [
        Self::NotAuthorized,
        Self::SignInIssue,
        Self::ConfirmSignIn,
        Self::RefreshIssue,
        Self::SignedOut,
        Self::NotAvailable,
        Self::UnclearAddress,
        Self::ProviderIssue,
        Self::SignInLoop,
    ];

    /// What scripts and tests know it by.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::NotAuthorized => "not-authorized",
            Self::SignInIssue => "sign-in-issue",
            Self::ConfirmSignIn => "confirm-sign-in",
            Self::RefreshIssue => "refresh-issue",
            Self::SignedOut => "signed-out",
            Self::NotAvailable => "not-available",
            Self::UnclearAddress => "unclear-address",
            Self::ProviderIssue => "provider-issue",
            Self::SignInLoop => "sign-in-loop",
        }
    }

    /// The English words.
    pub(crate) const fn wording(self) -> Wording<'static> {
        match self {
            Self::NotAuthorized => Wording {
                title: "No access",
                message: "You are signed in, but your account does not have access to this content.",
                link: "Use another account",
            },
            Self::SignInIssue => Wording {
                title: "Sign-in did not work",
                message: "Something went wrong while signing you in. Trying once more often helps.",
                link: "Try again",
            },
            Self::ConfirmSignIn => Wording {
                title: "One more step",
                message: "To be sure that it is you who is signing in, please continue by yourself.",
                link: "Continue to sign-in",
            },
            Self::RefreshIssue => Wording {
                title: "Session not renewed",
                message: "Your session has ended and could not be renewed. Sign out, then sign in again.",
                link: "Sign out",
            },
            Self::SignedOut => Wording {
                title: "Signed out",
                message: "You are signed out.",
                link: "Go on",
            },
            Self::NotAvailable => Wording {
                title: "Not available",
                message: "There is nothing to see at this address, whether you are signed in or not.",
                link: "Go to the start page",
            },
            Self::UnclearAddress => Wording {
                title: "Unclear address",
                message: "This address is written in a way that is not accepted here.",
                link: "Go to the start page",
            },
            Self::ProviderIssue => Wording {
                title: "The sign-in service has a problem",
                message: "The sign-in service does not answer as it should. It is not your fault. Please try again \
                          in a moment.",
                link: "Try again",
            },
            Self::SignInLoop => Wording {
                title: "Signing in keeps starting over",
                message: "Your browser has signed in several times within a minute, and still this site does not \
                          recognise you. Check that cookies are allowed, then try again in a minute.",
                link: "Try again",
            },
        }
    }
}

/// Text for HTML content and quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_from_outside_is_escaped_and_never_taken_for_a_placeholder() {
        let page = Page {
            kind: PageKind::SignInIssue,
            reason: Reason::ProviderError,
            details: "<b onload='x'>{{link}}&\"",
            link: "https://host/\"><script>",
        };
        let html = page.render();
        assert!(html.contains("&lt;b onload=&#39;x&#39;&gt;{{link}}&amp;&quot;"));
        assert!(html.contains("href=\"https://host/&quot;&gt;&lt;script&gt;\""));
    }

    #[test]
    fn each_page_reads_as_it_was_written() {
        let pages: Vec<String> = [
            (PageKind::NotAuthorized, Reason::GroupRequired),
            (PageKind::SignInIssue, Reason::TokenEndpoint),
            (PageKind::ConfirmSignIn, Reason::NonceMismatch),
            (PageKind::RefreshIssue, Reason::TokenEndpoint),
            (PageKind::SignedOut, Reason::AlreadySignedOut),
        ]
        .into_iter()
        .map(|(kind, reason)| {
            Page {
                kind,
                reason,
                details: "Why.",
                link: "https://host/",
            }
            .render()
        })
        .map(|html| {
            html.split_once("<body>")
                .map(|(_, body)| body.to_owned())
                .unwrap_or_default()
        })
        .collect();
        insta::assert_snapshot!(pages.join("\n"));
    }
}
