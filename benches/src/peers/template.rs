//! The peers' configuration files, made from the templates in `benches/peers`.
//!
//! A template names what the run fills in as `{{name}}`. A name that nobody fills in is an error, so that no
//! peer is measured with a configuration other than the one that is shown.

use thiserror::Error;

/// What stands for a name in a template.
pub(crate) type Value<'a> = (&'a str, String);

/// Why a template cannot be filled in.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum TemplateError {
    /// Nothing stands for this name.
    #[error("nothing to put for {{{{{0}}}}}")]
    Unknown(String),
    /// `{{` without `}}`.
    #[error("a name without an end")]
    Open,
}

/// The template with its names replaced.
///
/// # Errors
/// A name that is not among the values, or one without an end.
pub(crate) fn fill(template: &str, values: &[Value<'_>]) -> Result<String, TemplateError> {
    let mut filled = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").ok_or(TemplateError::Open)?;
        let (_, value) = values
            .iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| TemplateError::Unknown(name.to_owned()))?;
        filled.push_str(before);
        filled.push_str(value);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced_wherever_they_stand() {
        let values = [("a", "1".to_owned()), ("b", "{x}".to_owned())];
        assert_eq!(fill("{{a}}; { {{b}} } {{a}}", &values).as_deref(), Ok("1; { {x} } 1"));
    }

    #[test]
    fn an_unknown_name_is_an_error() {
        let error = fill("listen {{htpp}};", &[("http", String::new())]).unwrap_err();
        assert_eq!(error.to_string(), "nothing to put for {{htpp}}");
    }

    #[test]
    fn a_name_without_an_end_is_an_error() {
        assert_eq!(
            fill("listen {{http;", &[("http", String::new())]),
            Err(TemplateError::Open)
        );
    }

    #[test]
    fn what_is_put_is_not_read_again() {
        let values = [("a", "{{b}}".to_owned())];
        assert_eq!(fill("{{a}}", &values).as_deref(), Ok("{{b}}"));
    }
}
