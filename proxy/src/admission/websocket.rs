//! Upgrades to another protocol: only for pages of the same origin (RFC 6455, section 10.2; T-WS-1).
//!
//! A page of another site can open a WebSocket here, and the browser sends our cookies along; only `Origin`
//! tells the two apart. Clients that are no browsers send none and have no cookies to be misused.

use auth_core::Scheme;
use http::header::{ORIGIN, UPGRADE};
use pingora::http::RequestHeader;

use super::Refusal;

/// Refuses an upgrade that a page of another origin asks for.
pub(super) fn check(request: &RequestHeader, scheme: Scheme, host: &str, others: &[String]) -> Result<(), Refusal> {
    if !request.headers.contains_key(UPGRADE) {
        return Ok(());
    }
    let mut origins = request.headers.get_all(ORIGIN).iter();
    let (Some(origin), None) = (origins.next(), origins.next()) else {
        return if request.headers.contains_key(ORIGIN) {
            Err(Refusal::ForeignOrigin)
        } else {
            Ok(())
        };
    };
    let origin = origin.to_str().map_err(|_| Refusal::ForeignOrigin)?;
    if is_own(origin, scheme, host) || others.iter().any(|other| other.eq_ignore_ascii_case(origin)) {
        Ok(())
    } else {
        Err(Refusal::ForeignOrigin)
    }
}

fn is_own(origin: &str, scheme: Scheme, host: &str) -> bool {
    let default_port = match scheme {
        Scheme::Https => ":443",
        Scheme::Http => ":80",
    };
    let bare = |authority: &str| {
        authority
            .strip_suffix(default_port)
            .unwrap_or(authority)
            .to_ascii_lowercase()
    };
    origin
        .split_once("://")
        .is_some_and(|(theirs, authority)| theirs == scheme.as_str() && bare(authority) == bare(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upgrade(origins: &[&str]) -> Result<(), Refusal> {
        let mut request = RequestHeader::build("GET", b"/", None).unwrap();
        request.append_header("Upgrade", "websocket").unwrap();
        for origin in origins {
            request.append_header("Origin", *origin).unwrap();
        }
        let others = ["https://other.example".to_owned()];
        check(&request, Scheme::Https, "App.example.com", &others)
    }

    #[test]
    fn only_pages_of_the_same_origin_may_upgrade() {
        for own in [
            &["https://app.example.com"][..],
            &["https://app.example.com:443"],
            &["https://other.example"],
            &[],
        ] {
            assert_eq!(upgrade(own), Ok(()), "{own:?}");
        }
        for foreign in [
            &["http://app.example.com"][..],
            &["https://app.example.com:8443"],
            &["https://app.example.com.evil.example"],
            &["https://evil.example"],
            &["null"],
            &[""],
            &["https://app.example.com", "https://evil.example"],
        ] {
            assert_eq!(upgrade(foreign), Err(Refusal::ForeignOrigin), "{foreign:?}");
        }
    }
}
