//! Reads `[sites.origin]`.

use std::time::Duration;

use auth_core::Secret;
use http::{HeaderName, HeaderValue};

use super::{
    origin::{
        CertificateFiles, CustomSettings, DirectorySettings, HealthCheck, MissingStatus, OriginSettings,
        OriginTimeouts, OriginUrl, S3Addressing, S3Settings, StaticCredentials,
    },
    section::{Section, describe, scalar},
    units::Span,
};

const URL: &str = "http://HOST[:PORT] or https://HOST[:PORT]";

/// Reads the table. `None`: there was a problem, and it has been reported.
pub(super) fn read(mut section: Section<'_>) -> Option<OriginSettings> {
    let expected = "`s3`, `custom`, `directory` or `none`";
    let kind = section.required_text("kind", expected)?;
    let origin = match kind.as_str() {
        "s3" => s3(&mut section).map(OriginSettings::S3),
        "custom" => custom(&mut section).map(OriginSettings::Custom),
        "directory" => directory(&mut section).map(OriginSettings::Directory),
        "none" => Some(OriginSettings::Nothing),
        other => {
            section.refuse("kind", format!("{other:?}"), expected);
            return None;
        }
    };
    section.finish();
    origin
}

fn s3(section: &mut Section<'_>) -> Option<S3Settings> {
    let bucket = section.required_text("bucket", "a bucket's name");
    let region = section.text("region").map(std::borrow::Cow::into_owned);
    let endpoint = section.parsed("endpoint", URL);
    let addressing = if section.flag("path_style") {
        S3Addressing::Path
    } else {
        S3Addressing::VirtualHost
    };
    let prefix = section
        .text("prefix")
        .unwrap_or_default()
        .trim_start_matches('/')
        .to_owned();
    let credentials = credentials(section);
    let missing_status = match section.parsed::<u16>("missing_status", "404 or 403") {
        None | Some(404) => MissingStatus::NotFound,
        Some(403) => MissingStatus::Forbidden,
        Some(other) => {
            section.refuse("missing_status", other.to_string(), "404 or 403");
            MissingStatus::default()
        }
    };
    let timeouts = timeouts(section);
    Some(S3Settings {
        bucket: bucket?,
        region,
        endpoint,
        addressing,
        prefix,
        credentials,
        missing_status,
        timeouts,
    })
}

fn credentials(section: &mut Section<'_>) -> Option<StaticCredentials> {
    let access_key_id = section.text("access_key_id").map(std::borrow::Cow::into_owned);
    let secret_access_key = section.secret("secret_access_key", "secret_access_key_file");
    let session_token = section.secret("session_token", "session_token_file");
    match (access_key_id, secret_access_key) {
        (Some(access_key_id), Some(secret_access_key)) => Some(StaticCredentials {
            access_key_id,
            secret_access_key,
            session_token,
        }),
        (None, None) => None,
        (Some(_), None) => {
            section.refuse("secret_access_key", "nothing", "the secret of access_key_id");
            None
        }
        (None, Some(_)) => {
            section.refuse("access_key_id", "nothing", "the id of secret_access_key");
            None
        }
    }
}

fn custom(section: &mut Section<'_>) -> Option<CustomSettings> {
    let urls = urls(section);
    let health_check = health_check(section);
    let host = section.parsed::<HeaderValue>("host", "a Host header");
    let sni = section.text("sni").map(std::borrow::Cow::into_owned);
    if sni.as_deref() == Some("") {
        // Pingora takes an empty name for "do not verify".
        section.refuse("sni", "\"\"", "a host name");
    }
    let ca_file = section.file("ca_file");
    let cert = section.file("client_cert");
    let key = section.file("client_key");
    let client_certificate = match (cert, key) {
        (Some(cert), Some(key)) => Some(CertificateFiles { cert, key }),
        (None, None) => None,
        _ => {
            section.refuse("client_cert", "one of client_cert and client_key", "both or none");
            None
        }
    };
    let headers = headers(section);
    let timeouts = timeouts(section);
    Some(CustomSettings {
        urls: urls?,
        health_check,
        host,
        sni,
        ca_file,
        client_certificate,
        headers,
        timeouts,
    })
}

/// `url` for one server, `urls` for several.
fn urls(section: &mut Section<'_>) -> Option<Vec<OriginUrl>> {
    let several: Vec<OriginUrl> = section.parsed_list("urls", URL);
    if !several.is_empty() {
        if section.text("url").is_some() {
            section.refuse("urls", "it beside url", "one of the two");
        }
        return Some(several);
    }
    if section.is_refused() {
        return None;
    }
    let text = section.required_text("url", URL)?;
    let url = text.parse();
    url.map(|url| vec![url])
        .map_err(|error| section.refuse("url", format!("{text:?} ({error})"), URL))
        .ok()
}

fn health_check(section: &mut Section<'_>) -> Option<HealthCheck> {
    let path = section.text("health_path").map(std::borrow::Cow::into_owned);
    let interval = section.parsed::<Span>("health_interval", "a duration as `10s`");
    if interval == Some(Span(Duration::ZERO)) {
        section.refuse("health_interval", "\"0s\"", "more than nothing");
    }
    let path = path?;
    if !path.starts_with('/') || !path.bytes().all(|byte| matches!(byte, b'!'..=b'~')) {
        section.refuse("health_path", format!("{path:?}"), "a path as `/health`");
    }
    Some(HealthCheck {
        path,
        interval: interval.map_or(Duration::from_secs(10), |span| span.0),
    })
}

fn headers(section: &mut Section<'_>) -> Vec<(HeaderName, Secret<HeaderValue>)> {
    let path = section.path_of("headers");
    let report = section.source().report;
    let mut headers = Vec::new();
    for (name, value) in section.members("headers") {
        let path = format!("{path}.{name}");
        // Variables' names have no hyphens, and origins' headers no underscores.
        let parsed_name = name.replace('_', "-").parse::<HeaderName>();
        let Some(text) = scalar(value) else {
            report.add(path, describe(value), "a text");
            continue;
        };
        match (parsed_name, text.parse::<HeaderValue>()) {
            (Ok(name), Ok(value)) => headers.push((name, Secret::new(value))),
            (Err(_), _) => report.add(
                path,
                "a name with characters that headers cannot have",
                "a header's name",
            ),
            (_, Err(_)) => report.add(
                path,
                "a value with characters that headers cannot have",
                "visible characters",
            ),
        }
    }
    headers
}

fn directory(section: &mut Section<'_>) -> Option<DirectorySettings> {
    let Some(root) = section.file("root") else {
        section.refuse("root", "nothing", "a folder");
        return None;
    };
    if !root.is_dir() {
        section.refuse("root", format!("{}, which is no folder", root.display()), "a folder");
    }
    Some(DirectorySettings { root })
}

fn timeouts(section: &mut Section<'_>) -> OriginTimeouts {
    let default = OriginTimeouts::default();
    let mut span = |key: &'static str, default: Duration| {
        let span = section.parsed::<Span>(key, "a duration as `5s`").map(|span| span.0);
        if span == Some(Duration::ZERO) {
            section.refuse(key, "\"0s\"", "more than nothing");
        }
        span.unwrap_or(default)
    };
    OriginTimeouts {
        connect: span("connect_timeout", default.connect),
        read: span("read_timeout", default.read),
        write: span("write_timeout", default.write),
        idle: span("idle_timeout", default.idle),
    }
}
