//! Replays the seeds of the fuzz targets through the code that the targets run.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test reads files, and fails by panicking"
)]

#[path = "../../fuzz/entries/auth_flow.rs"]
mod auth_flow;
#[path = "../../fuzz/entries/configuration.rs"]
mod configuration;
#[path = "../../fuzz/entries/id_token.rs"]
mod id_token;
#[path = "../../fuzz/entries/provider_reply.rs"]
mod provider_reply;
#[path = "../../fuzz/entries/sealed_cookies.rs"]
mod sealed_cookies;
#[path = "../../fuzz/entries/site.rs"]
mod site;

fn replay(target: &str, run: fn(&[u8])) {
    let folder = format!("{}/../fuzz/seeds/{target}", env!("CARGO_MANIFEST_DIR"));
    let seeds: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(!seeds.is_empty());
    for seed in seeds {
        run(&std::fs::read(seed).unwrap());
    }
}

#[test]
fn seeds_of_auth_flow_hold() {
    replay("auth_flow", auth_flow::run);
}

#[test]
fn seeds_of_id_token_hold() {
    replay("id_token", id_token::run);
}

#[test]
fn seeds_of_provider_reply_hold() {
    replay("provider_reply", provider_reply::run);
}

#[test]
fn seeds_of_configuration_hold() {
    replay("configuration", configuration::run);
}

#[test]
fn seeds_of_sealed_cookies_hold() {
    replay("sealed_cookies", sealed_cookies::run);
}
