//! What the parts of the request path allocate, beside the times that `micro` has measured: one table.
//!
//! A program of its own, because the allocator that counts is not the one that the times are measured with.
#![expect(clippy::print_stdout, reason = "the table is this bench's output")]
#![expect(clippy::expect_used, reason = "a bench stops at the first thing that is wrong")]

mod cases;

use std::{env, fs, path::PathBuf};

use serde_json::Value;

fn main() {
    println!("| part of the path | time, µs | allocations | bytes |\n| --- | ---: | ---: | ---: |");
    for mut case in cases::all() {
        // Warm: what is allocated once is not counted.
        (case.turn)();
        let counted = allocation_counter::measure(|| (case.turn)());
        let time = median_time(case.name).map_or_else(|| "-".to_owned(), |time| format!("{time:.2}"));
        println!(
            "| {} | {time} | {} | {} |",
            case.name, counted.count_total, counted.bytes_total
        );
    }
}

/// Microseconds, from criterion's latest estimates.
fn median_time(name: &str) -> Option<f64> {
    let program = env::current_exe().ok()?;
    // In `target/release/deps`.
    let criterion: PathBuf = program.ancestors().nth(3)?.join("criterion");
    // Criterion makes one folder of a name with a slash.
    let file = criterion.join(name.replace('/', "_")).join("new/estimates.json");
    let estimates: Value = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
    Some(estimates["median"]["point_estimate"].as_f64()? / 1e3)
}
