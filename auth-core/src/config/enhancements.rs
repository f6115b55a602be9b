//! Which profile is in force, and what of the enhanced one is switched on.

use super::{Config, oidc, reader::Reader};
use crate::enhanced::Enhanced;

/// The enhanced profile's settings, if `profile` asks for it; `config` is everything else.
pub(super) fn read(reader: &mut Reader<'_>, config: &Config) -> Option<Enhanced> {
    let profiles = [("reference", false), ("enhanced", true)];
    let enhanced = reader.value("profile").is_some() && reader.choice("profile", &profiles).unwrap_or(false);
    if !enhanced {
        if reader.is_whole() && oidc::table(reader).is_some() {
            reader.problem(
                "enhancements.oidc",
                "a provider other than Cognito",
                "`profile` to be enhanced: the reference profile speaks to Cognito alone",
            );
        } else if reader.is_whole() && reader.value("enhancements").is_some() {
            reader.problem(
                "enhancements",
                "settings of another profile",
                "nothing, or `profile` to be enhanced",
            );
        }
        return None;
    }
    let length = config.secrets.nonce_signing.expose().len();
    if length < Enhanced::LEAST_SECRET_LENGTH && reader.value("nonceSigningSecret").is_some() {
        reader.problem(
            "nonceSigningSecret",
            format!("a secret of {length} characters"),
            &format!("at least {} random ones", Enhanced::LEAST_SECRET_LENGTH),
        );
    }
    Some(reader.section("enhancements", Enhanced::KEYS, |section| {
        Enhanced::read(section, config)
    }))
}
