//! The program and its shims as processes, against an emulated Runtime API.
#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails, and fails by panicking"
)]

mod package;
mod runtime_api;

use std::{path::Path, process::Output};

use edge_adapter::Role;
use serde_json::{Value, json};

use crate::{
    package::{CONFIGURATION, Package, Start},
    runtime_api::{Outcome, RuntimeApi},
};

const HANDLER: &str = "check-auth.handler";

fn event(cookie: &str) -> String {
    json!({"Records": [{"cf": {"config": {"requestId": "request-1"}, "request": {
        "uri": "/a", "method": "GET", "querystring": "",
        "headers": {"host": [{"key": "Host", "value": "app.example"}], "cookie": [{"key": "Cookie", "value": cookie}]},
    }}}]})
    .to_string()
}

fn is_redirect(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Response(response) if response["status"] == "307")
}

#[test]
fn the_program_answers_however_it_is_started() {
    for start in Start::ALL.into_iter().filter(|start| start.is_possible()) {
        let (package, api) = (Package::new(), RuntimeApi::start());
        let running = package.start(start, HANDLER, &api);
        for _ in 0..3 {
            let outcome = api.invoke(&event(""));
            assert!(is_redirect(&outcome), "{start:?}: {outcome:?}");
        }
        drop(running);
    }
}

#[test]
fn every_role_starts_by_its_handler() {
    for role in Role::ALL {
        let (package, api) = (Package::new(), RuntimeApi::start());
        let _running = package.start(Start::Program, &format!("{}.handler", role.as_str()), &api);
        // None answers this; all live to say so.
        assert!(matches!(api.invoke("{}"), Outcome::InvocationError(_)), "{role:?}");
    }
}

#[test]
fn the_program_takes_the_place_of_the_managed_python_runtime() {
    if Start::Python.is_possible() {
        let (package, api) = (Package::new(), RuntimeApi::start());
        let running = package.start(Start::Python, HANDLER, &api);
        api.invoke(&event(""));
        let program = Path::new(env!("CARGO_BIN_EXE_bootstrap")).canonicalize().unwrap();
        assert_eq!(running.executable(), program);
    }
}

#[test]
fn an_event_that_cannot_be_read_fails_its_own_invocation_only() {
    let (package, api) = (Package::new(), RuntimeApi::start());
    let _running = package.start(Start::Program, HANDLER, &api);
    for broken in [
        "",
        "nonsense",
        "{}",
        r#"{"Records":[{"cf":{"request":{"uri":"/","headers":{}}}}]}"#,
    ] {
        let outcome = api.invoke(broken);
        assert!(matches!(outcome, Outcome::InvocationError(_)), "{broken}: {outcome:?}");
        assert!(is_redirect(&api.invoke(&event(""))));
    }
}

#[test]
fn log_lines_are_json_that_say_why_and_quote_no_cookie() {
    let (package, api) = (Package::new(), RuntimeApi::start());
    let running = package.start(Start::Program, HANDLER, &api);
    api.invoke(&event("a=hunter2"));
    api.invoke(r#"{"Records":[{"cf":{"request":{"uri":"/","headers":{"cookie":"hunter2"}}}}]}"#);
    let output = running.end();
    let lines: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "{output}");
    assert_eq!(
        lines[0],
        json!({"level": "INFO", "message": "decided", "reason": "session-absent", "role": "check-auth",
            "request_id": "request-1"})
    );
    assert_eq!(lines[1]["message"], "invocation failed");
    assert!(!output.contains("hunter2"));
}

#[test]
fn nothing_is_logged_at_level_none() {
    let (package, api) = (Package::new(), RuntimeApi::start());
    package.configure(&CONFIGURATION.replace("\"info\"", "\"none\""));
    let running = package.start(Start::Program, HANDLER, &api);
    api.invoke(&event(""));
    assert_eq!(running.end(), "");
}

/// Runs a package that cannot start, to its end.
fn failing(package: &Package, start: Start, handler: &str) -> (Output, RuntimeApi) {
    let api = RuntimeApi::start();
    let output = package.command(start, handler, &api).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{start:?}: {output:?}");
    (output, api)
}

fn init_error(package: &Package, handler: &str) -> (String, String) {
    let (output, api) = failing(package, Start::Program, handler);
    let Outcome::InitError(error) = api.outcome() else {
        panic!("no init error: {output:?}");
    };
    let (kind, message) = (
        error["errorType"].as_str().unwrap(),
        error["errorMessage"].as_str().unwrap(),
    );
    let logged: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(logged["message"], message);
    (kind.to_owned(), message.to_owned())
}

#[test]
fn a_handler_that_names_no_role_is_an_init_error() {
    let (kind, message) = init_error(&Package::new(), "index.handler");
    assert_eq!(kind, "Runtime.InvalidHandler");
    assert!(
        message.contains("\"index.handler\"") && message.contains("check-auth.handler"),
        "{message}"
    );
}

#[test]
fn a_missing_configuration_is_an_init_error_that_names_the_file() {
    let package = Package::new();
    std::fs::remove_file(package.path("configuration.json")).unwrap();
    let (kind, message) = init_error(&package, HANDLER);
    assert_eq!(kind, "Runtime.InvalidConfiguration");
    assert!(message.contains("configuration.json"), "{message}");
}

#[test]
fn a_configuration_that_is_no_json_is_an_init_error_that_does_not_quote_it() {
    let package = Package::new();
    package.configure("{\"clientSecret\": hunter2}");
    let (kind, message) = init_error(&package, HANDLER);
    assert_eq!(kind, "Runtime.InvalidConfiguration");
    assert!(message.contains("line 1") && !message.contains("hunter2"), "{message}");
}

#[test]
fn a_wrong_configuration_is_an_init_error_with_every_problem() {
    let package = Package::new();
    package.configure(
        &CONFIGURATION
            .replace("\"userPoolArn\"", "\"x\"")
            .replace("\"httpHeaders\"", "\"y\""),
    );
    let (kind, message) = init_error(&package, HANDLER);
    assert_eq!(kind, "Runtime.InvalidConfiguration");
    assert!(
        message.contains("userPoolArn") && message.contains("httpHeaders"),
        "{message}"
    );
}

#[test]
fn a_missing_variable_ends_the_program_with_a_sentence_and_no_panic() {
    let (package, api) = (Package::new(), RuntimeApi::start());
    for (name, value) in [
        ("_HANDLER", None),
        ("AWS_LAMBDA_RUNTIME_API", None),
        ("AWS_LAMBDA_RUNTIME_API", Some("not an authority/")),
        ("AWS_LAMBDA_FUNCTION_NAME", None),
        ("AWS_LAMBDA_FUNCTION_VERSION", None),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", None),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", Some("much")),
    ] {
        let mut command = package.command(Start::Program, HANDLER, &api);
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{name}: {output:?}");
        assert!(String::from_utf8(output.stdout).unwrap().contains(name));
        assert!(output.stderr.is_empty());
    }
}

#[test]
fn a_failing_program_ends_the_managed_runtime_too() {
    for start in Start::SHIMS.into_iter().filter(|start| start.is_possible()) {
        let package = Package::new();
        package.configure("{}");
        let (_, api) = failing(&package, start, HANDLER);
        assert!(matches!(api.outcome(), Outcome::InitError(_)), "{start:?}");
    }
}

/// The first bytes of a program, for the machine and with the length that they claim.
fn elf(machine: u16, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; 64];
    bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
    bytes[18..20].copy_from_slice(&machine.to_le_bytes());
    bytes[40..48].copy_from_slice(&4096u64.to_le_bytes());
    bytes.resize(length, 0);
    bytes
}

#[test]
fn shims_refuse_a_program_that_cannot_run_with_a_sentence_instead_of_a_hang() {
    let cases = [
        (Package::incomplete(), "is missing"),
        (Package::with_program(&elf(62, 8192), 0o644), "is not executable"),
        (Package::with_program(b"", 0o755), "is not an x86-64 Linux program"),
        (
            Package::with_program(b"#!/bin/sh\nexit 0\n", 0o755),
            "is not an x86-64 Linux program",
        ),
        (
            Package::with_program(&elf(183, 8192), 0o755),
            "is not an x86-64 Linux program",
        ),
        (Package::with_program(&elf(62, 4095), 0o755), "is cut short"),
    ];
    for start in Start::SHIMS.into_iter().filter(|start| start.is_possible()) {
        for (package, sentence) in &cases {
            let (output, _) = failing(package, start, HANDLER);
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(
                said.contains("ProgramError") && said.contains(sentence),
                "{start:?}, {sentence}: {said}"
            );
            assert!(!said.contains("the module returned"));
        }
    }
}
