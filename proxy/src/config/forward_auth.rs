//! `[forward_auth]`: the servers that may ask whether a request may pass.

use super::section::Section;
use crate::forward_auth::ForwardAuth;

/// Reads the table.
pub(super) fn read(mut section: Section<'_>, has_trusted_proxies: bool) -> ForwardAuth {
    let default = ForwardAuth::default();
    let servers = section.parsed_list("servers", "`nginx`, `traefik`, `caddy` or `envoy`");
    let path = section.text("path").map_or(default.path, |path| path.into_owned());
    if !is_plain(&path) {
        section.refuse("path", format!("{path:?}"), "a path as `/_portcullis/forward-auth`");
    }
    if !servers.is_empty() && !has_trusted_proxies {
        section.refuse(
            "servers",
            "them without trusted_proxies",
            "the addresses of these servers in `trusted_proxies`, since nobody else is answered",
        );
    }
    section.finish();
    ForwardAuth { path, servers }
}

/// Whether a path has one spelling.
fn is_plain(path: &str) -> bool {
    let segment = |segment: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        !segment.is_empty() && segment.bytes().all(is_plain)
    };
    path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(segment))
}
