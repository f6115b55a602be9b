//! The session that a request brings: which of what it carries counts, and whether it is good.
//!
//! A browser may send several cookies of one name (RFC 6265, section 5.4), of several users, in an order that
//! whoever planted one of them chose. Each is tried, up to a bound; the first that verifies is the session.

use std::{borrow::Cow, sync::Arc};

use super::{
    Enhanced,
    own_cookies::{first_token, is_user, last_users, last_users_token, tokens},
    sealed,
    viewer::Viewer,
};
use crate::{
    Config, Reason, Request, Scheme, Secret, UnixTime,
    authenticator::Authenticator,
    cookie_names::Token,
    cookies::Cookies,
    json::Object,
    jwt::{IdToken, UnverifiedIdToken},
    verification::{Verdict, verify},
};

/// More candidates than any honest browser has; each may cost a signature (T-DOS-6).
const MOST_CANDIDATES: usize = 6;

/// What a request brings.
pub(crate) enum Found {
    /// A good session.
    Valid(Session),
    /// One whose token names a key that is not known and should be fetched.
    KeysDue { token: String, key_id: String },
    /// None that is good.
    Nothing(Reason),
}

/// A good session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) token: Arc<IdToken>,
    /// [`Reason::SessionKnown`] or [`Reason::SessionVerified`].
    pub(crate) reason: Reason,
    /// Whether the viewer's cookies are as they should be.
    pub(crate) order: Order,
}

/// Whether the viewer's cookies are as they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Tidy,
    /// Other cookies stand in the way of the session's own.
    Cluttered,
    /// The session is not sealed, and is to be.
    Unsealed,
}

/// When a session began, and when it was last written. Only a sealed session knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) created: UnixTime,
    pub(crate) seen: UnixTime,
}

/// What a sealed session holds beside the claims.
#[derive(Debug)]
pub(crate) struct Unsealed {
    pub(crate) id_token: Option<Secret<String>>,
    pub(crate) times: Times,
}

/// What a session can be renewed with, whatever its id token is worth by now.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) refresh_token: Secret<String>,
    /// Whose it is said to be: a renewed token of another subject is refused (T-JWT-6).
    pub(crate) subject: Option<String>,
    pub(crate) times: Option<Times>,
    /// What is known of its viewer, where our own seal vouches for it.
    pub(crate) claims: Option<Secret<Object>>,
}

/// Looks for a session. A known one costs a look into the token cache.
pub(crate) fn find(auth: &Authenticator, enhanced: &Enhanced, request: &Request<'_>, now: UnixTime) -> Found {
    let cookies = Cookies::new(request.cookies);
    let sealed = enhanced.sealed.as_ref();
    let text = sealed.and_then(|_| sealed::text(cookies, request.scheme));
    match text.and_then(|text| auth.tokens().get(&text, now)) {
        Some(token) => Found::Valid(Session {
            token,
            reason: Reason::SessionKnown,
            order: Order::Tidy,
        }),
        None => Search::new(auth, enhanced, now).run(cookies, request.scheme),
    }
}

/// A session that was good at that time, whatever it is by now.
pub(crate) fn good_at(
    auth: &Authenticator,
    enhanced: &Enhanced,
    viewer: &Viewer,
    then: UnixTime,
) -> Option<Arc<IdToken>> {
    let scheme = viewer.host.scheme();
    match viewer.with_cookies(|cookies| Search::new(auth, enhanced, then).run(cookies, scheme)) {
        Found::Valid(session) => Some(session.token),
        Found::KeysDue { .. } | Found::Nothing(_) => None,
    }
}

/// What a renewal needs, from the sealed session or else from the tokens' own cookies. `None`: no refresh token.
pub(crate) fn kept(auth: &Authenticator, enhanced: &Enhanced, viewer: &Viewer) -> Option<Kept> {
    viewer.with_cookies(|cookies| {
        let sealed = enhanced.sealed.as_ref().and_then(|sealed| {
            let texts = sealed::texts(cookies, viewer.host.scheme());
            texts
                .iter()
                .find_map(|text| sealed.kept(auth.config(), text, viewer.host.scheme()))
        });
        sealed.or_else(|| kept_in_plain_cookies(auth.config(), enhanced, cookies))
    })
}

/// Every refresh token at hand, of whichever user; those beyond a few are left to expire.
pub(crate) fn refresh_tokens(
    config: &Config,
    enhanced: &Enhanced,
    cookies: Cookies<'_>,
    scheme: Scheme,
) -> Vec<Secret<String>> {
    const MOST: usize = 3;
    let sealed = enhanced.sealed.iter().flat_map(|sealed| {
        let texts = sealed::texts(cookies, scheme);
        let kept = texts.iter().filter_map(|text| sealed.kept(config, text, scheme));
        let kept: Vec<Kept> = kept.collect();
        kept.into_iter().map(|kept| kept.refresh_token)
    });
    let plain = tokens(config, cookies, Token::Refresh).map(|(_, _, value)| Secret::new(value.into_owned()));
    let mut found: Vec<Secret<String>> = Vec::new();
    for token in sealed.chain(plain) {
        if found.len() < MOST && !found.contains(&token) {
            found.push(token);
        }
    }
    found
}

/// The id token at hand, whatever it is worth by now.
pub(crate) fn id_token(
    config: &Config,
    enhanced: &Enhanced,
    cookies: Cookies<'_>,
    scheme: Scheme,
) -> Option<Secret<String>> {
    let sealed = enhanced.sealed.as_ref().and_then(|sealed| {
        let texts = sealed::texts(cookies, scheme);
        texts.iter().find_map(|text| sealed.id_token(config, text, scheme))
    });
    sealed.or_else(|| last_users_token(config, cookies, Token::Id).map(|token| Secret::new(token.into_owned())))
}

fn kept_in_plain_cookies(config: &Config, enhanced: &Enhanced, cookies: Cookies<'_>) -> Option<Kept> {
    let Candidate { user, value, .. } = candidates(config, enhanced, cookies, Token::Refresh)
        .into_iter()
        .next()?;
    let ids = candidates(config, enhanced, cookies, Token::Id);
    let id = ids.iter().find(|candidate| candidate.user == user);
    let decoded = id.and_then(|candidate| UnverifiedIdToken::decode(&candidate.value));
    Some(Kept {
        refresh_token: Secret::new(value.into_owned()),
        subject: decoded.and_then(|decoded| decoded.claim("sub")?.as_str().map(str::to_owned)),
        times: None,
        claims: None,
    })
}

/// One token among the cookies.
struct Candidate<'a> {
    /// The user part of its name.
    user: &'a str,
    value: Cow<'a, str>,
}

/// The token that the cookies' names lead to.
fn named<'a>(config: &Config, enhanced: &Enhanced, cookies: Cookies<'a>, token: Token) -> Option<Cow<'a, str>> {
    if enhanced.hygiene.tries_every_candidate {
        last_users_token(config, cookies, token)
    } else {
        first_token(config, cookies, token)
    }
}

/// The tokens of one kind, those of the last user first. Others' count only where the last user has none of any
/// kind, or where there are several last users: nobody is to become someone else because a session ran out.
fn candidates<'a>(config: &Config, enhanced: &Enhanced, cookies: Cookies<'a>, token: Token) -> Vec<Candidate<'a>> {
    if !enhanced.hygiene.tries_every_candidate {
        return named(config, enhanced, cookies, token)
            .map(|value| Candidate { user: "", value })
            .into_iter()
            .collect();
    }
    let last = last_users(config, cookies);
    let is_last = |part: &str| last.iter().any(|user| is_user(part, user));
    let last_has_any = Token::ALL
        .iter()
        .any(|&token| tokens(config, cookies, token).any(|(_, user, _)| is_last(user)));
    let mut found: Vec<Candidate<'a>> = Vec::new();
    for others in [false, true] {
        for (_, user, value) in tokens(config, cookies, token).filter(|(_, user, _)| is_last(user) != others) {
            if !found.iter().any(|known| known.value == value) && found.len() < MOST_CANDIDATES {
                found.push(Candidate { user, value });
            }
        }
        if last_has_any {
            break;
        }
    }
    found
}

/// A look at every candidate, for the first that is good.
struct Search<'a> {
    auth: &'a Authenticator,
    enhanced: &'a Enhanced,
    now: UnixTime,
    /// The first for which keys are due.
    due: Option<(String, String)>,
    reason: Option<Reason>,
}

impl<'a> Search<'a> {
    const fn new(auth: &'a Authenticator, enhanced: &'a Enhanced, now: UnixTime) -> Self {
        Self {
            auth,
            enhanced,
            now,
            due: None,
            reason: None,
        }
    }

    fn run(mut self, cookies: Cookies<'_>, scheme: Scheme) -> Found {
        if let Some(sealed) = &self.enhanced.sealed {
            let texts = sealed::texts(cookies, scheme);
            for text in &texts {
                match sealed.find(self.auth, text, scheme, self.now) {
                    Ok(session) => return Found::Valid(session),
                    Err(reason) => self.note(reason),
                }
            }
        }
        // Told from its name alone: to gather all others takes several looks at all cookies.
        let named = named(self.auth.config(), self.enhanced, cookies, Token::Id);
        if let Some((token, reason)) = named.as_deref().and_then(|value| self.judge(value)) {
            let order = self.order(Order::Tidy);
            return Found::Valid(Session { token, reason, order });
        }
        let most = MOST_CANDIDATES - usize::from(named.is_some());
        let candidates = candidates(self.auth.config(), self.enhanced, cookies, Token::Id).into_iter();
        let others = candidates
            .map(|other| other.value)
            .filter(|other| named.as_ref() != Some(other));
        for value in others.take(most) {
            if let Some((token, reason)) = self.judge(&value) {
                let order = self.order(Order::Cluttered);
                return Found::Valid(Session { token, reason, order });
            }
        }
        match (self.due, self.reason) {
            (Some((token, key_id)), _) => Found::KeysDue { token, key_id },
            (None, reason) => Found::Nothing(reason.unwrap_or(Reason::SessionAbsent)),
        }
    }

    fn judge(&mut self, value: &str) -> Option<(Arc<IdToken>, Reason)> {
        match verify(self.auth, value, self.now) {
            Verdict::Passed(token, reason) => return Some((token, reason)),
            Verdict::KeysDue { key_id } => {
                self.due.get_or_insert_with(|| (value.to_owned(), key_id));
            }
            Verdict::Rejected(reason) => self.note(reason),
        }
        None
    }

    /// What is told of several bad ones: the first whose signature was right, else the first.
    fn note(&mut self, reason: Reason) {
        let is_genuine = |reason| matches!(reason, Reason::SessionExpired | Reason::GroupRequired);
        match self.reason {
            None => self.reason = Some(reason),
            Some(known) if !is_genuine(known) && is_genuine(reason) => self.reason = Some(reason),
            Some(_) => {}
        }
    }

    /// Of a session in plain cookies that are so.
    const fn order(&self, plain: Order) -> Order {
        match self.enhanced.sealed {
            Some(_) => Order::Unsealed,
            None => plain,
        }
    }
}

impl Session {
    pub(crate) const fn verified(token: Arc<IdToken>) -> Self {
        Self {
            token,
            reason: Reason::SessionVerified,
            order: Order::Tidy,
        }
    }

    /// One whose token has come from the provider just now.
    pub(crate) const fn renewed(token: Arc<IdToken>) -> Self {
        Self {
            token,
            reason: Reason::Refreshed,
            order: Order::Tidy,
        }
    }

    /// One that passes only because the provider cannot be asked for another.
    pub(crate) const fn kept(token: Arc<IdToken>) -> Self {
        Self {
            token,
            reason: Reason::SessionInGrace,
            order: Order::Tidy,
        }
    }

    /// When it began and was last written, where that is known.
    pub(crate) fn times(&self) -> Option<Times> {
        self.token.unsealed.as_ref().map(|unsealed| unsealed.times)
    }
}
