//! What the parts of the request path cost in time, with the allocator that the proxy has.
//!
//! The last lines hold pairs against each other in turns: a first-seen token against the signature's verification
//! alone, a known session in the enhanced profile against one in the reference's, the AWS SDK's signature against ours,
//! a large cache hit against a small one. Those ratios do not depend on how busy the machine is.
#![expect(clippy::print_stdout, reason = "a bench reports on standard output")]
#![expect(clippy::expect_used, reason = "a bench stops at the first thing that is wrong")]

mod cases;

use std::env;

use benches::process::thread_time;
use criterion::Criterion;

use crate::cases::Case;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Turns of each side in a round of the comparison: a millisecond, so that both see the same machine.
const TURNS: u32 = 32;
const ROUNDS: usize = 1001;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for mut case in cases::all() {
        criterion.bench_function(case.name, |bencher| bencher.iter(|| (case.turn)()));
    }
    criterion.final_summary();
    // `cargo test --benches` only wants to know that everything runs.
    if env::args().any(|argument| argument == "--bench") {
        compare("decide/first_seen_session", "crypto/rs256_alone");
        compare("decide/first_seen_session_enhanced", "crypto/rs256_alone");
        compare("decide/known_session_enhanced", "decide/known_session");
        compare("sigv4/aws_sigv4_crate", "sigv4/ours");
        compare("cache/hit_100_kb", "cache/hit_1_kb");
    }
}

fn compare(whole: &str, alone: &str) {
    let mut cases = cases::all();
    let mut take = |name| {
        let at = cases.iter().position(|case| case.name == name);
        cases.swap_remove(at.expect("there is a case of that name"))
    };
    let (mut whole, mut alone) = (take(whole), take(alone));
    let rounds: Vec<[f64; 2]> = (0..ROUNDS).map(|_| [time(&mut whole), time(&mut alone)]).collect();
    let median = |of: &dyn Fn(&[f64; 2]) -> f64| {
        let mut values: Vec<f64> = rounds.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[ROUNDS / 2]
    };
    println!(
        "\n{} {:.2} µs, {} {:.2} µs, in turns; ratio {:.3}",
        whole.name,
        median(&|round| round[0]),
        alone.name,
        median(&|round| round[1]),
        median(&|round| round[0] / round[1]),
    );
}

/// Microseconds of processor time a turn.
fn time(case: &mut Case) -> f64 {
    let began = thread_time();
    for _ in 0..TURNS {
        (case.turn)();
    }
    (thread_time() - began).as_secs_f64() * 1e6 / f64::from(TURNS)
}
