//! The effective configuration for people and programs, secrets masked.

use auth_core::json::{Json, Object};
use serde_json::{Map, Value, json};

use super::{
    AllowedMethods, AssertionSettings, AuthSettings, BehaviourSettings, CacheSettings, CachedQuery, CertificateFiles,
    Compression, Conduct, CustomSettings, ErrorPage, HeaderPrecedence, HttpViewers, IdentitySettings, OriginChoice,
    OriginSettings, OriginTimeouts, PathBehaviour, PlainHttp, S3Addressing, S3Settings, Settings, SiteSettings,
    TrailingSlash, auth::SECRETS, origin::MissingStatus,
};

const MASK: &str = "(secret)";

impl Settings {
    /// Every setting under its key, defaults filled in, secrets masked.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "listen": {
                "http": self.listen.http,
                "https": self.listen.https,
                "tls": self.listen.tls.iter().map(certificate).collect::<Vec<_>>(),
                "proxy_protocol": self.listen.proxy_protocol,
                "insecure_plain_http": self.listen.plain_http == PlainHttp::Insecure,
            },
            "admin": { "listen": self.admin.map_or_else(|| "off".to_owned(), |address| address.to_string()) },
            "trusted_proxies": self.trusted_proxies.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "forward_auth": {
                "servers": self.forward_auth.servers.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "path": self.forward_auth.path,
            },
            "websocket_origins": self.websocket_origins,
            "limits": {
                "header_bytes": self.limits.header_bytes,
                "url_bytes": self.limits.url_bytes,
                "cookie_bytes": self.limits.cookie_bytes,
                "cookies": self.limits.cookies,
                "body_bytes": self.limits.body_bytes.map_or_else(|| Value::from("off"), Value::from),
                "body_rate": self.limits.body_rate,
                "handshake_timeout": span(self.limits.handshake),
                "header_timeout": span(self.limits.header),
                "idle_timeout": span(self.limits.idle),
                "read_timeout": span(self.limits.read),
                "write_timeout": span(self.limits.write),
                "websocket_age": self.limits.websocket.map_or_else(|| "off".to_owned(), span),
                "connections": self.limits.connections,
                "connection_requests": self.limits.connection_requests,
                "auth_requests_per_minute": self.limits.auth_requests,
            },
            "log": { "level": self.log.level.as_str().to_ascii_lowercase(), "format": self.log.format.as_str() },
            "access_log": { "format": self.access_log.form.as_str(), "file": self.access_log.file },
            "shutdown": { "drain": span(self.drain) },
            "reload": { "watch": self.reload.watch.as_str(), "interval": span(self.reload.interval) },
            "upgrade": { "socket": self.upgrade.socket, "drain": span(self.upgrade.drain) },
            "cache": { "max_bytes": self.cache_bytes },
            "threads": self.threads,
            "sites": self.sites.iter().map(site).collect::<Vec<_>>(),
        })
    }

    /// The same as TOML.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut json = self.to_json();
        drop_nulls(&mut json);
        // Every value above has a form in TOML once there is no null.
        toml::to_string_pretty(&json).unwrap_or_else(|error| format!("# cannot be shown: {error}\n"))
    }
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

fn span(duration: std::time::Duration) -> String {
    let millis = duration.as_millis();
    if millis.is_multiple_of(1000) {
        format!("{}s", millis / 1000)
    } else {
        format!("{millis}ms")
    }
}

fn certificate(files: &CertificateFiles) -> Value {
    json!({ "cert": files.cert, "key": files.key })
}

fn site(site: &SiteSettings) -> Value {
    let origins = site.origins.iter().map(|(name, named)| (name.clone(), origin(named)));
    let mut shown = json!({
        "name": site.name,
        "hosts": site.hosts.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "auth": auth(&site.auth),
        "identity": identity(&site.identity),
        "origin": origin(&site.origin),
        "edge_parity": site.conduct == Conduct::Edge,
        "redirect_http_to_https": site.http_viewers != HttpViewers::Served,
        "headers_override": site.precedence == HeaderPrecedence::Configured,
        "origins": origins.collect::<Map<_, _>>(),
        "behaviours": site.behaviours.iter().map(path_behaviour).collect::<Vec<_>>(),
    });
    add(&mut shown, behaviour(&site.default));
    shown
}

fn path_behaviour(entry: &PathBehaviour) -> Value {
    let mut shown = json!({ "path": entry.path.to_string() });
    if let OriginChoice::Named(name) = &entry.settings.origin {
        add(&mut shown, json!({ "origin": name }));
    }
    add(&mut shown, behaviour(&entry.settings));
    shown
}

fn behaviour(behaviour: &BehaviourSettings) -> Value {
    let methods = match &behaviour.methods {
        AllowedMethods::Any => Value::Null,
        AllowedMethods::Only(methods) => methods.iter().map(http::Method::as_str).collect(),
    };
    json!({
        "methods": methods,
        "default_root_object": behaviour.default_root_object,
        "rewrite_trailing_slash_to_index": behaviour.trailing_slash == TrailingSlash::ToIndex,
        "spa_fallback": behaviour.error_pages.spa.as_ref().map(|spa| spa.path.preserved()),
        "error_pages": behaviour.error_pages.pages.iter().map(error_page).collect::<Vec<_>>(),
        "compress": match behaviour.compress {
            Compression::Off => Value::from(false),
            Compression::Edge => Value::from("edge"),
            Compression::All => Value::from(true),
        },
        "cache": behaviour.cache.as_ref().map(cache),
    })
}

fn cache(cache: &CacheSettings) -> Value {
    json!({
        "enabled": true,
        "min_ttl": span(cache.min_ttl),
        "default_ttl": span(cache.default_ttl),
        "max_ttl": span(cache.max_ttl),
        "error_ttl": span(cache.error_ttl),
        "stale_while_revalidate": span(cache.stale_while_revalidate),
        "stale_if_error": span(cache.stale_if_error),
        "max_object_bytes": cache.max_object_bytes,
        "query": if cache.query == CachedQuery::All { "all" } else { "none" },
    })
}

fn error_page(page: &ErrorPage) -> Value {
    json!({
        "status": page.status.as_u16(),
        "path": page.path.preserved(),
        "response_status": page.response_status.as_u16(),
    })
}

fn add(shown: &mut Value, more: Value) {
    if let (Some(members), Value::Object(more)) = (shown.as_object_mut(), more) {
        members.extend(more);
    }
}

fn auth(auth: &AuthSettings) -> Value {
    match auth {
        AuthSettings::Off { headers } => {
            let headers = headers
                .iter()
                .map(|(name, value)| (name.to_owned(), Value::from(value)));
            json!({ "insecure_auth_off": true, "httpHeaders": headers.collect::<Map<_, _>>() })
        }
        AuthSettings::Required { given, .. } => object(given, &SECRETS),
    }
}

fn identity(identity: &IdentitySettings) -> Value {
    let headers = identity.headers.iter();
    let headers = headers.map(|(name, claim)| (name.to_string(), Value::from(claim.as_str())));
    json!({
        "headers": headers.collect::<Map<_, _>>(),
        "groups": identity.groups.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "max_bytes": identity.max_bytes,
        "remove": identity.remove.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "assertion": identity.assertion.as_ref().map(assertion),
        "insecure_id_token_header": identity.id_token.as_ref().map(ToString::to_string),
    })
}

fn assertion(assertion: &AssertionSettings) -> Value {
    json!({
        "key": MASK,
        "header": assertion.header.as_str(),
        "issuer": assertion.issuer,
        "audience": assertion.audience,
        "lifetime": span(assertion.lifetime),
        "claims": assertion.claims,
    })
}

fn object(table: &Object, masked: &[&str]) -> Value {
    let members = table.iter().map(|(name, member)| {
        let shown = match member {
            Json::String(text) if masked.contains(&name) && !text.is_empty() => Value::from(MASK),
            Json::Array(list) if masked.contains(&name) => list.iter().map(|_| Value::from(MASK)).collect(),
            // Secrets of an improvement stand a table further in.
            Json::Object(members) => object(members, masked),
            other => value(other),
        };
        (name.to_owned(), shown)
    });
    Value::Object(members.collect::<Map<_, _>>())
}

fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::from(*truth),
        // Whole numbers without a fraction, as they were written.
        Json::Number(number) if number.fract() == 0.0 && number.abs() < 9e15 => Value::from(*number as i64),
        Json::Number(number) => Value::from(*number),
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => items.iter().map(value).collect(),
        Json::Object(members) => object(members, &[]),
    }
}

fn origin(origin: &OriginSettings) -> Value {
    match origin {
        OriginSettings::S3(s3) => s3_origin(s3),
        OriginSettings::Custom(custom) => custom_origin(custom),
        OriginSettings::Directory(directory) => json!({ "kind": "directory", "root": directory.root }),
        OriginSettings::Nothing => json!({ "kind": "none" }),
    }
}

fn s3_origin(s3: &S3Settings) -> Value {
    let credentials = s3.credentials.as_ref();
    with_timeouts(
        json!({
            "kind": "s3",
            "bucket": s3.bucket,
            "region": s3.region,
            "endpoint": s3.endpoint.as_ref().map(ToString::to_string),
            "path_style": s3.addressing == S3Addressing::Path,
            "prefix": s3.prefix,
            "access_key_id": credentials.map(|credentials| &credentials.access_key_id),
            "secret_access_key": credentials.map(|_| MASK),
            "session_token": credentials.and_then(|credentials| credentials.session_token.as_ref()).map(|_| MASK),
            "missing_status": if s3.missing_status == MissingStatus::NotFound { 404 } else { 403 },
        }),
        &s3.timeouts,
    )
}

fn custom_origin(custom: &CustomSettings) -> Value {
    let (single, several) = match custom.urls.as_slice() {
        [url] => (Some(url), None),
        urls => (None, Some(urls)),
    };
    let headers = custom
        .headers
        .iter()
        .map(|(name, _)| (name.to_string(), Value::from(MASK)));
    with_timeouts(
        json!({
            "kind": "custom",
            "url": single.map(ToString::to_string),
            "urls": several.map(|urls| urls.iter().map(ToString::to_string).collect::<Vec<_>>()),
            "health_path": custom.health_check.as_ref().map(|check| &check.path),
            "health_interval": custom.health_check.as_ref().map(|check| span(check.interval)),
            "host": custom.host.as_ref().map(|host| String::from_utf8_lossy(host.as_bytes()).into_owned()),
            "sni": custom.sni,
            "ca_file": custom.ca_file,
            "client_cert": custom.client_certificate.as_ref().map(|files| &files.cert),
            "client_key": custom.client_certificate.as_ref().map(|files| &files.key),
            "headers": headers.collect::<Map<_, _>>(),
        }),
        &custom.timeouts,
    )
}

fn with_timeouts(mut origin: Value, timeouts: &OriginTimeouts) -> Value {
    if let Some(members) = origin.as_object_mut() {
        for (key, duration) in [
            ("connect_timeout", timeouts.connect),
            ("read_timeout", timeouts.read),
            ("write_timeout", timeouts.write),
            ("idle_timeout", timeouts.idle),
        ] {
            members.insert(key.to_owned(), Value::from(span(duration)));
        }
    }
    origin
}
