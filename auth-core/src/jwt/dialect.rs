//! How a provider's tokens say what they say: Cognito in claims of its own, others as OpenID Connect has it.
//!
//! Cognito names a token's kind in `token_use`. Elsewhere nothing in an id token says that it is one, so whatever
//! marks another kind is looked for, and what bears such a mark is refused as an id token: another issuer's habits may
//! cost a sign-in, never let an access token pass for one (T-JWT-3; RFC 8725, section 3.12).

use super::{Claim, ClaimsSet, TokenType};

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaker {
    /// A Cognito user pool.
    Cognito,
    /// Any OpenID provider.
    Generic,
}

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenUse {
    Id,
    Access,
    /// Something else, or nobody knows what.
    Other,
}

/// A provider's way to say things.
#[derive(Debug)]
pub(crate) struct Dialect {
    pub(crate) speaker: Speaker,
    /// The claims that may name the user; the first that is there does.
    usernames: Vec<String>,
    /// The claim that lists the user's groups.
    pub(crate) groups: String,
}

impl Dialect {
    pub(crate) fn of_cognito() -> Self {
        Self {
            speaker: Speaker::Cognito,
            usernames: vec!["cognito:username".to_owned()],
            groups: "cognito:groups".to_owned(),
        }
    }

    /// The usual claims (OpenID Connect Core, section 5.1), unless others are named. A user without any is known by
    /// the subject.
    pub(crate) fn generic(username: Option<&str>, groups: Option<&str>) -> Self {
        let usernames = match username {
            Some(named) => vec![named, "sub"],
            None => vec!["preferred_username", "email", "sub"],
        };
        Self {
            speaker: Speaker::Generic,
            usernames: usernames.into_iter().map(str::to_owned).collect(),
            groups: groups.unwrap_or("groups").to_owned(),
        }
    }

    pub(crate) const fn is_generic(&self) -> bool {
        matches!(self.speaker, Speaker::Generic)
    }

    /// What a token is, as its header's type and its claims tell.
    pub(crate) fn use_of(&self, token_type: TokenType, claims: &ClaimsSet) -> TokenUse {
        let text = |name: &str| claims.get(name).map(|claim| claim.as_str().unwrap_or_default());
        match (self.speaker, token_type) {
            (Speaker::Cognito, _) => match text("token_use") {
                Some("id") => TokenUse::Id,
                Some("access") => TokenUse::Access,
                _ => TokenUse::Other,
            },
            (Speaker::Generic, TokenType::AccessToken) => TokenUse::Access,
            (Speaker::Generic, TokenType::Other) => TokenUse::Other,
            (Speaker::Generic, TokenType::Any) => match text("typ") {
                Some("Bearer") => TokenUse::Access,
                None | Some("ID") => by_claims(claims),
                Some(_) => TokenUse::Other,
            },
        }
    }

    /// Whom a token's claims name.
    pub(crate) fn username<'c>(&self, claims: &'c ClaimsSet) -> Option<&'c str> {
        let mut named = self.usernames.iter().map(|name| claims.text_of(name));
        match self.speaker {
            Speaker::Cognito => named.next()?,
            Speaker::Generic => named.flatten().find(|name| !name.is_empty()),
        }
    }

    /// Whether an access token was granted this scope (RFC 9068, section 2.2.3). Some providers call the claim `scp`,
    /// and some of these have a list.
    pub(crate) fn grants(&self, claims: &ClaimsSet, scope: &str) -> bool {
        let among = |name: &str| match claims.get(name) {
            Some(Claim::Text(text)) => text.split(' ').any(|granted| granted == scope),
            Some(Claim::List(list)) if self.is_generic() => list.iter().any(|granted| granted.as_str() == Some(scope)),
            _ => false,
        };
        among("scope") || self.is_generic() && among("scp")
    }

    /// Whether a token is for one of our own clients. Cognito has one string in `aud`; a list is refused even if it
    /// contains the client. Elsewhere it may be a list, and `azp` has to name the one that asked for it, where there
    /// are several or it is there at all (OpenID Connect Core, section 3.1.3.7).
    pub(crate) fn is_for(&self, claims: &ClaimsSet, is_ours: impl Fn(&str) -> bool) -> bool {
        let audience = match (self.speaker, claims.get("aud")) {
            (_, Some(Claim::Text(only))) => return is_ours(only) && self.azp_allows(claims, is_ours),
            (Speaker::Generic, Some(Claim::List(list))) => list,
            _ => return false,
        };
        let is_among = audience.iter().filter_map(Claim::as_str).any(&is_ours);
        let is_told = audience.len() == 1 || claims.get("azp").is_some();
        is_among && is_told && self.azp_allows(claims, is_ours)
    }

    fn azp_allows(&self, claims: &ClaimsSet, is_ours: impl Fn(&str) -> bool) -> bool {
        let azp = self.is_generic().then(|| claims.get("azp")).flatten();
        azp.is_none_or(|azp| azp.as_str().is_some_and(is_ours))
    }
}

/// What no id token has: the scopes and the client of an access token (RFC 9068, section 2.2), the events of a logout
/// token (OpenID Connect Back-Channel Logout 1.0, section 2.4).
fn by_claims(claims: &ClaimsSet) -> TokenUse {
    let has = |name: &&str| claims.get(name).is_some();
    if has(&"events") {
        TokenUse::Other
    } else if ["scope", "scp", "client_id"].iter().any(has) {
        TokenUse::Access
    } else {
        TokenUse::Id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> ClaimsSet {
        ClaimsSet::parse_lossy(text.as_bytes()).unwrap()
    }

    #[test]
    fn whatever_bears_the_mark_of_another_kind_is_no_id_token() {
        let generic = Dialect::generic(None, None);
        for (token_type, claims, expected) in [
            (TokenType::Any, "{}", TokenUse::Id),
            (TokenType::Any, r#"{"typ":"ID"}"#, TokenUse::Id),
            (TokenType::Any, r#"{"typ":"Bearer"}"#, TokenUse::Access),
            (TokenType::Any, r#"{"typ":"Refresh"}"#, TokenUse::Other),
            (TokenType::Any, r#"{"typ":7}"#, TokenUse::Other),
            (TokenType::Any, r#"{"scope":"openid"}"#, TokenUse::Access),
            (TokenType::Any, r#"{"scp":["openid"]}"#, TokenUse::Access),
            (TokenType::Any, r#"{"client_id":"c"}"#, TokenUse::Access),
            (TokenType::Any, r#"{"events":{}}"#, TokenUse::Other),
            (TokenType::AccessToken, "{}", TokenUse::Access),
            (TokenType::Other, "{}", TokenUse::Other),
            (
                TokenType::Any,
                r#"{"token_use":"access","client_id":"c"}"#,
                TokenUse::Access,
            ),
        ] {
            assert_eq!(
                generic.use_of(token_type, &read(claims)),
                expected,
                "{token_type:?} {claims}"
            );
        }
        let cognito = Dialect::of_cognito();
        for (claims, expected) in [
            (r#"{"token_use":"id","scope":"x"}"#, TokenUse::Id),
            (r#"{"token_use":"access"}"#, TokenUse::Access),
            ("{}", TokenUse::Other),
        ] {
            assert_eq!(cognito.use_of(TokenType::Other, &read(claims)), expected, "{claims}");
        }
    }

    /// T-JWT-2
    #[test]
    fn a_token_for_several_has_to_say_which_of_them_asked() {
        let generic = Dialect::generic(None, None);
        for (claims, is_ours) in [
            (r#"{"aud":"c"}"#, true),
            (r#"{"aud":"other"}"#, false),
            (r#"{"aud":"c","azp":"c"}"#, true),
            (r#"{"aud":"c","azp":"other"}"#, false),
            (r#"{"aud":"c","azp":7}"#, false),
            (r#"{"aud":["c"]}"#, true),
            (r#"{"aud":["c"],"azp":"other"}"#, false),
            (r#"{"aud":["c","other"]}"#, false),
            (r#"{"aud":["c","other"],"azp":"c"}"#, true),
            (r#"{"aud":["c","other"],"azp":"other"}"#, false),
            (r#"{"aud":["other"],"azp":"c"}"#, false),
            (r#"{"aud":[]}"#, false),
            (r#"{"aud":{"c":1}}"#, false),
            ("{}", false),
        ] {
            assert_eq!(
                generic.is_for(&read(claims), |client| client == "c"),
                is_ours,
                "{claims}"
            );
        }
        let cognito = Dialect::of_cognito();
        let is_for = |claims: &str| cognito.is_for(&read(claims), |client| client == "c");
        assert!(is_for(r#"{"aud":"c","azp":"other"}"#) && !is_for(r#"{"aud":["c"]}"#));
    }

    #[test]
    fn a_user_is_named_by_the_first_claim_that_is_there() {
        let name = |dialect: &Dialect, claims: &str| dialect.username(&read(claims)).map(str::to_owned);
        let usual = Dialect::generic(None, None);
        for (claims, expected) in [
            (r#"{"preferred_username":"jane","email":"j@x","sub":"1"}"#, Some("jane")),
            (r#"{"preferred_username":"","email":"j@x","sub":"1"}"#, Some("j@x")),
            (r#"{"preferred_username":7,"sub":"1"}"#, Some("1")),
            ("{}", None),
        ] {
            assert_eq!(name(&usual, claims).as_deref(), expected, "{claims}");
        }
        let own = Dialect::generic(Some("upn"), None);
        assert_eq!(
            name(&own, r#"{"upn":"u","preferred_username":"jane"}"#).as_deref(),
            Some("u")
        );
        assert_eq!(
            name(&own, r#"{"preferred_username":"jane","sub":"1"}"#).as_deref(),
            Some("1")
        );
    }

    #[test]
    fn scopes_stand_in_either_claim_and_in_a_text_or_a_list() {
        let generic = Dialect::generic(None, None);
        for claims in [
            r#"{"scope":"a b"}"#,
            r#"{"scp":"b"}"#,
            r#"{"scp":["a","b"]}"#,
            r#"{"scope":["b"]}"#,
        ] {
            assert!(generic.grants(&read(claims), "b"), "{claims}");
        }
        assert!(!generic.grants(&read(r#"{"scope":"ab","scp":["a b"]}"#), "b"));
        assert!(!Dialect::of_cognito().grants(&read(r#"{"scp":["b"],"scope":["b"]}"#), "b"));
    }
}
