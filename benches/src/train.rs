//! `train`: lets a proxy do each kind of its work for a while, for a build that is guided by profiles.
//!
//! Such a build takes two passes (`scripts/static-build.sh trained`). The program of the first one counts how often
//! each of its branches is taken, and writes that down when it ends; the second one lays out code by these counts.
//! What comes up in no lesson counts as never used and is built for room instead of speed, so whatever a request may
//! pass through belongs here. The counts of all lessons are added up: work that loops over every byte of a body gets
//! few requests, or nothing beside it would count.

use std::{
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::Args;
use serde_json::{Value, json};
use thiserror::Error;

use crate::{
    generator::{
        Cookies, Expected, Generator, GeneratorError, Mix, Phase, Protocol, Request, Share, Size, Target, TargetError,
    },
    origin::{self, Origin, OriginError},
    portcullis::{self, Portcullis, PortcullisError, SignIn},
    provider::{Provider, ProviderError},
    sessions::{Minter, Validity},
};

/// Sessions that come again and again.
const FAMILIAR: u64 = 64;
/// Connections at a time.
const CONNECTIONS: usize = 32;
/// Requests at a time on one of HTTP/2.
const STREAMS: usize = 4;

/// Who is to be trained, and how long.
#[derive(Args, Clone, Debug)]
pub struct Arguments {
    /// The proxy's program; without it, this one takes its part
    #[arg(long, value_name = "FILE", env = "PORTCULLIS")]
    proxy: Option<PathBuf>,
    /// Requests of a lesson; those on large bodies and compression take fewer
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..), value_name = "NUMBER")]
    requests: u64,
}

/// Why it has not been trained.
#[derive(Debug, Error)]
enum TrainError {
    #[error("make a folder for the servers' files: {0}")]
    Folder(io::Error),
    #[error(transparent)]
    Origin(#[from] OriginError),
    #[error(transparent)]
    Provider(#[from] ProviderError),
    #[error(transparent)]
    Portcullis(#[from] PortcullisError),
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error("the proxy does not say where it listens")]
    NoAddress,
    #[error("{lesson}: {source}")]
    Generator {
        lesson: &'static str,
        source: GeneratorError,
    },
    #[error("{lesson}: {wrong} of {requests} requests were answered wrongly or not at all: {statuses}")]
    Wrong {
        lesson: &'static str,
        wrong: u64,
        requests: u64,
        statuses: String,
    },
    #[error("{0}: the proxy did not compress")]
    Plain(&'static str),
}

/// The sites of the proxy, each a host of that name.
const SITES: [&str; 4] = ["plain", "cached", "compressed", "bucket"];

/// One kind of work.
#[derive(Clone, Copy)]
struct Lesson {
    name: &'static str,
    site: &'static str,
    protocol: Protocol,
    tls: bool,
    /// A header of each request.
    header: Option<(&'static str, &'static str)>,
    viewers: Viewers,
    path: &'static str,
    status: u16,
    /// One request for so many of the others.
    share: u64,
}

/// Who asks.
#[derive(Clone, Copy)]
enum Viewers {
    /// Those who are signed in.
    Familiar,
    /// Of six one whose session has ended, and one without any.
    Mixed,
    /// Each of them for the first time.
    New,
}

/// What other lessons differ from.
const USUAL: Lesson = Lesson {
    name: "HTTP/1.1",
    site: "plain",
    protocol: Protocol::Http1,
    tls: false,
    header: None,
    viewers: Viewers::Mixed,
    path: origin::SMALL,
    status: 200,
    share: 1,
};

const LESSONS: [Lesson; 16] = [
    USUAL,
    Lesson {
        name: "HTTP/1.1, large",
        path: origin::MEDIUM,
        share: 4,
        ..USUAL
    },
    Lesson {
        name: "HTTP/1.1, not modified",
        header: Some(("if-none-match", origin::ETAG)),
        status: 304,
        viewers: Viewers::Familiar,
        share: 4,
        ..USUAL
    },
    Lesson {
        name: "TLS",
        tls: true,
        ..USUAL
    },
    Lesson {
        name: "TLS, large",
        tls: true,
        path: origin::MEDIUM,
        share: 16,
        ..USUAL
    },
    Lesson {
        name: "HTTP/2",
        protocol: Protocol::Http2,
        tls: true,
        ..USUAL
    },
    Lesson {
        name: "HTTP/2, large",
        protocol: Protocol::Http2,
        tls: true,
        path: origin::MEDIUM,
        share: 16,
        ..USUAL
    },
    Lesson {
        name: "new sessions",
        viewers: Viewers::New,
        share: 4,
        ..USUAL
    },
    Lesson {
        name: "cache",
        site: "cached",
        ..USUAL
    },
    Lesson {
        name: "cache, large",
        site: "cached",
        path: origin::MEDIUM,
        share: 4,
        ..USUAL
    },
    Lesson {
        name: "cache, HTTP/2",
        site: "cached",
        protocol: Protocol::Http2,
        tls: true,
        share: 4,
        ..USUAL
    },
    Lesson {
        name: "cache, not modified",
        site: "cached",
        header: Some(("if-none-match", origin::ETAG)),
        status: 304,
        viewers: Viewers::Familiar,
        share: 4,
        ..USUAL
    },
    Lesson {
        name: "S3",
        site: "bucket",
        ..USUAL
    },
    Lesson {
        name: "Brotli",
        header: Some(("accept-encoding", "gzip, deflate, br")),
        ..COMPRESSED
    },
    Lesson {
        name: "Zstandard",
        header: Some(("accept-encoding", "gzip, zstd")),
        ..COMPRESSED
    },
    Lesson {
        name: "gzip",
        header: Some(("accept-encoding", "gzip")),
        ..COMPRESSED
    },
];

const COMPRESSED: Lesson = Lesson {
    site: "compressed",
    path: origin::TEXT,
    viewers: Viewers::Familiar,
    share: 200,
    ..USUAL
};

/// Trains, and tells on standard error how far it is. Exit code 1: it could not, or an answer was wrong.
#[must_use]
pub fn run(arguments: &Arguments) -> ExitCode {
    match train(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&format!("benches: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn tell(line: &str) {
    // Nobody is left to tell if standard error is closed.
    let _ = writeln!(io::stderr(), "{line}");
}

fn train(arguments: &Arguments) -> Result<(), TrainError> {
    let folder = portcullis::scratch().map_err(TrainError::Folder)?;
    let origin = Origin::start(origin::Kind::BuiltIn, folder.path())?;
    let provider = Provider::start()?;
    let mut configuration = configuration(&origin, &provider);
    let certificate = portcullis::add_tls(&mut configuration, folder.path())?;
    let program = arguments.proxy.as_deref();
    let proxy = Portcullis::start(program, &configuration, folder.path(), "portcullis")?;
    let minter = Minter::new();
    for lesson in LESSONS {
        let requests = arguments.requests.div_ceil(lesson.share);
        tell(&format!("{}: {requests} requests", lesson.name));
        let address = if lesson.tls { proxy.https } else { proxy.http };
        let plain = Target {
            protocol: lesson.protocol,
            ..Target::plain(address.ok_or(TrainError::NoAddress)?, &host(lesson.site))
        };
        let mut target = match lesson.tls {
            true => plain.with_tls(portcullis::HOST, Some(&certificate.cert))?,
            false => plain,
        };
        let header = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        target.headers.extend(lesson.header.map(header));
        teach(lesson, target, mix(lesson, &minter, requests), requests)?;
    }
    Ok(())
}

fn host(site: &str) -> String {
    format!("{site}.{}", portcullis::HOST)
}

/// The usual site's, with another origin or more to do in each of the others. The access log is on, as it is by
/// default.
fn configuration(origin: &Origin, provider: &Provider) -> Value {
    let mut configuration = portcullis::configuration(origin.address, 1, SignIn::Required);
    provider.enter(&mut configuration["sites"][0]["auth"]);
    let usual = configuration["sites"][0].clone();
    let sites = SITES.map(|name| {
        let mut site = usual.clone();
        site["name"] = json!(name);
        site["hosts"] = json!([host(name)]);
        match name {
            "cached" => site["cache"] = json!({ "enabled": true }),
            "compressed" => site["compress"] = json!(true),
            "bucket" => {
                site["origin"] = json!({
                    "kind": "s3", "bucket": "content", "region": "eu-west-1", "path_style": true,
                    "endpoint": format!("http://{}", origin.address),
                    // The origin here asks for none.
                    "access_key_id": "AKIAEXAMPLE", "secret_access_key": "example",
                });
            }
            _ => {}
        }
        site
    });
    configuration["sites"] = json!(sites);
    if let Some(keys) = configuration.as_object_mut() {
        keys.remove("access_log");
    }
    configuration
}

fn mix(lesson: Lesson, minter: &Minter, requests: u64) -> Mix {
    let get = |cookies: Cookies| Request::get(lesson.path).cookies(cookies);
    let share = |name: &str, weight, requests, expected| Share {
        name: name.to_owned(),
        weight,
        requests,
        expected,
    };
    let right = Expected::Status(lesson.status);
    let familiar = || (0..FAMILIAR).map(|number| minter.session(u64::MAX - number, Validity::Valid));
    match lesson.viewers {
        Viewers::Familiar => Mix::new(vec![share("valid", 1, familiar().map(get).collect(), right)]),
        Viewers::Mixed => Mix::new(vec![
            share("valid", 4, familiar().map(get).collect(), right),
            share(
                "expired",
                1,
                vec![get(minter.session(0, Validity::Expired))],
                Expected::Redirect,
            ),
            share("anonymous", 1, vec![get(Cookies::default())], Expected::Redirect),
        ]),
        Viewers::New => {
            let count = usize::try_from(requests).unwrap_or(usize::MAX);
            let new = minter.sessions(count, &mut |_| ());
            Mix::new(vec![share("distinct", 1, new.into_iter().map(get).collect(), right)])
        }
    }
}

fn teach(lesson: Lesson, target: Target, mix: Mix, requests: u64) -> Result<(), TrainError> {
    let failed = |source| TrainError::Generator {
        lesson: lesson.name,
        source,
    };
    let streams = match lesson.protocol {
        Protocol::Http2 => STREAMS,
        Protocol::Http1 => 1,
    };
    let size = Size {
        connections: CONNECTIONS / streams,
        streams,
        threads: 1,
    };
    let mut generator = Generator::connect(target, mix, size).map_err(failed)?;
    let measured = generator.run(Phase::requests(requests)).map_err(failed)?;
    let wrong = measured.wrong();
    if wrong > 0 {
        return Err(TrainError::Wrong {
            lesson: lesson.name,
            wrong,
            requests,
            statuses: format!("{:?}, {:?}", measured.statuses, measured.failures),
        });
    }
    if lesson.path == origin::TEXT && measured.body_bytes >= measured.answered * origin::text().len() as u64 / 2 {
        return Err(TrainError::Plain(lesson.name));
    }
    Ok(())
}
