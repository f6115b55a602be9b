use serde_json::json;

use super::*;
use crate::event::tests::event;

const MAIN: &str = "arn:aws:cloudformation:eu-west-1:111122223333:stack/site/0a1b2c3d";

fn properties() -> Value {
    json!({
        "LambdaRoleArn": "arn:aws:iam::111122223333:role/edge", "Runtime": "python3.13", "ResourceSuffix": "",
        "Handlers": {"CheckAuthHandler": "check-auth.handler"},
    })
}

fn existing(status: &str, template: Value, main_stack: Option<&str>) -> Existing {
    Existing {
        status: status.to_owned(),
        template,
        outputs: Vec::new(),
        main_stack: main_stack.map(str::to_owned),
    }
}

fn template() -> Value {
    match plan(&event("Create", properties(), json!({})), None).unwrap() {
        Plan::Create(template) => template,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_new_stack_holds_functions_within_the_limits_of_the_edge() {
    let template = template();
    let function = &template["Resources"]["CheckAuthHandler"];
    assert_eq!(function["DeletionPolicy"], "RetainExceptOnCreate");
    assert_eq!(
        function["Properties"],
        json!({"Code": {"ZipFile": "# replaced by the package\n"}, "Handler": "check-auth.handler",
            "Runtime": "python3.13", "Role": "arn:aws:iam::111122223333:role/edge", "MemorySize": 128, "Timeout": 5})
    );
    assert_eq!(
        template["Outputs"]["CheckAuthHandler"]["Value"],
        json!({"Fn::GetAtt": ["CheckAuthHandler", "Arn"]})
    );
}

#[test]
fn a_suffix_names_the_functions() {
    let mut properties = properties();
    properties["ResourceSuffix"] = json!("blue");
    let template = template::template(&crate::properties::tests::properties(properties)).unwrap();
    let function = &template["Resources"]["CheckAuthHandler"]["Properties"];
    assert_eq!(function["FunctionName"], "CheckAuthHandler-blue");
}

#[test]
fn what_is_to_be_done_depends_on_what_is_there() {
    let update = event("Update", properties(), json!({}));
    let planned = |stack: Existing| plan(&update, Some(&stack)).unwrap();
    let old = json!({"Resources": {}});
    assert_eq!(planned(existing("CREATE_COMPLETE", template(), Some(MAIN))), Plan::Keep);
    assert_eq!(
        planned(existing("UPDATE_COMPLETE", old.clone(), Some(MAIN))),
        Plan::Update(template())
    );
    for broken in ["ROLLBACK_COMPLETE", "CREATE_FAILED", "DELETE_FAILED", "ROLLBACK_FAILED"] {
        assert_eq!(
            planned(existing(broken, old.clone(), Some(MAIN))),
            Plan::Replace(template()),
            "{broken}"
        );
    }
}

#[test]
fn the_references_stack_is_taken_over_and_nobody_elses() {
    let update = event("Update", properties(), json!({}));
    let mut reference = existing("UPDATE_COMPLETE", json!({}), None);
    assert!(
        plan(&update, Some(&reference))
            .unwrap_err()
            .to_string()
            .contains("another name")
    );
    reference.outputs.push(("DeploymentBucket".to_owned(), "b".to_owned()));
    assert_eq!(plan(&update, Some(&reference)).unwrap(), Plan::Update(template()));
    let other = existing("UPDATE_COMPLETE", json!({}), Some("arn:other"));
    assert!(plan(&update, Some(&other)).is_err());
}

#[test]
fn a_deletion_deletes_our_own_stack_if_it_is_there() {
    let delete = event("Delete", json!({}), json!({}));
    assert_eq!(plan(&delete, None).unwrap(), Plan::Keep);
    assert_eq!(
        plan(&delete, Some(&existing("CREATE_COMPLETE", json!({}), Some(MAIN)))).unwrap(),
        Plan::Delete
    );
    assert_eq!(
        plan(
            &delete,
            Some(&existing("CREATE_COMPLETE", json!({}), Some("arn:other")))
        )
        .unwrap(),
        Plan::Keep
    );
}

#[test]
fn wrong_properties_are_named() {
    for (name, value) in [
        ("LambdaRoleArn", json!("")),
        ("Runtime", json!(null)),
        ("Handlers", json!({})),
        ("Handlers", json!("x")),
    ] {
        let mut wrong = properties();
        wrong[name] = value;
        let problem = plan(&event("Create", wrong, json!({})), None).unwrap_err();
        assert!(problem.to_string().starts_with(name), "{problem}");
    }
}
