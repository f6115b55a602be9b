//! The id token (OIDC Core 1.0, section 2; RFC 7519, RFC 7515).

mod claims;
mod claims_set;
mod dialect;
mod header;
mod key_store;
mod parse;
mod ring_p256;
mod ring_rsa;
mod token_cache;
mod unverified;

pub(crate) use claims::{ClaimError, Claimed, IdToken, Requirements};
pub(crate) use claims_set::ClaimsSet;
pub use claims_set::{Claim, ClaimList};
pub(crate) use dialect::{Dialect, Speaker, TokenUse};
pub(crate) use header::TokenType;
pub(crate) use key_store::{JwkSet, KeyStore, VerificationKey};
pub(crate) use parse::{ParsedJwt, SignatureError};
pub(crate) use token_cache::TokenCache;
pub(crate) use unverified::UnverifiedIdToken;
