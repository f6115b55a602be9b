//! The sample site, within the program: the one that a deployment fills its bucket with.

use include_dir::{Dir, include_dir};
use serde_json::Value;

use super::store::{Running, StoreError};

/// The bucket that it lives in.
pub(super) const BUCKET: &str = "gatehouse";

static SITE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../deploy/sample-sites/spa/dist");

/// What the pages read about the user pool.
const SETTINGS: &str = "settings.json";

/// Browsers ask each time, so that after signing out the page does not come out of their cache.
const CACHE_CONTROL: &str = "private, no-cache";

/// Fills the store with it.
pub(super) async fn upload(store: &Running, settings: &Value) -> Result<(), StoreError> {
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
    store
        .put_cached(BUCKET, SETTINGS, settings.to_string(), CACHE_CONTROL)
        .await
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
            "assets/style.css",
            "favicon.ico",
        ] {
            assert!(SITE.get_file(page).is_some(), "{page}");
        }
    }
}
