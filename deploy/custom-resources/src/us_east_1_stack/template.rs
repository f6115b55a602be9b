//! The template of the stack in us-east-1.

use serde_json::{Map, Value, json};

use crate::{problem::Problem, properties::Properties};

/// Never run: CloudFront runs published versions, and none is published of this.
const PLACEHOLDER: &str = "# replaced by the package\n";

/// A stack with nothing but the functions.
pub(super) fn template(properties: &Properties) -> Result<Value, Problem> {
    let handlers = properties.object("Handlers")?.unwrap_or_default();
    let (mut resources, mut outputs) = (Map::new(), Map::new());
    for (name, handler) in handlers.texts() {
        resources.insert(name.to_owned(), function(properties, name, handler)?);
        outputs.insert(name.to_owned(), json!({"Value": {"Fn::GetAtt": [name, "Arn"]}}));
    }
    if resources.is_empty() {
        return Err(Problem::property("Handlers", "none", "at least one function"));
    }
    Ok(json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "The edge functions of the stack with the same name in another region",
        "Resources": resources,
        "Outputs": outputs,
    }))
}

fn function(properties: &Properties, name: &str, handler: &str) -> Result<Value, Problem> {
    let mut function = json!({
        "Code": {"ZipFile": PLACEHOLDER},
        "Handler": handler,
        "Runtime": properties.text("Runtime")?,
        "Role": properties.text("LambdaRoleArn")?,
        "MemorySize": 128,
        "Timeout": 5,
    });
    if let Some(suffix) = properties.optional_text("ResourceSuffix") {
        function["FunctionName"] = json!(format!("{name}-{suffix}"));
    }
    Ok(json!({
        "Type": "AWS::Lambda::Function",
        "DeletionPolicy": "RetainExceptOnCreate",
        "Properties": function,
    }))
}
