//! A function's ARN.

use crate::problem::Problem;

/// The ARN of a function, without a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FunctionArn {
    pub(super) arn: String,
    pub(super) region: String,
}

impl FunctionArn {
    /// Reads the value of a property.
    pub(super) fn parse(property: &str, arn: &str) -> Result<Self, Problem> {
        let parts: Vec<&str> = arn.split(':').collect();
        match parts.as_slice() {
            &["arn", _, "lambda", region, _, "function", name] if !region.is_empty() && !name.is_empty() => Ok(Self {
                arn: arn.to_owned(),
                region: region.to_owned(),
            }),
            _ => {
                let expected = "an ARN as arn:aws:lambda:REGION:ACCOUNT:function:NAME, without a version";
                Err(Problem::property(property, format!("{arn:?}"), expected))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_has_a_region_and_no_version() {
        let arn = "arn:aws:lambda:us-east-1:111122223333:function:f";
        assert_eq!(FunctionArn::parse("F", arn).unwrap().region, "us-east-1");
        for wrong in [
            "",
            "f",
            "arn:aws:lambda:us-east-1:1:function:f:7",
            "arn:aws:lambda::1:function:f",
            "arn:aws:s3:::f",
        ] {
            let problem = FunctionArn::parse("F", wrong).unwrap_err();
            assert!(problem.to_string().starts_with("F: "), "{problem}");
        }
    }
}
