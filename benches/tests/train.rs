//! The training as a build does it, shorter.
#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is wrong")]

use std::process::{Command, Output};

fn train(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_benches"));
    command.arg("train").args(arguments).env_remove("PORTCULLIS");
    command.output().unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn each_lesson_is_answered_as_it_should_be() {
    let output = train(&["--requests", "60"]);
    let told = told(&output);
    assert!(output.status.success(), "{told}");
    for lesson in [
        "HTTP/1.1",
        "TLS",
        "HTTP/2",
        "new sessions",
        "cache",
        "S3",
        "Brotli",
        "Zstandard",
        "gzip",
    ] {
        assert!(told.contains(&format!("{lesson}: ")), "{lesson}: {told}");
    }
}

#[test]
fn a_program_that_is_no_proxy_is_named() {
    let output = train(&["--proxy", "/no/such/portcullis"]);
    let told = told(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("start portcullis"), "{told}");

    // It ends at once, without a word.
    let output = train(&["--proxy", "/bin/true"]);
    let told = self::told(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("portcullis ended"), "{told}");
}
