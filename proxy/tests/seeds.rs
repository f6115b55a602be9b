//! Replays the seeds of the fuzz targets through the code that the targets run.
#![expect(clippy::unwrap_used, reason = "a test reads files, and fails by panicking")]

#[path = "../../fuzz/entries/admission.rs"]
mod admission;
#[path = "../../fuzz/entries/byte_range.rs"]
mod byte_range;
#[path = "../../fuzz/entries/chunked_body.rs"]
mod chunked_body;
#[path = "../../fuzz/entries/discovery.rs"]
mod discovery;
#[path = "../../fuzz/entries/proxy_header.rs"]
mod proxy_header;
#[path = "../../fuzz/entries/settings.rs"]
mod settings;

fn replay(target: &str, run: fn(&[u8])) {
    let folder = format!("{}/../fuzz/seeds/{target}", env!("CARGO_MANIFEST_DIR"));
    let seeds: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(!seeds.is_empty());
    for seed in seeds {
        let data = std::fs::read(seed).unwrap();
        // And every beginning of it.
        for end in 0..=data.len() {
            run(&data[..end]);
        }
    }
}

#[test]
fn seeds_of_admission_hold() {
    replay("admission", admission::run);
}

#[test]
fn seeds_of_byte_range_hold() {
    replay("byte_range", byte_range::run);
}

#[test]
fn seeds_of_chunked_body_hold() {
    replay("chunked_body", chunked_body::run);
}

#[test]
fn seeds_of_discovery_hold() {
    replay("discovery", discovery::run);
}

#[test]
fn seeds_of_proxy_header_hold() {
    replay("proxy_header", proxy_header::run);
}

#[test]
fn seeds_of_settings_hold() {
    replay("settings", settings::run);
}
