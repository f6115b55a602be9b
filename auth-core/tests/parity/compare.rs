//! Holds an outcome against a vector's expectation, as its format describes.

use serde_json::Value;

use super::{
    relations::Captured,
    replay::Outcome,
    vector::{Page, Vector},
};

pub(crate) fn differences(vector: &Vector, outcome: &Outcome) -> Vec<String> {
    let expect = &vector.expect;
    let mut differences = Vec::new();
    if expect.kind == "error" {
        if outcome.result.is_some() && !expect.graceful {
            differences.push("an answer where the reference fails".to_owned());
        }
        return differences;
    }
    let Some(result) = &outcome.result else {
        return vec!["no answer".to_owned()];
    };
    let mut result = result.clone();
    if expect.kind == "response" {
        let captured = if vector.handler == "check-auth" {
            Captured::take(&mut result)
        } else {
            Captured::default()
        };
        if let Some(page) = &expect.page {
            compare_page(page, result["body"].as_str().unwrap_or_default(), &mut differences);
            result["body"] = Value::from("{{PAGE}}");
        }
        if let Some(relations) = &expect.relations {
            captured.check(relations, &mut differences);
        }
    }
    compare(
        "result",
        expect.result.as_ref().unwrap_or(&Value::Null),
        &result,
        &mut differences,
    );
    let (wanted, got) = (
        Value::from(expect.token_requests.clone()),
        Value::from(outcome.token_requests.clone()),
    );
    compare("token_requests", &wanted, &got, &mut differences);
    for (index, least) in expect.token_min_gap_ms.iter().flatten().enumerate() {
        let gap = outcome.gaps_ms.get(index);
        if gap.is_none_or(|gap| gap < least) {
            differences.push(format!(
                "attempt {} came after {gap:?} ms instead of {least}",
                index + 2
            ));
        }
    }
    differences
}

fn compare(path: &str, wanted: &Value, got: &Value, differences: &mut Vec<String>) {
    match (wanted, got) {
        (Value::Object(wanted), Value::Object(got)) => {
            for name in wanted
                .keys()
                .chain(got.keys().filter(|name| !wanted.contains_key(*name)))
            {
                let missing = Value::from("(missing)");
                let at = format!("{path}.{name}");
                compare(
                    &at,
                    wanted.get(name).unwrap_or(&missing),
                    got.get(name).unwrap_or(&missing),
                    differences,
                );
            }
        }
        (Value::Array(wanted), Value::Array(got)) if wanted.len() == got.len() => {
            for (index, (wanted, got)) in wanted.iter().zip(got).enumerate() {
                compare(&format!("{path}[{index}]"), wanted, got, differences);
            }
        }
        _ if wanted == got => {}
        _ => differences.push(format!("{path}: want {wanted}, got {got}")),
    }
}

fn compare_page(page: &Page, body: &str, differences: &mut Vec<String>) {
    let root = format!(r#"<html lang="en" data-page="{}" data-reason=""#, page.kind);
    let reason = body.split_once(&root).and_then(|(_, rest)| rest.split('"').next());
    match (reason, page.reason.as_deref()) {
        (None, _) => differences.push(format!("page is not {}", page.kind)),
        (Some(_), None | Some("any")) => {}
        (Some(got), Some(wanted)) if got == wanted => {}
        (Some(got), Some(wanted)) => differences.push(format!("page reason: want {wanted}, got {got}")),
    }
    let links: Vec<String> = body
        .split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(unescape)
        .collect();
    if links != [page.link.clone()] {
        differences.push(format!("page links: want {:?}, got {links:?}", page.link));
    }
    if page.secret.as_ref().is_some_and(|secret| body.contains(secret)) {
        differences.push("page shows the expected signature".to_owned());
    }
    const OWN_TAGS: [&str; 17] = [
        "html", "head", "meta", "title", "style", "body", "main", "h1", "p", "a", "details", "summary", "code",
        "!doctype", "", "header", "footer",
    ];
    for tag in body.split('<').skip(1) {
        let name = tag.trim_start_matches('/').split([' ', '>']).next().unwrap_or_default();
        if !OWN_TAGS.contains(&name) {
            differences.push(format!("page holds <{name}>"));
        }
    }
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}
