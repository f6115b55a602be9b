//! The files of the sample site: those in the function's package, and the settings of this stack.

use std::{env, fs, io, path::Path};

use serde_json::Value;

use crate::problem::Problem;

/// What the page's script reads about the stack.
const SETTINGS: &str = "settings.json";

/// A file to upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct File {
    pub(super) key: String,
    pub(super) bytes: Vec<u8>,
}

impl File {
    pub(super) fn content_type(&self) -> String {
        let guess = mime_guess::from_path(&self.key).first_or_octet_stream();
        match guess.type_() {
            mime_guess::mime::TEXT => format!("{guess}; charset=utf-8"),
            _ => guess.to_string(),
        }
    }
}

/// Every file of the package's folder `site`, then the settings.
pub(super) fn all(settings: &Value) -> Result<Vec<File>, Problem> {
    let root = env::var_os("LAMBDA_TASK_ROOT").unwrap_or_default();
    let folder = Path::new(&root).join("site");
    let mut files = Vec::new();
    read(&folder, "", &mut files)
        .map_err(|error| Problem::State(format!("the package has no sample site: {error}")))?;
    files.push(File {
        key: SETTINGS.to_owned(),
        bytes: settings.to_string().into_bytes(),
    });
    Ok(files)
}

fn read(folder: &Path, prefix: &str, files: &mut Vec<File>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let key = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            read(&entry.path(), &format!("{key}/"), files)?;
        } else {
            let bytes = fs::read(entry.path())?;
            files.push(File { key, bytes });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_the_type_that_browsers_want() {
        for (key, expected) in [
            ("index.html", "text/html; charset=utf-8"),
            ("assets/app.js", "text/javascript; charset=utf-8"),
            ("favicon.svg", "image/svg+xml"),
            ("settings.json", "application/json"),
            ("data", "application/octet-stream"),
        ] {
            let file = File {
                key: key.to_owned(),
                bytes: Vec::new(),
            };
            assert_eq!(file.content_type(), expected);
        }
    }
}
