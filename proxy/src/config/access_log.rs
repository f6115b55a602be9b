//! `[access_log]`: what is written of each request, and where.

use std::path::PathBuf;

use super::section::Section;

/// What is written of each request, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessLogSettings {
    /// The form of a request's line.
    pub form: AccessForm,
    /// Where lines go; `None`: standard output.
    pub file: Option<PathBuf>,
}

/// The form of a request's line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AccessForm {
    /// One of the log events, in their form.
    #[default]
    Event,
    /// A JSON object.
    Json,
    /// As Apache and nginx write it.
    Combined,
    /// Tab-separated, under the names of CloudFront's fields.
    CloudFront,
    /// Nothing.
    Off,
}

impl AccessForm {
    /// Its name in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Json => "json",
            Self::Combined => "combined",
            Self::CloudFront => "cloudfront",
            Self::Off => "off",
        }
    }
}

pub(super) fn read(mut section: Section<'_>) -> AccessLogSettings {
    let form = match section.text("format").as_deref() {
        None | Some("event") => AccessForm::Event,
        Some("json") => AccessForm::Json,
        Some("combined") => AccessForm::Combined,
        Some("cloudfront") => AccessForm::CloudFront,
        Some("off") => AccessForm::Off,
        Some(other) => {
            let expected = "`event`, `json`, `combined`, `cloudfront` or `off`";
            section.refuse("format", format!("{other:?}"), expected);
            AccessForm::Event
        }
    };
    let file = section.file("file");
    if file.is_some() && matches!(form, AccessForm::Event | AccessForm::Off) {
        let expected = "a file only with format `json`, `combined` or `cloudfront`";
        section.refuse("file", "it beside a format that writes no lines", expected);
    }
    section.finish();
    AccessLogSettings { form, file }
}
