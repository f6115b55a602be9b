//! Why a custom resource failed: what the operator reads in the stack's events.

use aws_sdk_lambda::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use thiserror::Error;

/// Why a custom resource failed. Never holds a secret: AWS's messages name things, not values.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum Problem {
    /// The event is not one of CloudFormation's.
    #[error("{name} must be {expected}")]
    Event { name: &'static str, expected: &'static str },
    /// A property is missing or wrong.
    #[error("{name}: found {found}, expected {expected}")]
    Property {
        name: String,
        found: String,
        expected: String,
    },
    /// The configuration for the edge functions is refused; each line names a template parameter.
    #[error("{0}")]
    Settings(String),
    /// AWS refused a call.
    #[error("{call}: {message} ({code})")]
    Refused {
        call: &'static str,
        code: String,
        message: String,
    },
    /// A call did not come through.
    #[error("{call} did not come through: {cause}")]
    Unreachable { call: &'static str, cause: String },
    /// A reply was not what it should be.
    #[error("{call} replied {found}, expected {expected}")]
    Reply {
        call: &'static str,
        found: String,
        expected: &'static str,
    },
    /// What was waited for did not come about.
    #[error("{0}")]
    State(String),
}

impl Problem {
    pub(crate) const fn event(name: &'static str, expected: &'static str) -> Self {
        Self::Event { name, expected }
    }

    pub(crate) fn property(name: &str, found: impl Into<String>, expected: &str) -> Self {
        Self::Property {
            name: name.to_owned(),
            found: found.into(),
            expected: expected.to_owned(),
        }
    }

    /// What a call of the SDK ended with.
    pub(crate) fn sdk<E, R>(call: &'static str, error: SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        R: std::fmt::Debug,
    {
        match (error.code(), error.message()) {
            (Some(code), message) => Self::Refused {
                call,
                code: code.to_owned(),
                message: message.unwrap_or("no message").to_owned(),
            },
            (None, _) => Self::Unreachable {
                call,
                cause: DisplayErrorContext(error).to_string(),
            },
        }
    }

    /// Whether AWS refused with one of these codes.
    pub(crate) fn is_refusal(&self, codes: &[&str]) -> bool {
        matches!(self, Self::Refused { code, .. } if codes.contains(&code.as_str()))
    }

    /// Whether something else than AWS is wrong: then the resource was never made.
    pub(crate) const fn is_of_the_template(&self) -> bool {
        matches!(self, Self::Event { .. } | Self::Property { .. } | Self::Settings(_))
    }
}
