//! Replays the seeds of the fuzz target `event` through the code that the target runs.
#![expect(clippy::panic, reason = "a test fails by panicking")]

#[path = "../../fuzz/entries/event.rs"]
mod event;

#[test]
fn seeds_of_event_hold() {
    let folder = format!("{}/../fuzz/seeds/event", env!("CARGO_MANIFEST_DIR"));
    let seeds: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(!seeds.is_empty());
    for seed in seeds {
        event::run(&std::fs::read(seed).unwrap());
    }
}
