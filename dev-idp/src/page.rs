//! The provider's two pages: one file each, no script, nothing loaded, every inserted value escaped.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};

use crate::settings::Client;

const STYLE: &str = include_str!("../pages/style.css");
const LOGIN: &str = include_str!("../pages/login.html");
const ALERT: &str = include_str!("../pages/alert.html");
const ERROR: &str = include_str!("../pages/error.html");

static STYLE_HASH: LazyLock<String> = LazyLock::new(|| STANDARD.encode(digest(&SHA256, STYLE.as_bytes())));

/// A finished page and what it may do.
#[derive(Debug)]
pub(crate) struct Page {
    html: String,
    form_action: String,
}

/// What the sign-in page shows.
#[derive(Debug)]
pub(crate) struct LoginForm<'a> {
    pub(crate) client: &'a Client,
    /// The authorization request, to come back with the form.
    pub(crate) query: &'a str,
    pub(crate) csrf: &'a str,
    pub(crate) username: &'a str,
    pub(crate) error: Option<&'a str>,
}

impl Page {
    pub(crate) fn login(form: &LoginForm<'_>) -> Self {
        let alert = form
            .error
            .map(|message| fill(ALERT, &[("message", message)]))
            .unwrap_or_default();
        let described = if form.error.is_some() {
            " aria-invalid=true aria-describedby=alert"
        } else {
            ""
        };
        // Typing goes on where something is missing.
        let (focus_username, focus_password) = if form.username.is_empty() {
            (" autofocus", "")
        } else {
            ("", " autofocus")
        };
        let html = fill(
            LOGIN,
            &[
                ("&style", STYLE),
                ("&alert", &alert),
                ("&described", described),
                ("&focus_username", focus_username),
                ("&focus_password", focus_password),
                ("client", &form.client.id),
                ("query", form.query),
                ("csrf", form.csrf),
                ("username", form.username),
            ],
        );
        // Chromium applies form-action to the redirects that answer a form, too.
        let callbacks = form
            .client
            .callbacks
            .iter()
            .map(|url| format!(" {}", url.csp_source()))
            .collect::<String>();
        Self {
            html,
            form_action: format!("'self'{callbacks}"),
        }
    }

    pub(crate) fn error(message: &str) -> Self {
        let html = fill(ERROR, &[("&style", STYLE), ("message", message)]);
        Self {
            html,
            form_action: "'none'".to_owned(),
        }
    }

    pub(crate) fn html(&self) -> &str {
        &self.html
    }

    pub(crate) fn content_security_policy(&self) -> String {
        format!(
            "default-src 'none'; style-src 'sha256-{}'; img-src data:; form-action {}; base-uri 'none'; \
             frame-ancestors 'none'",
            *STYLE_HASH, self.form_action
        )
    }
}

/// Fills `{{name}}` with the escaped value of `name`, and `{{&name}}` with the value as it is.
///
/// One pass: what a value brings is never looked at again.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut parts = template.split("{{");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let Some((name, rest)) = part.split_once("}}") else {
            continue;
        };
        let value = values
            .iter()
            .find(|(known, _)| *known == name)
            .map_or("", |(_, value)| value);
        if name.starts_with('&') {
            filled.push_str(value);
        } else {
            filled.push_str(&escape(value));
        }
        filled.push_str(rest);
    }
    filled
}

/// Safe as text and in a quoted attribute.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_and_never_filled_again() {
        let filled = fill("<p title=\"{{a}}\">{{b}}", &[("a", "\"'<&>"), ("b", "{{a}}")]);
        assert_eq!(filled, "<p title=\"&quot;&#39;&lt;&amp;&gt;\">{{a}}");
    }

    #[test]
    fn the_sign_in_page_escapes_what_the_request_brought() {
        let nasty = "\"><script>alert(1)</script>";
        let client = Client::public("web").callback("http://app.localhost:*/cb");
        let form = LoginForm {
            client: &client,
            query: nasty,
            csrf: "token",
            username: nasty,
            error: Some(nasty),
        };
        let page = Page::login(&form);
        assert!(!page.html().contains("<script"), "{}", page.html());
        assert_eq!(
            page.html()
                .matches("&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;")
                .count(),
            3
        );
    }

    #[test]
    fn every_placeholder_of_the_pages_is_filled() {
        let client = Client::public("web");
        let form = LoginForm {
            client: &client,
            query: "",
            csrf: "",
            username: "",
            error: Some("wrong"),
        };
        for page in [Page::login(&form), Page::error("wrong")] {
            assert!(
                !page.html().contains("{{") && page.html().contains("wrong"),
                "{}",
                page.html()
            );
        }
    }

    #[test]
    fn the_policy_allows_the_callbacks_and_nothing_else() {
        let client = Client::public("web").callback("http://app.localhost:*/cb");
        let form = LoginForm {
            client: &client,
            query: "",
            csrf: "",
            username: "",
            error: None,
        };
        let policy = Page::login(&form).content_security_policy();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(
            policy.contains("form-action 'self' http://app.localhost:*;"),
            "{policy}"
        );
    }
}
