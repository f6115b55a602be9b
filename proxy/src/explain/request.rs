//! The request to explain, from the command line.

use std::{
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
};

use auth_core::json::Json;
use auth_driver::Clock;
use clap::Args;
use pingora::http::RequestHeader;

use super::{ExplainError, clock};
use crate::admission::{Connection, Transport};

/// The request, and under which circumstances.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// GET, POST and so on.
    method: String,
    /// As `https://app.example.com/docs/?q=1`.
    url: String,
    /// A Cookie header, as `name=value; name=value`. May be repeated.
    #[arg(long, value_name = "COOKIES")]
    cookie: Vec<String>,
    /// Another header, as `Name: value`. May be repeated.
    #[arg(long, value_name = "HEADER")]
    header: Vec<String>,
    /// A JSON file with claims: what would become of a viewer whose id token has them, rightly signed?
    #[arg(long, value_name = "FILE")]
    claims: Option<PathBuf>,
    /// The time to go by, in Unix seconds, instead of now.
    #[arg(long, value_name = "SECONDS")]
    at: Option<i64>,
    /// Call the identity provider where the decision depends on it. A code or refresh token may be used up.
    #[arg(long)]
    online: bool,
}

/// The request as it would arrive.
#[derive(Debug)]
pub(super) struct Posed {
    pub(super) url: String,
    pub(super) header: RequestHeader,
    pub(super) connection: Connection,
    pub(super) claims: Option<Json>,
    pub(super) clock: Clock,
    pub(super) online: bool,
}

impl Posed {
    pub(super) fn read(arguments: &Arguments) -> Result<Self, ExplainError> {
        let wrong = |what: String| ExplainError::Request(what);
        let (transport, rest) = match arguments.url.split_once("://") {
            Some(("https", rest)) => (Transport::Tls, rest),
            Some(("http", rest)) => (Transport::Plain, rest),
            _ => return Err(wrong("the URL must begin with https:// or http://".to_owned())),
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (host, target) = rest.split_at(end);
        let target = if target.starts_with('/') {
            target.to_owned()
        } else {
            format!("/{target}")
        };
        let build = RequestHeader::build(arguments.method.as_str(), target.as_bytes(), None);
        let mut header = build.map_err(|_| wrong(format!("{} {target} is no request line", arguments.method)))?;
        let mut append = |name: &str, value: &str| {
            let appended = header.append_header(name.to_owned(), value);
            appended.map_err(|_| wrong(format!("{name} is no header, or its value is none")))
        };
        append("Host", host)?;
        for cookie in &arguments.cookie {
            append("Cookie", cookie)?;
        }
        for line in &arguments.header {
            let (name, value) = line
                .split_once(':')
                .ok_or_else(|| wrong("a header must be written as `Name: value`".to_owned()))?;
            append(name.trim(), value.trim())?;
        }
        Ok(Self {
            url: arguments.url.clone(),
            header,
            connection: Connection {
                // Nobody's; no peer is trusted.
                peer: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
                transport,
            },
            claims: claims(arguments)?,
            clock: clock(arguments.at),
            online: arguments.online,
        })
    }
}

fn claims(arguments: &Arguments) -> Result<Option<Json>, ExplainError> {
    let Some(file) = &arguments.claims else {
        return Ok(None);
    };
    let failed = |problem: String| ExplainError::Claims {
        file: file.display().to_string(),
        problem,
    };
    let bytes = std::fs::read(file).map_err(|error| failed(error.to_string()))?;
    let json = Json::parse(&bytes).map_err(|_| failed("it is not JSON".to_owned()))?;
    if json.as_object().is_none() {
        return Err(failed("it is not an object".to_owned()));
    }
    Ok(Some(json))
}
