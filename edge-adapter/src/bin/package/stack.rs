//! The stack of `deploy/` beside the packages: its template, pointing at zip files, and those of its custom
//! resources. With them `sam deploy` needs neither Rust nor a build.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use edge_adapter::{
    Role,
    archive::{self, Entries, Entry},
};
use thiserror::Error;
use zip::result::ZipError;

use crate::elf;

/// What stands in the template where a package is meant.
const BUILT: &str = "CodeUri: functions/";
const BUILD_METHOD: &str = "Metadata: { BuildMethod: makefile }";
const CUSTOM_RESOURCES: &str = "custom-resources.zip";
/// Functions that hold a sample site, too: the function, its package, and where the site is.
const SITES: [(&str, &str, &str); 2] = [
    ("ReactAppHandler", "sample-spa.zip", "deploy/sample-sites/spa/dist"),
    (
        "StaticSiteHandler",
        "sample-static-site.zip",
        "deploy/sample-sites/static",
    ),
];

/// Why the stack was not emitted.
#[derive(Debug, Error)]
pub(crate) enum StackError {
    /// The program would not run in Lambda.
    #[error(transparent)]
    Program(#[from] elf::Unfit),
    /// A zip file could not be put together.
    #[error("cannot write a zip file: {0}")]
    Zip(#[from] ZipError),
    /// A file of the workspace could not be read.
    #[error("cannot read {0}: {1}")]
    Io(PathBuf, io::Error),
}

/// The files by name, for the custom-resource program given.
pub(crate) fn files(workspace: &Path, program: &[u8]) -> Result<Vec<(String, Vec<u8>)>, StackError> {
    elf::check(program)?;
    let path = workspace.join("deploy/template.yaml");
    let template = fs::read_to_string(&path).map_err(|error| StackError::Io(path, error))?;
    let custom_resources = archive::pack(&Entries::from([("bootstrap".to_owned(), Entry::program(program))]))?;
    let mut files = vec![("template.yaml".to_owned(), pointed(&template).into_bytes())];
    for (_, zip, folder) in SITES {
        let mut site = Entries::new();
        read(&workspace.join(folder), "site/", &mut site)?;
        files.push((zip.to_owned(), archive::extend(&custom_resources, &site)?));
    }
    files.push((CUSTOM_RESOURCES.to_owned(), custom_resources));
    Ok(files)
}

/// The template with packages in place of what `sam build` would build.
fn pointed(template: &str) -> String {
    let (mut pointed, mut function, mut handler) = (String::new(), "", "");
    for line in template.lines().filter(|line| line.trim() != BUILD_METHOD) {
        let text = line.trim();
        if let Some(name) = text
            .strip_suffix(':')
            .filter(|_| line.starts_with("  ") && !line.starts_with("   "))
        {
            function = name;
        }
        handler = text.strip_prefix("Handler: ").unwrap_or(handler);
        if text == BUILT {
            pointed.push_str(&line.replace(BUILT, &format!("CodeUri: {}", package(function, handler))));
        } else {
            pointed.push_str(line);
        }
        pointed.push('\n');
    }
    pointed
}

fn package(function: &str, handler: &str) -> String {
    if let Ok(role) = handler.parse::<Role>() {
        return format!("{}.zip", role.as_str());
    }
    let site = SITES.into_iter().find(|(known, ..)| *known == function);
    site.map_or(CUSTOM_RESOURCES, |(_, zip, _)| zip).to_owned()
}

fn read(folder: &Path, prefix: &str, site: &mut Entries) -> Result<(), StackError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| StackError::Io(path, error)
    };
    for entry in fs::read_dir(folder).map_err(failed(folder))? {
        let path = entry.map_err(failed(folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            read(&path, &format!("{prefix}{name}/"), site)?;
        } else {
            let bytes = fs::read(&path).map_err(failed(&path))?;
            site.insert(format!("{prefix}{name}"), Entry::text(bytes));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn workspace() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
    }

    #[test]
    fn the_emitted_template_names_a_package_for_every_function() {
        let template = fs::read_to_string(workspace().join("deploy/template.yaml")).unwrap();
        let functions = template.lines().filter(|line| line.trim() == BUILT).count();
        let pointed = pointed(&template);
        assert!(!pointed.contains(BUILT) && !pointed.contains("BuildMethod"));
        let named: Vec<&str> = pointed
            .lines()
            .filter_map(|line| line.trim().strip_prefix("CodeUri: "))
            .collect();
        assert_eq!(named.len(), functions);
        let mut expected: BTreeSet<String> = Role::ALL.map(|role| format!("{}.zip", role.as_str())).into();
        expected.insert(CUSTOM_RESOURCES.to_owned());
        expected.extend(SITES.map(|(_, zip, _)| zip.to_owned()));
        assert_eq!(named.into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), expected);
    }

    #[test]
    fn every_sample_site_has_a_page_to_begin_with() {
        for (_, _, folder) in SITES {
            let mut site = Entries::new();
            read(&workspace().join(folder), "site/", &mut site).unwrap();
            assert!(site.contains_key("site/index.html"), "{folder}");
        }
    }

    #[test]
    fn a_program_that_lambda_cannot_run_is_not_packed() {
        assert!(matches!(files(&workspace(), b"#!/bin/sh"), Err(StackError::Program(_))));
    }
}
