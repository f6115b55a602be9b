//! The sample site, within the program.

use include_dir::{Dir, include_dir};

use super::store::{Running, StoreError};

/// The bucket that it lives in.
pub(super) const BUCKET: &str = "gatehouse";

static SITE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/demo-site");

/// Browsers ask each time, so that after signing out the page does not come out of their cache.
const CACHE_CONTROL: &str = "private, no-cache";

/// Fills the store with it.
pub(super) async fn upload(store: &Running) -> Result<(), StoreError> {
    let mut folders = vec![&SITE];
    while let Some(folder) = folders.pop() {
        folders.extend(folder.dirs());
        for file in folder.files() {
            // Not shown where a name is not UTF-8, and there is none.
            if let Some(key) = file.path().to_str() {
                store.put_cached(BUCKET, key, file.contents(), CACHE_CONTROL).await?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_site_has_its_pages() {
        for page in [
            "index.html",
            "static.html",
            "reports/index.html",
            "assets/app.js",
            "favicon.ico",
        ] {
            assert!(SITE.get_file(page).is_some(), "{page}");
        }
    }
}
