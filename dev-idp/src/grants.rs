//! What the provider remembers: codes, hosted-UI sessions, refresh tokens, revoked families.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::claims::SignIn;
use crate::clock::{UnixSeconds, after};
use crate::random;
use crate::settings::{Lifetimes, RefreshRotation};

/// How long an authorization code can be redeemed, as at Cognito.
const CODE_SECONDS: u64 = 300;
/// How long a hosted-UI session lasts, as at Cognito.
const SESSION_SECONDS: u64 = 3600;

/// An authorization code's meaning.
#[derive(Clone, Debug)]
pub(crate) struct CodeGrant {
    pub(crate) sign_in: SignIn,
    pub(crate) redirect_uri: String,
    /// S256 challenge (RFC 7636, 4.2), if the request sent one.
    pub(crate) challenge: Option<String>,
}

/// A browser signed in at the hosted UI.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) username: String,
    pub(crate) auth_time: UnixSeconds,
}

#[derive(Debug)]
struct Entry<T> {
    value: T,
    expires: UnixSeconds,
}

#[derive(Debug, Default)]
struct Store {
    codes: HashMap<String, Entry<CodeGrant>>,
    sessions: HashMap<String, Entry<Session>>,
    refresh_tokens: HashMap<String, Entry<SignIn>>,
    revoked_families: HashSet<String>,
}

/// The store behind its lock.
#[derive(Debug, Default)]
pub(crate) struct Grants(Mutex<Store>);

impl Grants {
    /// A new authorization code.
    pub(crate) fn issue_code(&self, grant: CodeGrant, now: UnixSeconds) -> String {
        let code = random::uuid();
        insert(
            &mut self.store().codes,
            code.clone(),
            grant,
            after(now, CODE_SECONDS),
            now,
        );
        code
    }

    /// Takes a code out: it is spent whatever comes of the attempt (RFC 6749, 4.1.2).
    pub(crate) fn redeem_code(&self, code: &str, now: UnixSeconds) -> Option<CodeGrant> {
        let entry = self.store().codes.remove(code)?;
        (now < entry.expires).then_some(entry.value)
    }

    /// A new hosted-UI session's id.
    pub(crate) fn open_session(&self, username: &str, now: UnixSeconds) -> String {
        let id = random::secret();
        let session = Session {
            username: username.to_owned(),
            auth_time: now,
        };
        insert(
            &mut self.store().sessions,
            id.clone(),
            session,
            after(now, SESSION_SECONDS),
            now,
        );
        id
    }

    pub(crate) fn session(&self, id: &str, now: UnixSeconds) -> Option<Session> {
        let store = self.store();
        store
            .sessions
            .get(id)
            .filter(|entry| now < entry.expires)
            .map(|entry| entry.value.clone())
    }

    pub(crate) fn close_session(&self, id: &str) {
        self.store().sessions.remove(id);
    }

    /// A new refresh token for a sign-in.
    pub(crate) fn issue_refresh_token(&self, sign_in: SignIn, lifetimes: Lifetimes, now: UnixSeconds) -> String {
        let token = random::refresh_token();
        let expires = after(now, lifetimes.refresh_seconds);
        insert(&mut self.store().refresh_tokens, token.clone(), sign_in, expires, now);
        token
    }

    /// The sign-in behind a refresh token that is known, current and not revoked.
    pub(crate) fn refresh_token(&self, token: &str, now: UnixSeconds) -> Option<SignIn> {
        let store = self.store();
        let entry = store.refresh_tokens.get(token).filter(|entry| now < entry.expires)?;
        let revoked = store.revoked_families.contains(&entry.value.origin_jti);
        (!revoked).then(|| entry.value.clone())
    }

    /// Replaces a used refresh token if the pool rotates them: the new one lives as long as the old one would have.
    pub(crate) fn rotate_refresh_token(
        &self,
        token: &str,
        rotation: RefreshRotation,
        now: UnixSeconds,
    ) -> Option<String> {
        let RefreshRotation::On { grace_seconds } = rotation else {
            return None;
        };
        let mut store = self.store();
        let old = store.refresh_tokens.get_mut(token)?;
        let (sign_in, expires) = (old.value.clone(), old.expires);
        old.expires = expires.min(after(now, grace_seconds));
        let token = random::refresh_token();
        insert(&mut store.refresh_tokens, token.clone(), sign_in, expires, now);
        Some(token)
    }

    /// Ends a sign-in: its refresh tokens and, at userInfo, its access tokens.
    pub(crate) fn revoke_family(&self, origin_jti: String) {
        self.store().revoked_families.insert(origin_jti);
    }

    pub(crate) fn is_revoked(&self, origin_jti: &str) -> bool {
        self.store().revoked_families.contains(origin_jti)
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Inserts, and sweeps what has expired each time the map has doubled.
fn insert<T>(map: &mut HashMap<String, Entry<T>>, key: String, value: T, expires: UnixSeconds, now: UnixSeconds) {
    if map.len().is_power_of_two() {
        map.retain(|_, entry| now < entry.expires);
    }
    map.insert(key, Entry { value, expires });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code_grant() -> CodeGrant {
        CodeGrant {
            sign_in: SignIn::new("alice", "web", "openid", 1000),
            redirect_uri: "https://app.example/".into(),
            challenge: None,
        }
    }

    #[test]
    fn a_code_is_redeemed_once() {
        let grants = Grants::default();
        let code = grants.issue_code(code_grant(), 1000);
        assert!(grants.redeem_code(&code, 1001).is_some());
        assert!(grants.redeem_code(&code, 1001).is_none());
    }

    #[test]
    fn a_code_expires_after_five_minutes() {
        let grants = Grants::default();
        let code = grants.issue_code(code_grant(), 1000);
        assert!(grants.redeem_code(&code, 1300).is_none());
        let code = grants.issue_code(code_grant(), 1000);
        assert!(grants.redeem_code(&code, 1299).is_some());
    }

    #[test]
    fn expired_entries_do_not_pile_up() {
        let grants = Grants::default();
        for round in 0..100 {
            grants.issue_code(code_grant(), round * 301);
        }
        assert!(grants.store().codes.len() < 5);
    }

    #[test]
    fn a_rotated_token_works_through_its_grace_period() {
        let grants = Grants::default();
        let lifetimes = Lifetimes::default();
        let first = grants.issue_refresh_token(SignIn::new("alice", "web", "openid", 0), lifetimes, 0);
        let second = grants
            .rotate_refresh_token(&first, RefreshRotation::On { grace_seconds: 10 }, 100)
            .unwrap();
        assert!(grants.refresh_token(&first, 109).is_some());
        assert!(grants.refresh_token(&first, 110).is_none());
        assert!(grants.refresh_token(&second, 110).is_some());
    }

    #[test]
    fn revocation_reaches_every_token_of_the_family() {
        let grants = Grants::default();
        let sign_in = SignIn::new("alice", "web", "openid", 0);
        let first = grants.issue_refresh_token(sign_in.clone(), Lifetimes::default(), 0);
        let second = grants
            .rotate_refresh_token(&first, RefreshRotation::On { grace_seconds: 60 }, 0)
            .unwrap();
        grants.revoke_family(sign_in.origin_jti);
        assert!(grants.refresh_token(&first, 1).is_none());
        assert!(grants.refresh_token(&second, 1).is_none());
    }
}
