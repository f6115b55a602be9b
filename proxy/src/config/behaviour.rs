//! What holds for the requests of one path pattern: CloudFront's cache behaviour.
//!
//! A site's own keys are its default behaviour. Each `[[sites.behaviours]]` entry starts from them and says
//! what differs.

use http::Method;

use super::{
    cache::{CacheKeys, CacheSettings},
    error_pages::{self, ErrorPages},
    methods::{self, AllowedMethods},
    origin::OriginSettings,
    path_pattern::PathPattern,
    section::Section,
    site::Conduct,
};

/// How requests are served, whichever path they are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BehaviourSettings {
    /// Where the content is.
    pub origin: OriginChoice,
    /// The methods that reach the origin.
    pub methods: AllowedMethods,
    /// What `/` asks the origin for, without a slash, as `index.html`.
    pub default_root_object: Option<String>,
    /// Whether a path that ends in a slash asks the origin for the `index.html` below it.
    pub trailing_slash: TrailingSlash,
    /// What takes the place of the origin's errors.
    pub error_pages: ErrorPages,
    /// The codings in which content is compressed for viewers.
    pub compress: Compression,
    /// What is kept of the origin's answers; `None`: nothing.
    pub cache: Option<CacheSettings>,
}

/// The codings in which content is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// None.
    #[default]
    Off,
    /// CloudFront's: Brotli and gzip.
    Edge,
    /// Those and Zstandard.
    All,
}

/// One `[[sites.behaviours]]` entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathBehaviour {
    /// The requests it is for.
    pub path: PathPattern,
    /// What holds for them.
    pub settings: BehaviourSettings,
}

/// Which of a site's origins has the content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OriginChoice {
    /// `[sites.origin]`.
    #[default]
    Default,
    /// `[sites.origins.NAME]`.
    Named(String),
}

/// What a path that ends in a slash asks the origin for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrailingSlash {
    /// Just that path.
    #[default]
    Kept,
    /// `index.html` below it.
    ToIndex,
}

/// The origins that a behaviour can choose from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choices<'a> {
    pub(super) default: Option<&'a OriginSettings>,
    /// Those that could not be read stand here too, so that naming one is no second problem.
    pub(super) named: &'a [(String, Option<OriginSettings>)],
}

impl<'a> Choices<'a> {
    fn origin(self, choice: &OriginChoice) -> Option<&'a OriginSettings> {
        match choice {
            OriginChoice::Default => self.default,
            OriginChoice::Named(name) => self.named(name)?.as_ref(),
        }
    }

    fn named(self, name: &str) -> Option<&'a Option<OriginSettings>> {
        self.named
            .iter()
            .find(|(named, _)| named == name)
            .map(|(_, origin)| origin)
    }
}

/// What the keys say, before the kind of the origin fills in the rest.
#[derive(Clone, Debug, Default)]
pub(super) struct BehaviourKeys {
    origin: OriginChoice,
    methods: Option<Vec<Method>>,
    default_root_object: Option<String>,
    trailing_slash: TrailingSlash,
    error_pages: ErrorPages,
    compress: Compression,
    cache: CacheKeys,
}

impl BehaviourKeys {
    /// What holds where a site says nothing.
    pub(super) fn of(conduct: Conduct) -> Self {
        Self {
            methods: match conduct {
                Conduct::Proxy => None,
                Conduct::Edge => Some(vec![Method::GET, Method::HEAD]),
            },
            ..Self::default()
        }
    }

    /// The keys that a site and its behaviours have in common; what is not there is as `inherited`.
    pub(super) fn read(section: &mut Section<'_>, inherited: &Self) -> Self {
        Self {
            origin: inherited.origin.clone(),
            methods: methods::read(section).or_else(|| inherited.methods.clone()),
            default_root_object: default_root_object(section).or_else(|| inherited.default_root_object.clone()),
            trailing_slash: trailing_slash(section).unwrap_or(inherited.trailing_slash),
            error_pages: ErrorPages {
                spa: error_pages::spa_fallback(section).or_else(|| inherited.error_pages.spa.clone()),
                pages: error_pages::pages(section).unwrap_or_else(|| inherited.error_pages.pages.clone()),
            },
            compress: compression(section).unwrap_or(inherited.compress),
            cache: inherited.cache.read(section.section("cache")),
        }
    }

    /// The settings, together with what the origin's kind implies. `None`: there is no such origin, and that has
    /// been reported.
    pub(super) fn settle(self, section: &Section<'_>, choices: Choices<'_>) -> Option<BehaviourSettings> {
        let origin = choices.origin(&self.origin)?;
        let own = AllowedMethods::default_for(origin);
        if let Some(methods) = &self.methods
            && let Some(excess) = methods
                .iter()
                .find(|method| !own.contain(method) && own != AllowedMethods::Any)
        {
            let found = format!("{excess}, which this kind of origin does not know");
            section.refuse("methods", found, own.to_string());
        }
        Some(BehaviourSettings {
            origin: self.origin,
            methods: self.methods.map_or(own, AllowedMethods::Only),
            default_root_object: self.default_root_object,
            trailing_slash: self.trailing_slash,
            error_pages: self.error_pages,
            compress: self.compress,
            cache: self.cache.settle(section, origin),
        })
    }
}

/// Reads one entry. `None`: there was a problem, and it has been reported.
pub(super) fn read(mut section: Section<'_>, site: &BehaviourKeys, choices: Choices<'_>) -> Option<PathBehaviour> {
    let expected = "a path as `/api/*`, with `*` for anything and `?` for one character";
    let text = section.required_text("path", expected);
    let path = text.and_then(|text| {
        let pattern = text.parse::<PathPattern>();
        pattern
            .map_err(|error| section.refuse("path", format!("{text:?} ({error})"), expected))
            .ok()
    });
    let origin = section.text("origin");
    let mut inherited = site.clone();
    if origin.is_some() {
        // They are documents of the site's origin; another one has others, or none.
        inherited.error_pages = ErrorPages::default();
    }
    let mut keys = BehaviourKeys::read(&mut section, &inherited);
    if let Some(name) = origin {
        if choices.named(&name).is_none() {
            section.refuse("origin", format!("{name:?}"), known(choices.named));
        }
        keys.origin = OriginChoice::Named(name.into_owned());
    }
    let settings = keys.settle(&section, choices);
    section.finish();
    Some(PathBehaviour {
        path: path?,
        settings: settings?,
    })
}

fn known<T>(named: &[(String, T)]) -> String {
    let names: Vec<String> = named.iter().map(|(name, _)| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => "the name of a table `[sites.origins.NAME]`".to_owned(),
        _ => format!("one of {}, the tables in `sites.origins`", names.join(", ")),
    }
}

fn default_root_object(section: &mut Section<'_>) -> Option<String> {
    let file = section.text("default_root_object")?.into_owned();
    if file.is_empty() || file.starts_with('/') {
        section.refuse(
            "default_root_object",
            "a leading slash or nothing",
            "a name as `index.html`",
        );
    }
    Some(file)
}

fn trailing_slash(section: &mut Section<'_>) -> Option<TrailingSlash> {
    let to_index = section.parsed("rewrite_trailing_slash_to_index", "true or false")?;
    Some(if to_index {
        TrailingSlash::ToIndex
    } else {
        TrailingSlash::Kept
    })
}

fn compression(section: &mut Section<'_>) -> Option<Compression> {
    let text = section.text("compress")?;
    Some(match &*text {
        "true" => Compression::All,
        "false" => Compression::Off,
        "edge" => Compression::Edge,
        other => {
            section.refuse(
                "compress",
                format!("{other:?}"),
                "true, false, or `edge` for CloudFront's codings alone",
            );
            Compression::Off
        }
    })
}
