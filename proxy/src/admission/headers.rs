//! Header fields: how much there is of them, and which of the viewer's go no further.

use http::HeaderName;
use pingora::http::RequestHeader;

use crate::identity::Identity;

/// Octets of request line and header fields, as HTTP/1.1 would write them.
pub(super) fn size(request: &RequestHeader) -> usize {
    // "GET" + two spaces + "HTTP/1.1" + line break; ": " and line break with each field.
    let line = request.method.as_str().len() + request.raw_path().len() + 12;
    let fields = request
        .headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4);
    line + fields.sum::<usize>() + 2
}

/// Removes from the request what must not reach an origin.
pub(crate) fn scrub(request: &mut RequestHeader, identity: &Identity) {
    let forbidden: Vec<HeaderName> = request
        .headers
        .keys()
        .filter(|name| identity.removes(name))
        .cloned()
        .collect();
    for name in forbidden {
        request.remove_header(&name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::IdentitySettings;

    #[test]
    fn headers_that_speak_for_the_proxy_are_removed_in_every_spelling() {
        let mut request = RequestHeader::build("GET", b"/", None).unwrap();
        let kept = ["Accept", "X-Forward", "X-Custom", "Range"];
        let removed = [
            "X-Portcullis-User",
            "x-PORTCULLIS-email",
            "X_Portcullis_User",
            "X-Forwarded-User",
            "X_Forwarded_User",
            "X-Forwarded-For",
            "Forwarded",
            "X-Original-URL",
            "X-Rewrite-URL",
            "X-HTTP-Method-Override",
            "X-Amzn-Oidc-Data",
            "some_name",
        ];
        for name in kept.iter().chain(&removed) {
            request.append_header(*name, "v").unwrap();
            request.append_header(*name, "w").unwrap();
        }
        scrub(&mut request, &Identity::new(IdentitySettings::default()));
        let mut left: Vec<&str> = request.headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["accept", "range", "x-custom", "x-forward"]);
    }
}
