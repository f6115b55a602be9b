//! Name resolution: `localhost` and every name below it are loopback without asking anyone
//! (RFC 6761, section 6.3), so that a demo on `auth.localhost` works on hosts whose resolver does not
//! know such names. All other names go to the system's resolver.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

/// Addresses of a name, with port 0 for the caller to replace.
pub(super) async fn resolve(name: &str) -> io::Result<Vec<SocketAddr>> {
    if is_loopback(name) {
        return Ok([IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)]
            .map(|ip| SocketAddr::new(ip, 0))
            .to_vec());
    }
    Ok(tokio::net::lookup_host((name, 0)).await?.collect())
}

fn is_loopback(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let last_label = name.rsplit('.').next().unwrap_or_default();
    last_label.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localhost_and_names_below_it_are_loopback_in_any_case_and_with_a_final_dot() {
        for name in ["localhost", "auth.localhost", "a.b.LocalHost", "app.localhost."] {
            assert!(is_loopback(name), "{name}");
        }
    }

    #[test]
    fn names_that_only_look_like_localhost_are_not_loopback() {
        for name in ["notlocalhost", "localhost.example", "localhost.example.com", "", "."] {
            assert!(!is_loopback(name), "{name}");
        }
    }

    #[tokio::test]
    async fn a_localhost_name_resolves_to_both_loopback_addresses() {
        let found = resolve("auth.localhost").await.unwrap();
        assert!(found.iter().all(|address| address.ip().is_loopback()));
        assert_eq!(found.len(), 2);
    }
}
