//! The Accept-Encoding header: what a viewer takes, and how gladly (RFC 9110, sections 12.4.2 and 12.5.3).

use http::{HeaderMap, header::ACCEPT_ENCODING};

use super::coding::{Coding, Offer};

/// A weight in thousandths; 0 refuses.
type Weight = u16;

const FULL: Weight = 1000;

/// What a viewer accepts. Without the header nothing is asked for, and nothing is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Accepted {
    brotli: Option<Weight>,
    zstd: Option<Weight>,
    gzip: Option<Weight>,
    identity: Option<Weight>,
    /// `*`: what is not named.
    others: Option<Weight>,
}

impl Accepted {
    /// Reads all fields of the header. A member that is malformed is as good as absent; of two members for
    /// one coding the first counts.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut accepted = Self::default();
        for field in headers.get_all(ACCEPT_ENCODING) {
            for member in field.to_str().unwrap_or_default().split(',') {
                if let Some((name, weight)) = parse(member) {
                    accepted.note(name, weight);
                }
            }
        }
        accepted
    }

    /// The coding to send: the one with the greatest weight, of equal ones the one that is offered first.
    /// `None`: no coding, since none is accepted or the viewer would rather have none.
    pub(crate) fn best(self, offer: Offer) -> Option<Coding> {
        let plain = self.identity.unwrap_or_default();
        let mut best = None;
        for &coding in offer.codings() {
            let weight = self.weight(coding);
            if weight > best.map_or(0, |(most, _)| most) {
                best = Some((weight, coding));
            }
        }
        best.filter(|(weight, _)| *weight >= plain).map(|(_, coding)| coding)
    }

    /// Whether that coding is accepted at all.
    pub(crate) fn accepts(self, coding: Coding) -> bool {
        self.weight(coding) > 0
    }

    fn weight(self, coding: Coding) -> Weight {
        let named = match coding {
            Coding::Brotli => self.brotli,
            Coding::Zstd => self.zstd,
            Coding::Gzip => self.gzip,
        };
        named.or(self.others).unwrap_or_default()
    }

    fn note(&mut self, name: &str, weight: Weight) {
        let slot = match Coding::named(name) {
            Some(Coding::Brotli) => &mut self.brotli,
            Some(Coding::Zstd) => &mut self.zstd,
            Some(Coding::Gzip) => &mut self.gzip,
            None if name == "*" => &mut self.others,
            None if name.eq_ignore_ascii_case("identity") => &mut self.identity,
            None => return,
        };
        slot.get_or_insert(weight);
    }
}

/// One member: a coding and its weight.
fn parse(member: &str) -> Option<(&str, Weight)> {
    let (name, weight) = match member.split_once(';') {
        None => (member, FULL),
        Some((name, parameter)) => {
            let (key, value) = parameter.split_once('=')?;
            if !key.trim().eq_ignore_ascii_case("q") {
                return None;
            }
            (name, weight(value.trim())?)
        }
    };
    let name = name.trim();
    (!name.is_empty()).then_some((name, weight))
}

/// `0` to `1`, with up to three decimals.
fn weight(text: &str) -> Option<Weight> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths = format!("{decimals:0<3}").parse::<Weight>().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(FULL),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn accepted(fields: &[&str]) -> Accepted {
        let fields = fields
            .iter()
            .map(|field| (ACCEPT_ENCODING, HeaderValue::from_str(field).unwrap()));
        Accepted::of(&fields.collect())
    }

    #[track_caller]
    fn sends(field: &str, expected: Option<Coding>) {
        assert_eq!(accepted(&[field]).best(Offer::All), expected, "{field}");
    }

    #[test]
    fn a_browser_gets_brotli() {
        sends("gzip, deflate, br, zstd", Some(Coding::Brotli));
        sends("gzip, deflate, br", Some(Coding::Brotli));
        sends("gzip, deflate", Some(Coding::Gzip));
        sends("gzip, zstd", Some(Coding::Zstd));
    }

    #[test]
    fn the_edge_has_no_zstandard() {
        let edge = |field| accepted(&[field]).best(Offer::CloudFront);
        assert_eq!(edge("zstd"), None);
        assert_eq!(edge("zstd, gzip;q=0.1"), Some(Coding::Gzip));
        assert_eq!(edge("gzip, br"), Some(Coding::Brotli));
        assert_eq!(edge("*"), Some(Coding::Brotli));
    }

    #[test]
    fn weights_outrank_our_preference() {
        sends("br;q=0.8, gzip", Some(Coding::Gzip));
        sends("br;q=0.801, gzip;q=0.8", Some(Coding::Brotli));
        sends("gzip;q=0.5,zstd;q=0.9,br;q=0.7", Some(Coding::Zstd));
        sends("gzip;q=1.000, br;q=1", Some(Coding::Brotli));
        sends("gzip ; q=0.4 ,\tbr ;\tQ=0.3", Some(Coding::Gzip));
    }

    #[test]
    fn a_weight_of_zero_refuses() {
        sends("gzip;q=0", None);
        sends("gzip;q=0.000, br;q=0", None);
        sends("gzip;q=0, br", Some(Coding::Brotli));
        sends("*;q=0", None);
        sends("gzip, *;q=0", Some(Coding::Gzip));
        sends("br;q=0, *", Some(Coding::Zstd));
    }

    #[test]
    fn a_viewer_may_prefer_no_coding() {
        sends("identity, gzip;q=0.5", None);
        sends("identity;q=0.5, gzip;q=0.5", Some(Coding::Gzip));
        sends("identity;q=0, gzip;q=0.1", Some(Coding::Gzip));
        sends("identity", None);
        sends("", None);
        assert_eq!(accepted(&[]).best(Offer::All), None);
    }

    #[test]
    fn names_ignore_case_and_know_the_old_gzip() {
        sends("GZIP", Some(Coding::Gzip));
        sends("x-gzip", Some(Coding::Gzip));
        sends("Br", Some(Coding::Brotli));
        sends("gzipped, brotli, compress, deflate", None);
    }

    #[test]
    fn malformed_members_are_ignored() {
        for member in [
            "gzip;q=",
            "gzip;q=1.1",
            "gzip;q=2",
            "gzip;q=-1",
            "gzip;q=0.1234",
            "gzip;q=.5",
            "gzip;level=9",
            "gzip;q",
            "gzip;q=0.5;x=y",
            ";q=1",
            "gz ip",
            "\"gzip\"",
        ] {
            sends(member, None);
            sends(&format!("{member}, br;q=0.2"), Some(Coding::Brotli));
        }
        sends(", ,gzip,", Some(Coding::Gzip));
    }

    #[test]
    fn all_fields_count_and_the_first_member_of_a_coding() {
        assert_eq!(accepted(&["deflate", "gzip"]).best(Offer::All), Some(Coding::Gzip));
        assert_eq!(accepted(&["gzip;q=0", "gzip"]).best(Offer::All), None);
    }

    proptest! {
        #[test]
        fn no_value_breaks_it_and_what_is_sent_is_accepted(field in "[ -~]{0,60}") {
            let accepted = accepted(&[&field]);
            if let Some(coding) = accepted.best(Offer::All) {
                prop_assert!(accepted.accepts(coding));
            }
        }

        #[test]
        fn the_greatest_weight_wins(br in 0u16..=1000, zstd in 0u16..=1000, gzip in 0u16..=1000) {
            let weights = [(br, "br"), (zstd, "zstd"), (gzip, "gzip")];
            let field = weights.map(|(weight, name)| format!("{name};q={}.{:03}", weight / 1000, weight % 1000)).join(",");
            let most = weights.iter().map(|(weight, _)| *weight).max().unwrap();
            match accepted(&[&field]).best(Offer::All) {
                None => prop_assert_eq!(most, 0),
                Some(coding) => {
                    let (weight, _) = weights.iter().find(|(_, name)| *name == coding.as_str()).unwrap();
                    prop_assert_eq!(*weight, most);
                }
            }
        }
    }
}
