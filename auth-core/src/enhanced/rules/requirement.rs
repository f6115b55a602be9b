//! What a rule asks of a viewer's verified token.

use super::Reason;
use crate::{
    json::Json,
    jwt::{Claim, IdToken},
};

/// Who may pass.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Requirement {
    /// Everybody, signed in or not.
    Public,
    /// Whoever has a valid session.
    SignedIn,
    /// Nobody.
    Deny,
    /// Whoever meets all conditions of one of these sets.
    AnyOf(Vec<Conditions>),
}

/// Conditions that have to be met together.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Conditions {
    /// In one of these groups.
    pub(super) groups: Vec<String>,
    /// In each of these groups.
    pub(super) all_groups: Vec<String>,
    /// With each of these claims.
    pub(super) claims: Vec<AcceptedClaim>,
    /// With one of these claims.
    pub(super) any_claims: Vec<AcceptedClaim>,
    /// With a verified e-mail address of one of these domains; in lower case.
    pub(super) email_domains: Vec<String>,
    /// With one of these scopes.
    pub(super) scopes: Vec<String>,
    /// With each of these scopes.
    pub(super) all_scopes: Vec<String>,
}

/// A claim, and the values that are good.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AcceptedClaim {
    pub(super) name: String,
    pub(super) accepted: Vec<Json>,
}

impl Requirement {
    /// Whether the holder of this token may pass, or what is missing.
    pub(crate) fn admits(&self, token: &IdToken) -> Result<(), Reason> {
        match self {
            Self::Public | Self::SignedIn => Ok(()),
            Self::Deny => Err(Reason::RuleDenied),
            Self::AnyOf(sets) => {
                let mut missing = Err(Reason::RuleDenied);
                for conditions in sets.iter().rev() {
                    missing = conditions.met_by(token);
                    if missing.is_ok() {
                        break;
                    }
                }
                missing
            }
        }
    }

    /// Whether some who have a session may not pass.
    pub(super) const fn narrows(&self) -> bool {
        matches!(self, Self::Deny | Self::AnyOf(_))
    }
}

impl Conditions {
    fn met_by(&self, token: &IdToken) -> Result<(), Reason> {
        let in_group = |group: &String| token.groups().any(|own| own == group);
        if !any(&self.groups, in_group) || !self.all_groups.iter().all(in_group) {
            return Err(Reason::GroupRequired);
        }
        let has_claim = |claim: &AcceptedClaim| claim.is_of(token);
        if !self.claims.iter().all(has_claim) || !any(&self.any_claims, has_claim) {
            return Err(Reason::ClaimRequired);
        }
        if !self.email_domains.is_empty() && !has_email_of(token, &self.email_domains) {
            return Err(Reason::EmailDomain);
        }
        let has_scope = |scope: &String| token.has_scope(scope);
        if !any(&self.scopes, has_scope) || !self.all_scopes.iter().all(has_scope) {
            return Err(Reason::ScopeRequired);
        }
        Ok(())
    }
}

/// Whether one of a list fits; an empty list asks for nothing.
fn any<T>(list: &[T], fits: impl Fn(&T) -> bool) -> bool {
    list.is_empty() || list.iter().any(fits)
}

impl AcceptedClaim {
    /// A list has to contain one of the accepted values, anything else has to be one.
    fn is_of(&self, token: &IdToken) -> bool {
        let claim = token.claims().get(&self.name);
        claim.is_some_and(|claim| claim.entries().any(|value| self.accepts(value)))
    }

    /// The values of attributes are texts in Cognito's tokens even where they are truth values or numbers.
    fn accepts(&self, value: Claim<'_>) -> bool {
        self.accepted.iter().any(|accepted| match (accepted, value) {
            (Json::Bool(truth), Claim::Text(text)) => text == if *truth { "true" } else { "false" },
            (Json::Number(number), Claim::Text(text)) => text.parse() == Ok(*number),
            (accepted, value) => value == accepted.into(),
        })
    }
}

/// Whether the address has exactly one `@`, is verified, and is of one of the domains: `a@good.example@evil.example`
/// is of none (T-CLAIM-1).
fn has_email_of(token: &IdToken, domains: &[String]) -> bool {
    let is_verified = match token.claims().get("email_verified") {
        Some(Claim::Bool(truth)) => truth,
        Some(Claim::Text(text)) => text == "true",
        _ => false,
    };
    let domain = token.text("email").and_then(|email| {
        let (name, domain) = email.split_once('@')?;
        (!name.is_empty() && !domain.contains('@')).then_some(domain)
    });
    is_verified && domain.is_some_and(|domain| domains.iter().any(|good| good.eq_ignore_ascii_case(domain)))
}
