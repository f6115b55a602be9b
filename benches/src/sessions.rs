//! Sessions as a sign-in at Cognito leaves them: almost 5 KB of cookies around an id token that is signed by a
//! key we hold (the one of the core's tests, whose public half is [`jwks`]).

use std::{
    sync::{Arc, mpsc},
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::{Value, json};

use crate::{CLIENT, USER, cookie_header, generator::Cookies, signing_key};

/// The key that signs, as the key set names it.
const KEY_ID: &str = "3u1kQm9pT5s8b0a4vYw7RfZx2LhNcJd6EoGiK+PqUtA=";
/// The user pool.
pub const POOL: &str = "eu-west-1_Ab12Cd34E";
/// Its issuer, and everybody's `iss`.
pub const ISSUER: &str = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12Cd34E";
/// The app client, and everybody's `aud`.
pub const CLIENT_ID: &str = CLIENT;
/// Everybody's user name.
pub const USER_NAME: &str = USER;
/// Longer than any load lasts.
const LIFETIME_SECONDS: u64 = 24 * 3600;
/// Stands for the id token in the cookies around it.
const PLACE: &str = "\u{1}";

/// Whether a session's id token is still good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// For a day.
    Valid,
    /// It ended an hour ago. There is a refresh token.
    Expired,
}

/// The key set that verifies them.
#[must_use]
pub fn jwks() -> Value {
    serde_json::from_str(crate::JWKS).expect("the test keys are JSON")
}

/// Makes sessions.
#[derive(Debug)]
pub struct Minter {
    pair: RsaKeyPair,
    random: SystemRandom,
    now: u64,
    before: Arc<str>,
    after: Arc<str>,
}

impl Default for Minter {
    fn default() -> Self {
        Self::new()
    }
}

impl Minter {
    /// With the present time.
    #[must_use]
    pub fn new() -> Self {
        let around = cookie_header(PLACE);
        let (before, after) = around.split_once(PLACE).expect("the id token is among the cookies");
        Self {
            pair: RsaKeyPair::from_pkcs8(&signing_key()).expect("the test key is PKCS#8"),
            random: SystemRandom::new(),
            now: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs()),
            before: before.into(),
            after: after.into(),
        }
    }

    /// An id token; each serial number has its own.
    #[must_use]
    pub fn id_token(&self, serial: u64, validity: Validity) -> String {
        let began = match validity {
            Validity::Valid => self.now - 60,
            Validity::Expired => self.now - LIFETIME_SECONDS - 3600,
        };
        let header = json!({ "kid": KEY_ID, "alg": "RS256" });
        let claims = json!({
            "sub": USER, "email_verified": true, "iss": ISSUER, "cognito:username": USER,
            "cognito:groups": ["readers", "writers"], "aud": CLIENT, "token_use": "id", "auth_time": began,
            "iat": began, "exp": began + LIFETIME_SECONDS, "jti": format!("{serial:032x}"),
            "origin_jti": "5c1e0a9b-1111-4222-8333-944445555666",
            "event_id": "0d9c8b7a-aaaa-4bbb-8ccc-dddddddddddd", "email": "jane.doe@example.com"
        });
        let message = [header, claims]
            .map(|part| BASE64_URL_SAFE_NO_PAD.encode(part.to_string()))
            .join(".");
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &self.random, message.as_bytes(), &mut signature)
            .expect("the test key signs");
        format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    /// The cookies of a session around that id token.
    #[must_use]
    pub fn cookies(&self, id_token: &str) -> Cookies {
        Cookies([Arc::clone(&self.before), id_token.into(), Arc::clone(&self.after)])
    }

    /// The cookies of a session.
    #[must_use]
    pub fn session(&self, serial: u64, validity: Validity) -> Cookies {
        self.cookies(&self.id_token(serial, validity))
    }

    /// So many valid sessions, in the order of their serial numbers from 0 on. A signature takes most of a
    /// millisecond, so it takes all cores, and `made` is told how many there are now and then.
    #[must_use]
    pub fn sessions(&self, count: usize, made: &mut dyn FnMut(usize)) -> Vec<Cookies> {
        const BATCH: usize = 256;
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let (sender, receiver) = mpsc::sync_channel(threads);
        let mut batches: Vec<Vec<Cookies>> = vec![Vec::new(); count.div_ceil(BATCH)];
        thread::scope(|scope| {
            for thread in 0..threads {
                let sender = sender.clone();
                scope.spawn(move || {
                    for batch in (thread..count.div_ceil(BATCH)).step_by(threads) {
                        let serials = batch * BATCH..count.min((batch + 1) * BATCH);
                        let sessions = serials.map(|serial| self.session(serial as u64, Validity::Valid));
                        // The receiver lives as long as the scope.
                        let _ = sender.send((batch, sessions.collect::<Vec<_>>()));
                    }
                });
            }
            drop(sender);
            let mut total = 0;
            for (batch, sessions) in receiver {
                total += sessions.len();
                batches[batch] = sessions;
                made(total);
            }
        });
        batches.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_of_cognitos_size() {
        let header = Minter::new().session(7, Validity::Valid).header();
        assert!((4_500..5_000).contains(&header.len()), "{}", header.len());
        assert!(header.contains(".idToken=ey"));
    }

    #[test]
    fn sessions_come_in_order_and_differ() {
        let minter = Minter::new();
        let mut told = Vec::new();
        let sessions = minter.sessions(5, &mut |count| told.push(count));
        assert_eq!(told.last(), Some(&5));
        for (serial, session) in sessions.iter().enumerate() {
            assert_eq!(*session, minter.session(serial as u64, Validity::Valid));
            assert!(!sessions[..serial].contains(session));
        }
    }

    #[test]
    fn an_expired_session_ended_an_hour_ago() {
        let minter = Minter::new();
        let token = minter.id_token(1, Validity::Expired);
        let claims = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["exp"], minter.now - 3600);
    }
}
