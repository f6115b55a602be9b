//! What a function is there for, named by its Handler property.

use std::{fmt, str::FromStr};

use auth_core::Endpoint;

/// One of the functions of a package. All hold the same program; the role comes from `_HANDLER`, which
/// Lambda sets to the function's Handler property, as `check-auth.handler`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Viewer request, default behaviour: lets the signed-in pass.
    CheckAuth,
    /// Viewer request at the sign-in path.
    ParseAuth,
    /// Viewer request at the refresh path.
    RefreshAuth,
    /// Viewer request at the sign-out path.
    SignOut,
    /// Viewer request, all four by path.
    AllInOne,
    /// Origin response: adds the configured headers.
    HttpHeaders,
    /// Origin request: `/` becomes `/index.html`.
    RewriteTrailingSlash,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 7] = [
        Self::CheckAuth,
        Self::ParseAuth,
        Self::RefreshAuth,
        Self::SignOut,
        Self::AllInOne,
        Self::HttpHeaders,
        Self::RewriteTrailingSlash,
    ];

    /// The name: of the package, of the shims in it, and before the dot of the Handler property.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CheckAuth => "check-auth",
            Self::ParseAuth => "parse-auth",
            Self::RefreshAuth => "refresh-auth",
            Self::SignOut => "sign-out",
            Self::AllInOne => "all-in-one",
            Self::HttpHeaders => "http-headers",
            Self::RewriteTrailingSlash => "rewrite-trailing-slash",
        }
    }

    /// The CloudFront event that a function of this role answers.
    #[must_use]
    pub const fn event(self) -> &'static str {
        match self {
            Self::CheckAuth | Self::ParseAuth | Self::RefreshAuth | Self::SignOut | Self::AllInOne => "viewer-request",
            Self::HttpHeaders => "origin-response",
            Self::RewriteTrailingSlash => "origin-request",
        }
    }

    /// The endpoint a function is bound to; `None` where the path decides or nothing is authenticated.
    pub(crate) const fn endpoint(self) -> Option<Endpoint> {
        match self {
            Self::CheckAuth => Some(Endpoint::Protected),
            Self::ParseAuth => Some(Endpoint::SignIn),
            Self::RefreshAuth => Some(Endpoint::Refresh),
            Self::SignOut => Some(Endpoint::SignOut),
            Self::AllInOne | Self::HttpHeaders | Self::RewriteTrailingSlash => None,
        }
    }
}

/// A Handler property that names no role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownRole(String);

impl fmt::Display for UnknownRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "handler {:?} names no function of this package; use one of", self.0)?;
        for (index, role) in Role::ALL.into_iter().enumerate() {
            let separator = if index == 0 { ' ' } else { ',' };
            write!(f, "{separator}{}.handler", role.as_str())?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownRole {}

impl FromStr for Role {
    type Err = UnknownRole;

    /// Reads a Handler property: the role is what stands before its last dot, folders left out.
    fn from_str(handler: &str) -> Result<Self, UnknownRole> {
        let module = handler.rsplit_once('.').map_or(handler, |(module, _)| module);
        let name = module.rsplit('/').next().unwrap_or(module);
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == name)
            .ok_or_else(|| UnknownRole(handler.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_is_found_by_its_handler() {
        for role in Role::ALL {
            assert_eq!(format!("{}.handler", role.as_str()).parse(), Ok(role));
            assert_eq!(format!("shims/{}.handler", role.as_str()).parse(), Ok(role));
            assert_eq!(role.as_str().parse(), Ok(role));
        }
    }

    #[test]
    fn a_handler_without_a_role_is_refused_with_the_names_there_are() {
        for handler in ["", ".", "index.handler", "check_auth.handler", "check-auth.x.handler"] {
            let error = handler.parse::<Role>().unwrap_err().to_string();
            assert!(error.contains(&format!("{handler:?}")) && error.contains("all-in-one.handler"));
        }
    }
}
