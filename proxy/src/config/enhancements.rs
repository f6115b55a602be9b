//! `[sites.auth.enhancements]` in the core's spelling: its keys may be in snake case, or in capitals where they come
//! from the environment, which has nothing but text for switches and numbers either.

use auth_core::{Config, json::Json};

use super::auth::spelled;

/// Tables whose keys are somebody else's words: names of claims, of parameters, of languages and pages.
const FREE: [&str; 4] = ["claims", "anyClaims", "fixed", "texts"];

/// The value of `enhancements` as the core reads it.
pub(super) fn translate(value: &Json) -> Json {
    translate_by(&Config::enhancement_keys(), value)
}

fn translate_by(known: &[&str], value: &Json) -> Json {
    match value {
        Json::Object(table) => Json::Object(table.iter().map(|entry| translate_entry(known, entry)).collect()),
        Json::Array(list) => Json::Array(list.iter().map(|entry| translate_within_list(known, entry)).collect()),
        other => other.clone(),
    }
}

fn translate_entry(known: &[&str], (name, value): (&str, &Json)) -> (String, Json) {
    let key = spelled(name, known);
    let value = match value {
        Json::Object(_) if FREE.contains(&key.as_str()) => value.clone(),
        Json::String(text) => typed(text),
        other => translate_by(known, other),
    };
    (key, value)
}

/// Entries of lists are names, and stay texts.
fn translate_within_list(known: &[&str], value: &Json) -> Json {
    match value {
        Json::Object(_) => translate_by(known, value),
        other => other.clone(),
    }
}

/// What a text from the environment stands for.
fn typed(text: &str) -> Json {
    let is_number = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    match (text, text.parse()) {
        ("true", _) => Json::Bool(true),
        ("false", _) => Json::Bool(false),
        (_, Ok(number)) if is_number => Json::Number(number),
        _ => Json::String(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(json: &str) -> String {
        translate(&Json::parse(json.as_bytes()).unwrap()).stringify()
    }

    #[test]
    fn keys_are_spelled_as_the_core_has_them_at_every_depth() {
        assert_eq!(
            translated(
                r#"{"RULES":[{"UNDER":["/a"],"require":{"all_groups":["true"]}}],"bearer_tokens":{"pass_on":true}}"#
            ),
            r#"{"rules":[{"under":["/a"],"require":{"allGroups":["true"]}}],"bearerTokens":{"passOn":true}}"#
        );
    }

    #[test]
    fn every_key_that_the_core_reads_may_come_in_capitals() {
        assert_eq!(
            translated(
                r#"{"SESSION_LIFETIME":{"IDLE_SECS":"900"},"SEALEDSESSION":{"KEEP_ID_TOKEN":"true"},
                "AUTHORIZE_PARAMETERS":{"FIXED":{"idp_identifier":"7"}},"PAGES":{"COLOURS":{"DARK":{"ON_ACCENT":"red"}},
                "TEXTS":{"en":{"sign-in-issue":{"title":"404"}}}}}"#
            ),
            r#"{"sessionLifetime":{"idleSecs":900},"sealedSession":{"keepIdToken":true},"authorizeParameters":{"fixed":{"idp_identifier":"7"}},"pages":{"colours":{"dark":{"onAccent":"red"}},"texts":{"en":{"sign-in-issue":{"title":"404"}}}}}"#
        );
    }

    #[test]
    fn names_of_claims_and_parameters_stay_as_they_are() {
        let given = r#"{"rules":[{"require":{"claims":{"custom:cost_centre":"7","is_staff":"true"}}}]}"#;
        assert_eq!(translated(given), given);
    }

    #[test]
    fn text_from_the_environment_is_a_switch_or_a_number_where_it_looks_like_one() {
        assert_eq!(
            translated(r#"{"federated":"true","x":"12","y":"12 h","rules":[{"require":"public"}]}"#),
            r#"{"federated":true,"x":12,"y":"12 h","rules":[{"require":"public"}]}"#
        );
    }
}
