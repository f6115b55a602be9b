//! What users of the reference's stack complained about, held against the template that we ship.

/// The template, as it stands in the repository.
const TEMPLATE: &str = include_str!("../../deploy/template.yaml");

/// Name and lines of each entry at two spaces' depth.
fn entries() -> Vec<(String, String)> {
    let mut entries: Vec<(String, String)> = Vec::new();
    for line in TEMPLATE.lines() {
        let name = line.strip_prefix("  ").and_then(|line| line.strip_suffix(':'));
        match name.filter(|name| name.chars().all(char::is_alphanumeric)) {
            Some(name) => entries.push((name.to_owned(), String::new())),
            None => {
                if let Some((_, text)) = entries.last_mut() {
                    text.push_str(line);
                    text.push('\n');
                }
            }
        }
    }
    entries
}

fn entry(name: &str) -> String {
    let entries = entries();
    let found = entries.iter().find(|(known, _)| known == name);
    // What is not there contains nothing.
    found.map(|(_, text)| text.clone()).unwrap_or_default()
}

#[test]
fn pain_07_an_end_of_life_of_one_runtime_costs_a_parameter_and_no_release() {
    let runtimes = entry("EdgeRuntime");
    for family in ["python3.", "nodejs22.", "nodejs24."] {
        assert!(runtimes.contains(family), "{runtimes}");
    }
    assert!(runtimes.contains("Default: python3."), "{runtimes}");
}

#[test]
fn pain_24_functions_that_cloudfront_still_holds_do_not_fail_the_deletion_of_a_stack() {
    for name in [
        "CheckAuthHandler",
        "ParseAuthHandler",
        "RefreshAuthHandler",
        "SignOutHandler",
        "HttpHeadersHandler",
        "TrailingSlashHandler",
    ] {
        let function = entry(name);
        assert!(function.contains("DeletionPolicy: RetainExceptOnCreate"), "{name}");
    }
}
