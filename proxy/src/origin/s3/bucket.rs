//! Where a bucket's objects are: the host to ask and the path of a key.

use std::fmt::Display;

use http::{Uri, uri::Scheme};

use crate::{
    canonical_path::{CanonicalPath, PathError},
    origin::{OriginSetupError, peer::Encryption},
};

/// One bucket behind one endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bucket {
    name: String,
    region: String,
    tls: bool,
    host: String,
    port: u16,
    authority: String,
    /// What comes before the viewer's path without its slash, encoded: the bucket where it is part of the
    /// path, and the prefix of all keys.
    base: String,
    has_prefix: bool,
    prefix_bytes: usize,
}

/// No key is longer; S3 would refuse the request.
const MAX_KEY_BYTES: usize = 1024;

impl Bucket {
    /// Reads the URL of the bucket itself, as the SDK's endpoint rules have it: the bucket is in its host or in its path.
    ///
    /// # Errors
    /// A URL without host, with a query, or neither http nor https; a prefix that cannot be part of a path.
    pub(crate) fn at(url: &str, name: &str, region: &str, prefix: &str) -> Result<Self, OriginSetupError> {
        let unusable = |problem: &str| OriginSetupError::Endpoint {
            bucket: name.to_owned(),
            problem: problem.to_owned(),
        };
        let uri: Uri = url.parse().map_err(|_| unusable("malformed url"))?;
        let tls = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return Err(unusable("neither http nor https")),
        };
        let host = uri
            .host()
            .filter(|host| !host.is_empty())
            .ok_or_else(|| unusable("no host"))?;
        if uri.query().is_some() {
            return Err(unusable("url with a query"));
        }
        let port = uri.port_u16();
        let standard_port = if tls { 443 } else { 80 };
        let folder = encode_prefix(prefix).map_err(|error| unusable(&format!("prefix: {error}")))?;
        Ok(Self {
            name: name.to_owned(),
            region: region.to_owned(),
            tls,
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: port.unwrap_or(standard_port),
            authority: match port {
                Some(port) if port != standard_port => format!("{host}:{port}"),
                _ => host.to_owned(),
            },
            base: format!("{}{folder}", uri.path().trim_end_matches('/')),
            has_prefix: !prefix.is_empty(),
            prefix_bytes: prefix.len(),
        })
    }

    /// The path of the object for a viewer's path. `None`: there is no key, and asking would list the bucket.
    pub(crate) fn object_path(&self, path: &CanonicalPath) -> Option<String> {
        let key = path.as_str().strip_prefix('/')?;
        if key.is_empty() && !self.has_prefix || self.prefix_bytes + path.decoded().len() - 1 > MAX_KEY_BYTES {
            return None;
        }
        let mut object = String::with_capacity(self.base.len() + key.len());
        object.push_str(&self.base);
        object.push_str(key);
        Some(object)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    /// Name or address to connect to, without brackets.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// The Host header, which is signed: the port only where it is not the scheme's own.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    pub(crate) fn encryption(&self) -> Encryption {
        if self.tls {
            Encryption::Tls(self.host.clone())
        } else {
            Encryption::Plain
        }
    }

    pub(crate) fn unusable(&self, problem: impl Display) -> OriginSetupError {
        OriginSetupError::Endpoint {
            bucket: self.name.clone(),
            problem: problem.to_string(),
        }
    }
}

/// The prefix with the slash before it, encoded as keys are.
fn encode_prefix(prefix: &str) -> Result<String, PathError> {
    let mut raw = String::from("/");
    for byte in prefix.bytes() {
        // The slash is a separator; everything else may be escaped, and parsing decodes it once.
        if byte == b'/' {
            raw.push('/')
        } else {
            raw.push_str(&format!("%{byte:02X}"))
        }
    }
    CanonicalPath::parse(raw).map(|path| path.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(url: &str, prefix: &str) -> Bucket {
        Bucket::at(url, "site", "eu-west-1", prefix).unwrap()
    }

    #[track_caller]
    fn object(bucket: &Bucket, path: &str) -> Option<String> {
        bucket.object_path(&CanonicalPath::parse(path).unwrap())
    }

    #[test]
    fn a_bucket_in_the_host_leaves_the_path_to_the_key() {
        let bucket = bucket("https://site.s3.eu-west-1.amazonaws.com", "");
        assert_eq!((bucket.host(), bucket.port()), ("site.s3.eu-west-1.amazonaws.com", 443));
        assert_eq!(bucket.authority(), "site.s3.eu-west-1.amazonaws.com");
        assert_eq!(
            bucket.encryption(),
            Encryption::Tls("site.s3.eu-west-1.amazonaws.com".into())
        );
        assert_eq!(object(&bucket, "/a%20b+c").as_deref(), Some("/a%20b%2Bc"));
    }

    #[test]
    fn a_bucket_in_the_path_comes_first() {
        let bucket = bucket("http://127.0.0.1:9000/site", "");
        assert_eq!(
            (bucket.host(), bucket.port(), bucket.authority()),
            ("127.0.0.1", 9000, "127.0.0.1:9000")
        );
        assert_eq!(bucket.encryption(), Encryption::Plain);
        assert_eq!(object(&bucket, "/index.html").as_deref(), Some("/site/index.html"));
        assert_eq!(object(&bucket, "//x").as_deref(), Some("/site//x"));
    }

    #[test]
    fn a_prefix_stands_before_every_key() {
        assert_eq!(
            object(&bucket("https://h/site", "v 1/é/"), "/a").as_deref(),
            Some("/site/v%201/%C3%A9/a")
        );
        assert_eq!(object(&bucket("https://h", "v1-"), "/a").as_deref(), Some("/v1-a"));
        assert_eq!(
            object(&bucket("https://h", "100%25/"), "/a").as_deref(),
            Some("/100%2525/a")
        );
    }

    #[test]
    fn no_path_lists_the_bucket() {
        assert_eq!(object(&bucket("https://h", ""), "/"), None);
        assert_eq!(object(&bucket("https://h/site", ""), "/"), None);
        assert_eq!(
            object(&bucket("https://h/site", "v1/"), "/").as_deref(),
            Some("/site/v1/")
        );
    }

    #[test]
    fn an_ipv6_endpoint_keeps_its_brackets_in_the_host_header_only() {
        let bucket = bucket("http://[::1]:9000/site", "");
        assert_eq!((bucket.host(), bucket.authority()), ("::1", "[::1]:9000"));
    }

    #[test]
    fn the_standard_port_is_not_part_of_the_host_header() {
        assert_eq!(bucket("https://h:443/site", "").authority(), "h");
        assert_eq!(bucket("http://h:443/site", "").authority(), "h:443");
    }

    #[test]
    fn urls_and_prefixes_that_lead_astray_are_refused() {
        for (url, prefix) in [
            ("ftp://h", ""),
            ("h", ""),
            ("", ""),
            ("https://h/?list-type=2", ""),
            ("https://h", "a/../b/"),
        ] {
            assert!(Bucket::at(url, "site", "eu-west-1", prefix).is_err(), "{url} {prefix}");
        }
    }
}
