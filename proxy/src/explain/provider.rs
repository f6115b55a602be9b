//! Which provider a site has, where it has still to be asked for its endpoints.

use std::borrow::Cow;

use auth_driver::ReqwestClient;

use super::{
    ExplainError,
    explanation::{Explanation, Outcome},
};
use crate::{
    config::{AuthSettings, SiteSettings},
    discovery::{address, settle_site},
};

/// The site's sign-in: with what its provider says of itself, if it may be asked.
pub(super) fn find<'s>(
    explanation: &mut Explanation,
    site: &'s SiteSettings,
    online: bool,
) -> Result<Cow<'s, AuthSettings>, ExplainError> {
    let Some(issuer) = site.auth.undiscovered() else {
        return Ok(Cow::Borrowed(&site.auth));
    };
    let url = address(issuer);
    if !online {
        let detail = format!("{url}; not asked without --online: its addresses read undiscovered.invalid below");
        explanation.step("provider", Outcome::Skipped, detail);
        return Ok(Cow::Borrowed(&site.auth));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let settled = runtime.block_on(settle_site(site, &ReqwestClient::new()?))?;
    explanation.step("provider", Outcome::Made, url);
    Ok(Cow::Owned(settled))
}
