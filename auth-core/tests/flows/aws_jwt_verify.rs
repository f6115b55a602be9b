//! T-JWT-8: what aws-jwt-verify, AWS's own library, makes of a corpus of tokens, and what the core makes of it.
//!
//! Its verdicts stand in `tests/attacks/aws_jwt_verify.txt`. `tests/tokens` has the library judge the same corpus anew
//! and fails when a verdict is no longer what is written there.

mod corpus;
mod signatures;
mod variants;

use std::{collections::BTreeMap, fs, path::Path};

use auth_core::{Authenticator, Capabilities, Config, Decision, Step, json::Json};
use serde_json::{Value, json};

use self::corpus::{Case, Corpus, Use};
use crate::fixture::{CLIENT, ISSUER, NOW, Rng, config, get_with, json_reply};

const RECORDED: &str = include_str!("../attacks/aws_jwt_verify.txt");

/// Where the verdicts differ on purpose.
struct Difference {
    /// What the names of such tokens begin with: as they stand in the corpus, or with how the token is presented before.
    begin: &'static str,
    accepted: bool,
    /// Why it may stay so.
    #[expect(dead_code, reason = "read by people")]
    why: &'static str,
}

const fn refused(begin: &'static str, why: &'static str) -> Difference {
    Difference {
        begin,
        accepted: false,
        why,
    }
}

const fn accepted(begin: &'static str, why: &'static str) -> Difference {
    Difference {
        begin,
        accepted: true,
        why,
    }
}

const NO_JSON: &str = "JavaScript's parser takes it; no claim that anything is decided by can be such a text or number";
const OTHER_ISSUER: &str =
    "the issuer is one text, compared byte for byte; `issuer` in the configuration names another";
const SUBJECT: &str = "as the reference has it; only the pool's own key signs such a token, and who has no text as \
    subject is nobody to rules, identity headers and renewals";

const DIFFERENT: &[Difference] = &[
    refused("id encoding: padded", "RFC 7515, section 2: base64url without padding"),
    refused("id header: a number beyond all", NO_JSON),
    refused("id payload: a number beyond all", NO_JSON),
    refused("id header: half a surrogate", NO_JSON),
    refused("id payload: half a surrogate", NO_JSON),
    refused("id header: the other half of a surrogate", NO_JSON),
    refused("id payload: the other half of a surrogate", NO_JSON),
    refused("id header: a name that is half a surrogate", NO_JSON),
    refused("id payload: a name that is half a surrogate", NO_JSON),
    refused("id header: 1000 lists deep", "a parser's depth has a bound here"),
    refused("id payload: 1000 lists deep", "a parser's depth has a bound here"),
    refused("id iss: https://issuer-cognito-idp.", OTHER_ISSUER),
    refused("access iss: https://issuer-cognito-idp.", OTHER_ISSUER),
    refused(
        "bearer id exp: not there",
        "a bearer token that never ends is none; a session's is as in the reference",
    ),
    refused("bearer access exp: not there", "a bearer token that never ends is none"),
    refused(
        "id keys: one for nothing that is said",
        "a key counts for signatures only if it says so, as in the reference",
    ),
    accepted(
        "id keys: one with something unknown",
        "RFC 7517, section 4: members that are not understood are passed over",
    ),
    accepted("id sub: ", SUBJECT),
    accepted("access sub: ", SUBJECT),
];

/// Whether the core lets a token pass: in the cookie of a session, or as a bearer token.
fn accepts(case: &Case, as_bearer: bool) -> bool {
    let kind = match case.token_use {
        Use::Id => "id",
        Use::Access => "access",
    };
    let mut all = config(json!({"profile": "enhanced", "jwks": case.jwks}));
    all["enhancements"] = json!({"bearerTokens": {"tokens": [kind]}, "inPlaceRefresh": false});
    let json = Json::parse(all.to_string().as_bytes()).unwrap();
    let auth = Authenticator::new(Config::from_json(&json).unwrap(), Capabilities::PROXY);
    let (field, cookie) = if as_bearer {
        (format!("Bearer {}", case.token), String::new())
    } else {
        (String::new(), format!("ID-TOKEN={}", case.token))
    };
    let fields = [("authorization", field.as_str())];
    let fields: &[_] = if as_bearer { &fields } else { &[] };
    let mut step = get_with(&auth, "/", &[&cookie], fields, NOW);
    while let Step::Call(pending) = step {
        step = pending.resume(Ok(json_reply(&case.jwks)), NOW, &mut Rng);
    }
    matches!(step, Step::Decided(Decision::Forward(_)))
}

/// The corpus for the library, which is in another language.
fn hand_over(corpus: &Corpus) {
    let cases: Vec<Value> = corpus
        .0
        .iter()
        .map(|case| {
            let token_use = format!("{:?}", case.token_use).to_lowercase();
            json!({"name": case.name, "tokenUse": token_use, "token": case.token, "jwks": case.jwks})
        })
        .collect();
    let pool = ISSUER.rsplit_once('/').unwrap().1;
    let all = json!({"userPoolId": pool, "clientId": CLIENT, "now": NOW.as_secs(), "cases": cases});
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tokens.json");
    fs::write(path, all.to_string()).unwrap();
}

#[test]
fn t_jwt_8_aws_jwt_verify_and_the_core_agree_on_every_token_but_those_that_are_named() {
    let corpus = Corpus::new();
    hand_over(&corpus);
    let recorded: BTreeMap<&str, &str> = RECORDED
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('\t'))
        .collect();
    let mut wrong = Vec::new();
    let mut used = vec![false; DIFFERENT.len()];
    for case in &corpus.0 {
        let Some(theirs) = recorded.get(case.name.as_str()) else {
            wrong.push(format!("{}: no verdict is recorded; see tests/tokens", case.name));
            continue;
        };
        let ways: &[bool] = match case.token_use {
            Use::Id => &[false, true],
            Use::Access => &[true],
        };
        for &as_bearer in ways {
            let name = format!("{} {}", if as_bearer { "bearer" } else { "cookie" }, case.name);
            let ours = accepts(case, as_bearer);
            let known = DIFFERENT
                .iter()
                .position(|known| name.starts_with(known.begin) || case.name.starts_with(known.begin));
            let expected = match known {
                Some(at) => {
                    used[at] |= ours != (*theirs == "accepted");
                    DIFFERENT[at].accepted
                }
                None => *theirs == "accepted",
            };
            if ours != expected {
                wrong.push(format!("{name}: theirs {theirs}, we accept: {ours}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        corpus.0.len(),
        wrong.join("\n")
    );
    assert!(used.iter().all(|used| *used), "differences that are none: {used:?}");
    assert_eq!(recorded.len(), corpus.0.len(), "verdicts of tokens that are no more");
    assert!(corpus.0.len() > 500);
}
