//! Name, logo and colours of the pages.

use crate::{config::Reader, page::escape};

const STYLE: &str = include_str!("style.css");
/// Name in the configuration, name in the style, in light, in dark.
const COLOURS: [(&str, &str, &str, &str); 7] = [
    ("ground", "--ground", "#f4f5f7", "#12161c"),
    ("card", "--card", "#fff", "#1b212a"),
    ("text", "--text", "#1b2430", "#e8ecf1"),
    ("soft", "--soft", "#566273", "#a3afbf"),
    ("line", "--line", "#dfe3e8", "#313a47"),
    ("accent", "--accent", "#1f5fbf", "#8ab4f8"),
    ("onAccent", "--on-accent", "#fff", "#10151c"),
];
/// A logo goes with every page.
const LONGEST_LOGO: usize = 32 * 1024;

#[derive(Clone, Debug)]
pub(crate) struct Branding {
    pub(super) name: Option<String>,
    logo: Option<String>,
    /// The whole style of the pages.
    pub(super) style: String,
}

impl Branding {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            name: reader.optional_text("name").map(str::to_owned),
            logo: read_logo(reader),
            style: reader.section("colours", &colour_keys(), |colours| {
                let light = palette(colours, |colour| colour.2);
                let dark = colours.section("dark", &COLOURS.map(|colour| colour.0), |dark| {
                    palette(dark, |colour| colour.3)
                });
                format!(":root{{{light}}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n{STYLE}")
            }),
        }
    }

    /// What the pages' policy has to allow for the logo.
    pub(super) fn image_source(&self) -> &'static str {
        match self.logo.as_deref() {
            None => "",
            Some(logo) if logo.starts_with('/') => "'self'",
            Some(_) => "data:",
        }
    }

    pub(super) fn write(&self, html: &mut String) {
        let name = self.name.as_deref().map(escape).unwrap_or_default();
        let image = self.logo.as_deref().map(|logo| {
            // The name stands beside it, so that the picture says nothing of its own.
            format!("<img src=\"{}\" alt=\"\">", escape(logo))
        });
        if !name.is_empty() || image.is_some() {
            html.push_str(&format!(
                "<div class=\"brand\">{}{name}</div>\n",
                image.unwrap_or_default()
            ));
        }
    }
}

pub(in crate::enhanced) fn colour_keys() -> Vec<&'static str> {
    COLOURS.iter().map(|colour| colour.0).chain(["dark"]).collect()
}

fn palette(
    reader: &mut Reader<'_>,
    default: impl Fn(&(&str, &str, &'static str, &'static str)) -> &'static str,
) -> String {
    let mut style = String::new();
    for colour in &COLOURS {
        let value = match reader.optional_text(colour.0) {
            Some(value) if is_colour(value) => value,
            Some(value) => {
                let found = crate::json::stringify_text(value);
                reader.problem(colour.0, found, "a CSS colour, as #1f5fbf or rgb(31 95 191)");
                default(colour)
            }
            None => default(colour),
        };
        style.push_str(&format!("{}:{value};", colour.1));
    }
    style
}

/// A colour's characters, and none that could end the declaration.
fn is_colour(value: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "#(),.% -".contains(c);
    !value.is_empty() && value.len() <= 64 && value.chars().all(fits)
}

fn read_logo(reader: &mut Reader<'_>) -> Option<String> {
    let logo = reader.optional_text("logo")?;
    let is_path = logo.starts_with('/') && !logo.starts_with("//") && !logo.contains('\\');
    if !is_path && !logo.starts_with("data:image/") {
        let found = crate::json::stringify_text(&logo.chars().take(60).collect::<String>());
        reader.problem("logo", found, "a path of this site, or a data:image/ URI");
    }
    if logo.len() > LONGEST_LOGO {
        reader.problem("logo", format!("{} characters", logo.len()), "at most 32768");
    }
    Some(logo.to_owned())
}
