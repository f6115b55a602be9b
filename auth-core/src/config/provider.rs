//! Where the identity provider is and what its tokens must say.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{
    Endpoint, oidc,
    reader::{Reader, describe},
};
use crate::{
    jwt::{Dialect, Requirements, Speaker},
    provider::Endpoints,
};

pub(super) struct Provider {
    pub(super) speaker: Speaker,
    pub(super) requirements: Requirements,
    pub(super) jwks_uri: String,
    pub(super) endpoints: Endpoints,
    /// What is said to the operator of keys that are about another provider.
    pub(super) unread: Option<String>,
}

impl Provider {
    pub(super) fn read(reader: &mut Reader<'_>, client_id: &str) -> Self {
        let loopback_http = reader.flag("insecureLoopbackHttp");
        let client_id = client_id.to_owned();
        let group = reader
            .optional_text("requiredGroup")
            .filter(|group| !group.is_empty())
            .map(str::to_owned);
        if let Some(generic) = oidc::read(reader, loopback_http) {
            let unread = NOT_OF_GENERIC.into_iter().filter(|key| reader.value(key).is_some());
            let unread: Vec<&str> = unread.collect();
            return Self {
                speaker: Speaker::Generic,
                requirements: Requirements {
                    issuer: generic.issuer,
                    client_id,
                    group,
                    dialect: generic.dialect.into(),
                },
                jwks_uri: generic.jwks_uri,
                endpoints: generic.endpoints,
                unread: (!unread.is_empty()).then(|| {
                    let unread = unread.join(", ");
                    format!("{unread}: not read, because enhancements.oidc names the provider")
                }),
            };
        }
        let issuer = read_issuer(reader);
        Self {
            speaker: Speaker::Cognito,
            jwks_uri: read_jwks_uri(reader, &issuer, loopback_http),
            endpoints: Endpoints::of_hosted_ui(&read_hosted_ui(reader, loopback_http)),
            requirements: Requirements {
                issuer,
                client_id,
                group,
                dialect: Dialect::of_cognito().into(),
            },
            unread: None,
        }
    }
}

const NOT_OF_GENERIC: [&str; 4] = ["userPoolArn", "cognitoAuthDomain", "issuer", "jwksUri"];

fn read_issuer(reader: &mut Reader<'_>) -> String {
    if let Some(issuer) = reader.optional_text("issuer") {
        if !issuer.starts_with("https://") && !issuer.starts_with("http://") {
            reader.problem("issuer", describe(reader.value("issuer")), "a URL");
        }
        return issuer.to_owned();
    }
    let arn = reader.text("userPoolArn");
    let issuer = pool_id(&arn).and_then(issuer_of_pool);
    // Only verification needs the issuer; the reference's other functions start without it.
    if issuer.is_none() && reader.value("userPoolArn").is_some() && reader.is_needed_by(&[Endpoint::Protected]) {
        reader.problem(
            "userPoolArn",
            describe(reader.value("userPoolArn")),
            "an ARN as arn:aws:cognito-idp:REGION:ACCOUNT:userpool/REGION_ID",
        );
    }
    issuer.unwrap_or_default()
}

/// What stands between the first and the second slash.
fn pool_id(arn: &str) -> Option<&str> {
    arn.split('/').nth(1)
}

/// The issuer of a user pool. The region is the pool id's own, whatever the ARN says elsewhere.
fn issuer_of_pool(pool_id: &str) -> Option<String> {
    let (region, id) = pool_id.split_once('_')?;
    let parts: Vec<&str> = region.split('-').collect();
    let (number, words) = parts.split_last()?;
    let is_region = words.len() >= 2
        && words
            .iter()
            .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit());
    let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let domain = if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    };
    (is_region && is_id).then(|| format!("https://cognito-idp.{region}.{domain}/{pool_id}"))
}

fn read_jwks_uri(reader: &mut Reader<'_>, issuer: &str, loopback_http: bool) -> String {
    let Some(uri) = reader.optional_text("jwksUri") else {
        return format!("{issuer}/.well-known/jwks.json");
    };
    let plain_host = uri
        .strip_prefix("http://")
        .map(|rest| rest.split(['/', '?']).next().unwrap_or_default());
    let allowed = match plain_host {
        Some(host) => loopback_http && is_loopback(host),
        None => uri.starts_with("https://"),
    };
    if !allowed {
        reader.problem(
            "jwksUri",
            describe(reader.value("jwksUri")),
            "an https URL (http only on loopback, with insecureLoopbackHttp)",
        );
    }
    uri.to_owned()
}

fn read_hosted_ui(reader: &mut Reader<'_>, loopback_http: bool) -> String {
    let domain = reader.text("cognitoAuthDomain");
    let is_host = !domain.is_empty() && !domain.contains(['/', '?', '#', '@', '\\', ' ']);
    if reader.is_whole() && reader.value("cognitoAuthDomain").is_some() && !is_host {
        let found = describe(reader.value("cognitoAuthDomain"));
        reader.problem(
            "cognitoAuthDomain",
            found,
            "a host name with an optional port, without https://",
        );
    }
    if !loopback_http {
        return format!("https://{domain}");
    }
    if !is_loopback(&domain) {
        let found = describe(reader.value("cognitoAuthDomain"));
        reader.problem(
            "cognitoAuthDomain",
            found,
            "a loopback host, because insecureLoopbackHttp is set",
        );
    }
    format!("http://{domain}")
}

/// Whether a host, with or without a port, is this machine itself: `localhost` and names below it
/// (RFC 6761), 127.0.0.0/8, `[::1]`.
pub(crate) fn is_loopback(host: &str) -> bool {
    if let Some(rest) = host.strip_prefix('[') {
        let address = rest.split(']').next().unwrap_or_default();
        return address.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback());
    }
    let name = host.split(':').next().unwrap_or_default().to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_issuer_follows_the_pool_ids_region() {
        let issuer = |arn: &str| pool_id(arn).and_then(issuer_of_pool);
        assert_eq!(
            issuer("arn:aws:cognito-idp:us-east-1:1:userpool/eu-west-1_Ab1").as_deref(),
            Some("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab1")
        );
        assert_eq!(
            issuer("arn:aws-cn:cognito-idp:cn-north-1:1:userpool/cn-north-1_x").as_deref(),
            Some("https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_x")
        );
        assert_eq!(
            issuer("arn:aws-us-gov:cognito-idp:us-gov-west-1:1:userpool/us-gov-west-1_x").as_deref(),
            Some("https://cognito-idp.us-gov-west-1.amazonaws.com/us-gov-west-1_x")
        );
        for bad in [
            "eu-west-1_Ab1",
            "a/eu-west-1",
            "a/eu-west-1_",
            "a/eu-west-1_x y",
            "a/west_x",
            "a/EU-west-1_x",
        ] {
            assert_eq!(issuer(bad), None, "{bad}");
        }
    }

    #[test]
    fn loopback_is_this_machine_only() {
        for host in [
            "localhost",
            "auth.localhost:9000",
            "LOCALHOST",
            "127.0.0.1:1",
            "127.9.9.9",
            "[::1]:80",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "localhost.example",
            "notlocalhost",
            "10.0.0.1",
            "[::2]",
            "128.0.0.1",
            "",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
