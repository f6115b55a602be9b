//! The mix of requests that the command line asks for.

use std::{fs, io, path::Path};

use thiserror::Error;

use super::{
    arguments::{AmountArguments, Kind, Statuses},
    progress::Progress,
};
use crate::{
    generator::{Cookies, Expected, Mix, Request, Share},
    sessions::{Minter, Validity},
};

/// Sessions of `valid` and `large`: a few viewers that come again and again.
const FAMILIAR: usize = 64;

/// Why there is no mix.
#[derive(Debug, Error)]
pub(super) enum KindError {
    #[error("read {file}: {source}")]
    File { file: String, source: io::Error },
    #[error("{0} holds no Cookie header")]
    NoCookies(String),
    #[error("{0} needs sessions: with --url, give --cookie-file")]
    NoSessions(&'static str),
    #[error("expired needs a proxy that is started here: nobody else has the key of such sessions")]
    Expired,
}

/// Where sessions come from.
pub(super) enum Source {
    /// We sign them.
    Minted(Box<Minter>),
    /// Somebody else's.
    Given(Vec<Cookies>),
}

impl Source {
    /// Those of a file, a Cookie header a line.
    pub(super) fn read(file: Option<&Path>) -> Result<Self, KindError> {
        let Some(file) = file else {
            return Ok(Self::Given(Vec::new()));
        };
        let name = || file.display().to_string();
        let text = fs::read_to_string(file).map_err(|source| KindError::File { file: name(), source })?;
        let sessions = cookie_lines(&text);
        if sessions.is_empty() {
            return Err(KindError::NoCookies(name()));
        }
        Ok(Self::Given(sessions))
    }

    /// The sessions of a kind; those of `valid` are not those of `distinct`.
    fn sessions(&self, kind: Kind, distinct: usize, progress: &mut Progress) -> Result<Vec<Cookies>, KindError> {
        match (self, kind) {
            (_, Kind::Anonymous) => Ok(vec![Cookies::default()]),
            (Self::Given(_), Kind::Expired) => Err(KindError::Expired),
            (Self::Given(given), _) if given.is_empty() => Err(KindError::NoSessions(kind.name())),
            (Self::Given(given), _) => Ok(given.clone()),
            (Self::Minted(minter), Kind::Distinct) => {
                Ok(minter.sessions(distinct, &mut |made| progress.count("signing sessions", made, distinct)))
            }
            (Self::Minted(minter), Kind::Expired) => Ok(vec![minter.session(0, Validity::Expired)]),
            (Self::Minted(minter), Kind::Valid | Kind::Large) => {
                let serials = (0..FAMILIAR as u64).map(|number| u64::MAX - number);
                Ok(serials.map(|serial| minter.session(serial, Validity::Valid)).collect())
            }
        }
    }
}

fn cookie_lines(text: &str) -> Vec<Cookies> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let value = |line: &str| {
        let named = line.get(..7).is_some_and(|name| name.eq_ignore_ascii_case("cookie:"));
        Cookies::fixed(if named { line[7..].trim() } else { line })
    };
    lines.map(value).collect()
}

/// The mix.
pub(super) fn mix(
    amount: &AmountArguments,
    open: bool,
    source: &Source,
    progress: &mut Progress,
) -> Result<Mix, KindError> {
    let mut shares = Vec::new();
    for &(kind, weight) in amount.mix.0.iter().filter(|(_, weight)| *weight > 0) {
        let target = match kind {
            Kind::Large => &amount.large_path,
            _ => &amount.path,
        };
        let request = Request::get(target);
        let sessions = source.sessions(kind, amount.sessions, progress)?;
        shares.push(Share {
            name: kind.name().to_owned(),
            weight,
            requests: sessions
                .into_iter()
                .map(|cookies| request.clone().cookies(cookies))
                .collect(),
            expected: expected(kind, open, amount.expect.as_ref()),
        });
    }
    Ok(Mix::new(shares))
}

fn expected(kind: Kind, open: bool, statuses: Option<&Statuses>) -> Expected {
    let given = statuses.and_then(|statuses| statuses.0.iter().find(|(named, _)| *named == kind));
    match given {
        Some((_, status)) => Expected::Status(*status),
        None if open => Expected::Status(200),
        None => kind.usual_answer(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_file_may_have_the_headers_name_or_not() {
        let found = cookie_lines("a=1; b=2\n\nCookie: c=3\r\ncookie:d=4\n");
        let values: Vec<String> = found.iter().map(Cookies::header).collect();
        assert_eq!(values, ["a=1; b=2", "c=3", "d=4"]);
    }

    #[test]
    fn statuses_can_be_expected_otherwise() {
        let statuses: Statuses = "anonymous=302".parse().unwrap();
        assert_eq!(expected(Kind::Anonymous, false, Some(&statuses)), Expected::Status(302));
        assert_eq!(expected(Kind::Anonymous, false, None), Expected::Redirect);
        assert_eq!(expected(Kind::Anonymous, true, None), Expected::Status(200));
        assert_eq!(expected(Kind::Valid, false, Some(&statuses)), Expected::Status(200));
    }

    #[test]
    fn others_sessions_cannot_be_made_up() {
        let mut progress = Progress::new();
        let none = Source::Given(Vec::new());
        assert!(matches!(
            none.sessions(Kind::Valid, 1, &mut progress),
            Err(KindError::NoSessions("valid"))
        ));
        assert!(matches!(
            none.sessions(Kind::Expired, 1, &mut progress),
            Err(KindError::Expired)
        ));
        assert_eq!(none.sessions(Kind::Anonymous, 1, &mut progress).unwrap().len(), 1);
    }
}
