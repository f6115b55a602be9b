//! Reads the top level of the configuration.

use std::{net::SocketAddr, num::NonZeroUsize, time::Duration};

use ipnet::IpNet;

use super::{
    CertificateFiles, access_log, cache, forward_auth, limits, operations,
    section::Section,
    settings::{ListenSettings, LogFormat, LogSettings, PlainHttp, Settings},
    site::{self, HttpViewers, SiteSettings},
    units::Span,
};

const ADDRESS: &str = "an address and port as `0.0.0.0:8080` or `[::]:8080`";

/// Reads everything. `None`: there was a problem, and it has been reported.
pub(super) fn read(mut root: Section<'_>) -> Option<Settings> {
    let listen = listen(root.section("listen"));
    let admin = admin(root.section("admin"));
    let trusted_proxies: Vec<IpNet> = root.parsed_list("trusted_proxies", "a network as `10.0.0.0/8`");
    refuse_untrusted_announcements(&root, &listen, &trusted_proxies);
    let forward_auth = forward_auth::read(root.section("forward_auth"), !trusted_proxies.is_empty());
    let limits = limits::read(root.section("limits"));
    let websocket_origins = root.parsed_list("websocket_origins", "an origin as `https://app.example.com`");
    let log = log(root.section("log"));
    let drain = drain(root.section("shutdown"));
    let access_log = access_log::read(root.section("access_log"));
    let reload = operations::reload(root.section("reload"));
    let upgrade = operations::upgrade(root.section("upgrade"));
    let threads = root
        .parsed("threads", "a number from 1")
        .or_else(|| std::thread::available_parallelism().ok())
        .unwrap_or(NonZeroUsize::MIN);
    let mut cache_section = root.section("cache");
    let cache_bytes = cache::total(&mut cache_section);
    cache_section.finish();
    // Where TLS ends here, or a proxy in front says what the viewer spoke, plain http is known to be that.
    let at_edge = if listen.https.is_empty() && trusted_proxies.is_empty() {
        HttpViewers::Served
    } else {
        HttpViewers::RedirectedAsAtEdge
    };
    let entries = root.sections("sites");
    if entries.is_empty() {
        root.refuse("sites", "nothing", "at least one site");
    }
    let mut sites = Vec::with_capacity(entries.len());
    for section in entries {
        let path = section.path().to_owned();
        if let Some(site) = site::read(section, at_edge) {
            refuse_shared_hosts(&root, &path, &site, &sites);
            refuse_large_objects(&root, &path, &site, cache_bytes);
            sites.push(site);
        }
    }
    root.finish();
    Some(Settings {
        listen,
        admin,
        trusted_proxies,
        forward_auth,
        websocket_origins,
        limits,
        log,
        drain,
        access_log,
        reload,
        upgrade,
        cache_bytes,
        threads,
        sites,
        files: Vec::new(),
    })
}

/// The cache is divided into shards, none of which can keep what is larger than itself.
fn refuse_large_objects(root: &Section<'_>, path: &str, site: &SiteSettings, cache_bytes: usize) {
    let largest = cache_bytes / cache::SHARDS;
    let others = site.behaviours.iter().map(|behaviour| behaviour.settings.cache);
    let mut caches = others.chain([site.default.cache]).flatten();
    if caches.any(|cache| cache.max_object_bytes > largest) {
        root.refuse(
            &format!("{path}.cache.max_object_bytes"),
            "more than an eighth of cache.max_bytes",
            format!("{largest} or less"),
        );
    }
}

fn refuse_shared_hosts(root: &Section<'_>, path: &str, site: &SiteSettings, others: &[SiteSettings]) {
    for (index, host) in site.hosts.iter().enumerate() {
        if others.iter().any(|other| other.hosts.contains(host)) || site.hosts.iter().take(index).any(|h| h == host) {
            root.refuse(
                &format!("{path}.hosts[{index}]"),
                format!("\"{host}\" again"),
                "a host of this site alone",
            );
        }
    }
    if others.iter().any(|other| other.name == site.name) {
        root.refuse(
            &format!("{path}.name"),
            format!("{:?} again", site.name),
            "a name of its own",
        );
    }
}

fn listen(mut section: Section<'_>) -> ListenSettings {
    let http: Vec<SocketAddr> = section.parsed_list("http", ADDRESS);
    let https: Vec<SocketAddr> = section.parsed_list("https", ADDRESS);
    let tls: Vec<CertificateFiles> = section.sections("tls").into_iter().filter_map(certificate).collect();
    let plain_http = if section.flag("insecure_plain_http") {
        PlainHttp::Insecure
    } else {
        PlainHttp::BehindTls
    };
    if http.is_empty() && https.is_empty() && !section.is_refused() {
        section.refuse("http", "nothing, nor in https", ADDRESS);
    }
    if !https.is_empty() && tls.is_empty() {
        section.refuse(
            "tls",
            "nothing",
            "a certificate for https, as `[{ cert = \"…\", key = \"…\" }]`",
        );
    }
    let proxy_protocol: Vec<SocketAddr> = section.parsed_list("proxy_protocol", ADDRESS);
    for (index, address) in proxy_protocol.iter().enumerate() {
        if !http.contains(address) && !https.contains(address) {
            let expected = "an address that http or https lists, too";
            section.refuse(&format!("proxy_protocol[{index}]"), address.to_string(), expected);
        }
    }
    section.finish();
    ListenSettings {
        http,
        https,
        tls,
        proxy_protocol,
        plain_http,
    }
}

/// Without networks to trust, nobody could connect there.
fn refuse_untrusted_announcements(root: &Section<'_>, listen: &ListenSettings, trusted: &[IpNet]) {
    if !listen.proxy_protocol.is_empty() && trusted.is_empty() {
        root.refuse(
            "trusted_proxies",
            "nothing, beside listen.proxy_protocol",
            "the networks of the balancers that speak it",
        );
    }
}

fn certificate(mut section: Section<'_>) -> Option<CertificateFiles> {
    let cert = section.file("cert");
    let key = section.file("key");
    for (name, file) in [("cert", &cert), ("key", &key)] {
        if file.is_none() {
            section.refuse(name, "nothing", "a PEM file");
        }
    }
    section.finish();
    Some(CertificateFiles { cert: cert?, key: key? })
}

/// `listen = "off"` switches the admin listener off; by default only the machine itself can reach it.
fn admin(mut section: Section<'_>) -> Option<SocketAddr> {
    let expected = "an address and port as `127.0.0.1:9090`, or `off`";
    let address = match section.text("listen").as_deref() {
        None => Some(SocketAddr::from(([127, 0, 0, 1], 9090))),
        Some("off") => None,
        Some(text) => match text.parse() {
            Ok(address) => Some(address),
            Err(_) => {
                section.refuse("listen", format!("{text:?}"), expected);
                None
            }
        },
    };
    section.finish();
    address
}

fn log(mut section: Section<'_>) -> LogSettings {
    let level = section
        .parsed("level", "`error`, `warn`, `info`, `debug` or `trace`")
        .unwrap_or(tracing::Level::INFO);
    let format = match section.text("format").as_deref() {
        None | Some("auto") => LogFormat::Auto,
        Some("json") => LogFormat::Json,
        Some("text") => LogFormat::Text,
        Some(other) => {
            section.refuse("format", format!("{other:?}"), "`json`, `text` or `auto`");
            LogFormat::Auto
        }
    };
    section.finish();
    LogSettings { level, format }
}

fn drain(mut section: Section<'_>) -> Duration {
    let drain = section
        .parsed::<Span>("drain", "a duration as `20s`")
        .map_or(Duration::from_secs(20), |span| span.0);
    section.finish();
    drain
}
