//! One request as a line. What a viewer sent is escaped, so that nobody can write a line of their own; queries
//! are left out, in `Referer` too, since codes and tokens travel there.

use std::{fmt::Write as _, net::IpAddr};

use time::OffsetDateTime;

use crate::config::AccessForm;

/// Everything that a line may say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    pub(super) now: OffsetDateTime,
    pub(super) id: &'a str,
    pub(super) site: &'a str,
    pub(super) client: Option<IpAddr>,
    pub(super) method: &'a str,
    pub(super) host: &'a [u8],
    pub(super) path: &'a str,
    pub(super) version: &'a str,
    pub(super) scheme: &'a str,
    pub(super) status: u16,
    pub(super) decision: &'a str,
    pub(super) reason: &'a str,
    pub(super) micros: u64,
    pub(super) bytes: u64,
    pub(super) referer: &'a [u8],
    pub(super) agent: &'a [u8],
}

/// The names of the fields below, as CloudFront's standard logs begin.
pub(super) const CLOUDFRONT_HEAD: &str = "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method \
    cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type \
    x-edge-request-id x-host-header cs-protocol cs-bytes time-taken\n";

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

impl Entry<'_> {
    /// The line with its end; empty where there is none.
    pub(super) fn line(&self, form: AccessForm) -> String {
        match form {
            AccessForm::Json => self.json(),
            AccessForm::Combined => self.combined(),
            AccessForm::CloudFront => self.cloudfront(),
            AccessForm::Event | AccessForm::Off => String::new(),
        }
    }

    fn client(&self) -> String {
        self.client.map_or_else(|| "-".to_owned(), |client| client.to_string())
    }

    fn json(&self) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (date, time) = self.date_and_time();
        let mut line = serde_json::json!({
            "time": format!("{date}T{time}Z"),
            "request_id": self.id,
            "site": self.site,
            "client": self.client.map(|client| client.to_string()),
            "method": self.method,
            "host": text(self.host),
            "path": self.path,
            "protocol": self.version,
            "scheme": self.scheme,
            "status": self.status,
            "decision": self.decision,
            "reason": self.reason,
            "duration_us": self.micros,
            "bytes": self.bytes,
            "referer": text(without_query(self.referer)),
            "user_agent": text(self.agent),
        })
        .to_string();
        line.push('\n');
        line
    }

    fn combined(&self) -> String {
        let now = self.now;
        let month = MONTHS
            .get(usize::from(u8::from(now.month())) - 1)
            .copied()
            .unwrap_or("-");
        format!(
            "{} - - [{:02}/{month}/{:04}:{:02}:{:02}:{:02} +0000] \"{} {} {}\" {} {} \"{}\" \"{}\"\n",
            self.client(),
            now.day(),
            now.year(),
            now.hour(),
            now.minute(),
            now.second(),
            quoted(self.method.as_bytes()),
            quoted(self.path.as_bytes()),
            self.version,
            self.status,
            self.bytes,
            quoted(without_query(self.referer)),
            quoted(self.agent),
        )
    }

    fn cloudfront(&self) -> String {
        let (date, time) = self.date_and_time();
        let host = encoded(self.host);
        format!(
            "{date}\t{time}\t-\t{}\t{}\t{}\t{host}\t{}\t{}\t{}\t{}\t-\t-\t{}\t{}\t{host}\t{}\t-\t{}.{:03}\n",
            self.bytes,
            self.client(),
            encoded(self.method.as_bytes()),
            encoded(self.path.as_bytes()),
            self.status,
            encoded(without_query(self.referer)),
            encoded(self.agent),
            self.decision,
            self.id,
            self.scheme,
            self.micros / 1_000_000,
            self.micros / 1000 % 1000,
        )
    }

    fn date_and_time(&self) -> (String, String) {
        let now = self.now;
        (
            format!("{:04}-{:02}-{:02}", now.year(), u8::from(now.month()), now.day()),
            format!("{:02}:{:02}:{:02}", now.hour(), now.minute(), now.second()),
        )
    }
}

fn without_query(url: &[u8]) -> &[u8] {
    url.split(|byte| matches!(byte, b'?' | b'#')).next().unwrap_or_default()
}

/// For a place between quotation marks; `-` for nothing.
fn quoted(bytes: &[u8]) -> String {
    escaped(
        bytes,
        |byte| (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\',
        "\\x",
    )
}

/// For a place between tabs; `-` for nothing.
fn encoded(bytes: &[u8]) -> String {
    escaped(bytes, |byte| byte.is_ascii_graphic() && !b"\"\\%".contains(&byte), "%")
}

fn escaped(bytes: &[u8], plain: impl Fn(u8) -> bool, sign: &str) -> String {
    if bytes.is_empty() {
        return "-".to_owned();
    }
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        if plain(byte) {
            text.push(char::from(byte));
        } else {
            // Writing to memory does not fail.
            let _ = write!(text, "{sign}{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry<'static> {
        Entry {
            now: OffsetDateTime::from_unix_timestamp(971_186_136).unwrap(),
            id: "id-1",
            site: "app",
            client: Some("192.0.2.7".parse().unwrap()),
            method: "GET",
            host: b"app.example.com",
            path: "/a b",
            version: "HTTP/1.1",
            scheme: "https",
            status: 200,
            decision: "forward",
            reason: "session",
            micros: 12_345,
            bytes: 2326,
            referer: b"https://app.example.com/cb?code=secret",
            agent: b"Agent \"x\"\n\xff",
        }
    }

    #[test]
    fn a_line_is_one_line_whatever_a_viewer_sends_and_has_no_query() {
        assert_eq!(
            entry().line(AccessForm::Combined),
            "192.0.2.7 - - [10/Oct/2000:13:55:36 +0000] \"GET /a b HTTP/1.1\" 200 2326 \
             \"https://app.example.com/cb\" \"Agent \\x22x\\x22\\x0A\\xFF\"\n"
        );
        let fields = entry().line(AccessForm::CloudFront);
        assert_eq!(
            fields,
            "2000-10-10\t13:55:36\t-\t2326\t192.0.2.7\tGET\tapp.example.com\t/a%20b\t200\t\
             https://app.example.com/cb\tAgent%20%22x%22%0A%FF\t-\t-\tforward\tid-1\tapp.example.com\thttps\t-\t0.012\n"
        );
        let named = CLOUDFRONT_HEAD.lines().last().unwrap().split_whitespace().count() - 1;
        assert_eq!(fields.split('\t').count(), named);
        let json: serde_json::Value = serde_json::from_str(&entry().line(AccessForm::Json)).unwrap();
        assert_eq!(json["time"], "2000-10-10T13:55:36Z");
        assert_eq!(json["referer"], "https://app.example.com/cb");
        assert!(!json.to_string().contains("secret"));
    }
}
