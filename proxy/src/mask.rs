//! Answers as they may be shown: what gives access or names a session is replaced by what it is.

/// Parameters whose values are shown; all others are masked.
const SHOWN: [&str; 9] = [
    "client_id",
    "code_challenge_method",
    "error",
    "logout_uri",
    "redirect_uri",
    "response_type",
    "scope",
    "requestedUri",
    "grant_type",
];

/// A URL with the values of its parameters masked, except for those that are no secret.
pub(crate) fn url(url: &str) -> String {
    match url.split_once('?') {
        Some((start, query)) => format!("{start}?{}", parameters(query)),
        None => url.to_owned(),
    }
}

/// A query or a form, likewise.
pub(crate) fn parameters(query: &str) -> String {
    let parts = query.split('&').map(|part| match part.split_once('=') {
        Some((name, value)) if !SHOWN.contains(&name) && !value.is_empty() => format!("{name}={}", secret(value)),
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("&")
}

/// A Set-Cookie value, its own value masked and its attributes shown.
pub(crate) fn set_cookie(cookie: &str) -> String {
    let Some((name, rest)) = cookie.split_once('=') else {
        return secret(cookie);
    };
    let (value, attributes) = rest.split_at(rest.find(';').unwrap_or(rest.len()));
    if value.is_empty() {
        return cookie.to_owned();
    }
    format!("{name}={}{attributes}", secret(value))
}

/// What stands in place of a value.
pub(crate) fn secret(value: &str) -> String {
    format!("({} characters)", value.chars().count())
}

/// The names in a Cookie header.
pub(crate) fn cookie_names(field: &str) -> Vec<&str> {
    let pairs = field.split(';').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, _)| name.trim()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_give_access_are_masked_and_what_says_where_is_shown() {
        assert_eq!(
            url("https://a/oauth2/authorize?client_id=c&state=eyJ&scope=openid&code=&x"),
            "https://a/oauth2/authorize?client_id=c&state=(3 characters)&scope=openid&code=&x"
        );
        assert_eq!(
            parameters("grant_type=refresh_token&refresh_token=abc"),
            "grant_type=refresh_token&refresh_token=(3 characters)"
        );
        assert_eq!(url("/plain"), "/plain");
    }

    #[test]
    fn cookies_keep_their_names_and_attributes() {
        assert_eq!(set_cookie("a=tok=en; Path=/"), "a=(6 characters); Path=/");
        assert_eq!(set_cookie("a=; Path=/"), "a=; Path=/");
        assert_eq!(set_cookie("token"), "(5 characters)");
        assert_eq!(cookie_names("a=1; b=2;c"), ["a", "b"]);
    }
}
