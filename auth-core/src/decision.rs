//! What the core decided, for the adapter to carry out.

use std::sync::Arc;

use crate::{
    Secret,
    headers::ResponseHeaders,
    jwt::{Claim, IdToken, TokenUse},
};

/// The end of every flow.
#[must_use]
#[derive(Debug)]
pub enum Decision {
    /// Pass the request on to the origin.
    Forward(Forward),
    /// Answer the viewer with this; the origin sees nothing.
    Respond(Response),
}

impl Decision {
    /// Why it was decided so.
    pub const fn reason(&self) -> Reason {
        match self {
            Self::Forward(forward) => forward.reason,
            Self::Respond(response) => response.reason,
        }
    }
}

/// A request that may pass.
#[derive(Debug)]
pub struct Forward {
    /// On whose behalf.
    pub access: Access,
    /// Set-Cookie values to add to the viewer's response. Always empty where the adapter's
    /// [`Capabilities`](crate::Capabilities) say that it cannot add them.
    pub response_cookies: Vec<String>,
    /// Why it may pass.
    pub reason: Reason,
}

/// On whose behalf a request passes.
#[derive(Clone, Debug)]
pub enum Access {
    /// Anyone: the path is public.
    Public,
    /// The holder of this verified token: the id token of a session, or what the Authorization header brought,
    /// which may be an access token and need not have a user.
    Session(VerifiedIdToken),
}

/// Proof that a token passed every check. Only the core can make one.
#[derive(Clone, Debug)]
pub struct VerifiedIdToken(pub(crate) Arc<IdToken>);

impl VerifiedIdToken {
    /// The `sub` claim.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.0.text("sub")
    }

    /// The `cognito:username` claim; of a generic OpenID provider the claim that is configured for it.
    #[must_use]
    pub fn username(&self) -> Option<&str> {
        self.0.username()
    }

    /// The `email` claim.
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        self.0.text("email")
    }

    /// The `cognito:groups` claim, or the one that is configured for it; empty when absent.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.0.groups()
    }

    /// The claim that lists the groups.
    #[must_use]
    pub fn groups_claim(&self) -> &str {
        self.0.groups_claim()
    }

    /// Any claim of the token.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<Claim<'_>> {
        self.0.claims().get(name)
    }

    /// Whether it is an id token; otherwise it is an access token, which tells nobody who somebody is.
    #[must_use]
    pub fn is_id_token(&self) -> bool {
        self.0.token_use() != TokenUse::Access
    }

    /// The id token itself. `None`: the viewer brought an access token, or a sealed session that does not hold it.
    /// Whoever holds it is the viewer until it expires.
    #[must_use]
    pub fn token(&self) -> Option<Secret<&str>> {
        self.0.id_token().filter(|_| self.is_id_token())
    }

    /// What the viewer presented to prove it: the id token, or a sealed session. It tells sessions apart.
    #[must_use]
    pub fn credential(&self) -> Secret<&str> {
        self.0.raw()
    }
}

/// A generated response. Header order is the order to send; a name may stand several times.
#[derive(Debug)]
pub struct Response {
    /// The HTTP status code.
    pub status: u16,
    /// All headers, configured ones included, with the case in which they are to be shown.
    pub headers: ResponseHeaders,
    /// The body; empty for redirects.
    pub body: String,
    /// Whose Content-Security-Policy is among the headers.
    pub security_policy: SecurityPolicy,
    /// Why it was generated.
    pub reason: Reason,
}

/// Whose Content-Security-Policy is among a response's headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecurityPolicy {
    /// The body's own, made for it alone: nothing is to take its place.
    Own,
    /// One that is configured for the site's content, or none.
    Configured,
}

/// Why a decision came out as it did: the label of metrics and log events, and the `data-reason` of pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Anyone may pass.
    Public,
    /// A session whose token was verified before; the request passes.
    SessionKnown,
    /// A session whose token was verified just now; the request passes.
    SessionVerified,
    /// No id token in the cookies; sign in.
    SessionAbsent,
    /// The id token has expired; refresh.
    SessionExpired,
    /// The id token has expired and a refresh failed before; sign in.
    SessionNotRefreshable,
    /// The sealed session was not sealed by us, or with a secret that is gone; sign in.
    SessionSeal,
    /// The id token is not a JWT of the right form; sign in.
    TokenMalformed,
    /// The id token is from another issuer; sign in.
    TokenIssuer,
    /// The id token's key is not in the JWK set, or unfit; sign in.
    TokenKey,
    /// The id token's signature is wrong; sign in.
    TokenSignature,
    /// The id token is not valid yet; sign in.
    TokenNotYetValid,
    /// The id token is of another kind (`token_use`); sign in.
    TokenUse,
    /// The id token is for another client; sign in.
    TokenAudience,
    /// The viewer is not in the required group.
    GroupRequired,
    /// A bearer token that was verified before; the request passes.
    BearerKnown,
    /// A bearer token that was verified just now; the request passes.
    BearerVerified,
    /// The bearer token has expired.
    TokenExpired,
    /// There are several Authorization headers.
    AuthorizationRepeated,
    /// A rule lets nobody pass.
    RuleDenied,
    /// No rule fits the request, and what none fits is denied.
    NoRule,
    /// Which rule holds depends on how the path is read.
    PathAmbiguous,
    /// The viewer lacks a claim that the rule asks for.
    ClaimRequired,
    /// The viewer has no verified e-mail address of a domain that the rule asks for.
    EmailDomain,
    /// The token lacks a scope that the rule asks for.
    ScopeRequired,
    /// Sign-in completed.
    SignedIn,
    /// Sign-in completed, and the viewer's cookies take more room than servers like.
    SignedInOverBudget,
    /// The provider reported an error to the sign-in path.
    ProviderError,
    /// `code` or `state` missing or repeated.
    CallbackInvalid,
    /// `state` is not what we sent.
    StateInvalid,
    /// No nonce cookie.
    NonceMissing,
    /// The nonce differs from its cookie.
    NonceMismatch,
    /// The nonce is too old.
    NonceExpired,
    /// The nonce was not signed by us.
    NonceSignature,
    /// No PKCE cookie.
    PkceMissing,
    /// The token endpoint gave no usable reply, or refused.
    TokenEndpoint,
    /// The token endpoint's reply lacks a usable id token.
    TokenReply,
    /// Refresh without an id token cookie.
    IdTokenMissing,
    /// Refresh without a refresh token cookie.
    RefreshTokenMissing,
    /// The session was renewed.
    Refreshed,
    /// The provider no longer accepts the refresh token.
    RefreshTokenRejected,
    /// The renewed id token is about somebody else than the old one; sign in.
    TokenSubject,
    /// The session has just expired and the provider cannot be asked; the request passes this once.
    SessionInGrace,
    /// The session has lasted as long as one may; sign in.
    SessionTooOld,
    /// The session has not been used for as long as one may lie idle; sign in.
    SessionIdle,
    /// The session is in use, and a way round by a path of ours writes that down.
    SessionUsed,
    /// A page of a listed origin asks what it may send.
    Preflight,
    /// A page of another site asks for something that changes the session.
    CrossSite,
    /// A method that this path of ours does not know.
    MethodNotAllowed,
    /// Signed out just now.
    SignedOut,
    /// There was nothing to sign out of.
    AlreadySignedOut,
    /// Another site's page, or a browser that loads ahead, asked for a sign-out; nothing was done.
    SignOutForeign,
    /// A sign-out goes by the refresh path, which alone is brought the refresh token.
    SignOutSentRound,
    /// A sign-in that got lost is begun anew.
    SignInRestarted,
    /// A link or a script sent the viewer to sign in.
    SignInAsked,
    /// A callback that is of no use any more; there is a session, so the viewer goes on.
    SessionKept,
    /// The callback has no `state`: it was not begun here.
    StateMissing,
    /// The cookie of the sign-in did not come back.
    AttemptMissing,
    /// The cookie of the sign-in belongs to a later one.
    AttemptReplaced,
    /// The sign-in was begun too long ago.
    AttemptExpired,
    /// The new id token answers another sign-in than this.
    NonceClaim,
    /// The new id token did not pass its checks.
    TokenUnverified,
    /// The new id token has expired already or is not valid yet.
    ClockSkew,
    /// The provider does not accept the code.
    CodeRefused,
    /// The provider does not accept the client: unknown, not allowed to, or a wrong secret.
    ClientRefused,
    /// The provider does not allow the client these scopes.
    ScopeRefused,
    /// The provider or the viewer denied the sign-in.
    ProviderDenied,
    /// The provider answered with an error of its own.
    ProviderFailed,
    /// The provider is unavailable for the moment.
    ProviderUnavailable,
    /// No connection to the provider.
    ProviderUnreachable,
    /// No answer from the provider in time.
    ProviderTimeout,
    /// The provider wants fewer requests.
    ProviderThrottled,
    /// Signed in again and again: the session's cookies do not come back.
    LoopCookies,
    /// Signed in again and again: every session counts as expired or not valid yet.
    LoopClock,
    /// Signed in again and again: the session is not accepted.
    LoopToken,
}

impl Reason {
    /// The label, in kebab case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::SessionKnown => "session-known",
            Self::SessionVerified => "session-verified",
            Self::SessionAbsent => "session-absent",
            Self::SessionExpired => "session-expired",
            Self::SessionNotRefreshable => "session-not-refreshable",
            Self::SessionSeal => "session-seal",
            Self::TokenMalformed => "token-malformed",
            Self::TokenIssuer => "token-issuer",
            Self::TokenKey => "token-key",
            Self::TokenSignature => "token-signature",
            Self::TokenNotYetValid => "token-not-yet-valid",
            Self::TokenUse => "token-use",
            Self::TokenAudience => "token-audience",
            Self::GroupRequired => "group-required",
            Self::BearerKnown => "bearer-known",
            Self::BearerVerified => "bearer-verified",
            Self::TokenExpired => "token-expired",
            Self::AuthorizationRepeated => "authorization-repeated",
            Self::RuleDenied => "rule-denied",
            Self::NoRule => "no-rule",
            Self::PathAmbiguous => "path-ambiguous",
            Self::ClaimRequired => "claim-required",
            Self::EmailDomain => "email-domain",
            Self::ScopeRequired => "scope-required",
            Self::SignedIn => "signed-in",
            Self::SignedInOverBudget => "signed-in-over-budget",
            Self::ProviderError => "provider-error",
            Self::CallbackInvalid => "callback-invalid",
            Self::StateInvalid => "state-invalid",
            Self::NonceMissing => "nonce-missing",
            Self::NonceMismatch => "nonce-mismatch",
            Self::NonceExpired => "nonce-expired",
            Self::NonceSignature => "nonce-signature",
            Self::PkceMissing => "pkce-missing",
            Self::TokenEndpoint => "token-endpoint",
            Self::TokenReply => "token-reply",
            Self::IdTokenMissing => "id-token-missing",
            Self::RefreshTokenMissing => "refresh-token-missing",
            Self::Refreshed => "refreshed",
            Self::RefreshTokenRejected => "refresh-token-rejected",
            Self::TokenSubject => "token-subject",
            Self::SessionInGrace => "session-in-grace",
            Self::SessionTooOld => "session-too-old",
            Self::SessionIdle => "session-idle",
            Self::SessionUsed => "session-used",
            Self::Preflight => "preflight",
            Self::CrossSite => "cross-site",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::SignedOut => "signed-out",
            Self::AlreadySignedOut => "already-signed-out",
            Self::SignOutForeign => "sign-out-foreign",
            Self::SignOutSentRound => "sign-out-sent-round",
            Self::SignInRestarted => "sign-in-restarted",
            Self::SignInAsked => "sign-in-asked",
            Self::SessionKept => "session-kept",
            Self::StateMissing => "state-missing",
            Self::AttemptMissing => "attempt-missing",
            Self::AttemptReplaced => "attempt-replaced",
            Self::AttemptExpired => "attempt-expired",
            Self::NonceClaim => "nonce-claim",
            Self::TokenUnverified => "token-unverified",
            Self::ClockSkew => "clock-skew",
            Self::CodeRefused => "code-refused",
            Self::ClientRefused => "client-refused",
            Self::ScopeRefused => "scope-refused",
            Self::ProviderDenied => "provider-denied",
            Self::ProviderFailed => "provider-failed",
            Self::ProviderUnavailable => "provider-unavailable",
            Self::ProviderUnreachable => "provider-unreachable",
            Self::ProviderTimeout => "provider-timeout",
            Self::ProviderThrottled => "provider-throttled",
            Self::LoopCookies => "loop-cookies",
            Self::LoopClock => "loop-clock",
            Self::LoopToken => "loop-token",
        }
    }
}
