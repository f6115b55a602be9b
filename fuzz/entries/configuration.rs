//! A configuration.json: accepted, or refused with at least one problem that names a key.

use auth_core::{Config, Endpoint, http_headers_from_json, json::Json};

pub(crate) fn run(data: &[u8]) {
    let Ok(json) = Json::parse(data) else { return };
    let endpoints = [
        Endpoint::Protected,
        Endpoint::SignIn,
        Endpoint::Refresh,
        Endpoint::SignOut,
    ];
    let outcomes = endpoints
        .into_iter()
        .map(|endpoint| Config::for_endpoint(endpoint, &json))
        .chain([Config::from_json(&json)]);
    for error in outcomes
        .filter_map(Result::err)
        .chain(http_headers_from_json(&json).err())
    {
        assert!(error.problems.iter().all(|problem| !problem.path.is_empty()));
        assert!(!error.problems.is_empty());
    }
}
