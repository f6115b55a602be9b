//! A user pool and an app client, as the template names them.

use crate::{problem::Problem, properties::Properties};

/// A user pool, by its ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UserPool {
    pub(crate) region: String,
    /// As `eu-west-1_Ab12Cd34E`.
    pub(crate) id: String,
}

impl UserPool {
    /// Reads the property UserPoolArn.
    pub(crate) fn of(properties: &Properties) -> Result<Self, Problem> {
        let arn = properties.text("UserPoolArn")?;
        Self::parse(arn).ok_or_else(|| {
            let expected = "an ARN as arn:aws:cognito-idp:REGION:ACCOUNT:userpool/REGION_ID";
            Problem::property("UserPoolArn", format!("{arn:?}"), expected)
        })
    }

    fn parse(arn: &str) -> Option<Self> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let &["arn", _, "cognito-idp", region, _, pool] = parts.as_slice() else {
            return None;
        };
        let id = pool.strip_prefix("userpool/")?;
        let is_id = |id: &str| {
            id.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        (!region.is_empty() && id.contains('_') && is_id(id)).then(|| Self {
            region: region.to_owned(),
            id: id.to_owned(),
        })
    }
}

/// An app client of a user pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AppClient {
    pub(crate) pool: UserPool,
    pub(crate) id: String,
}

impl AppClient {
    /// Reads the properties UserPoolArn and UserPoolClientId.
    pub(crate) fn of(properties: &Properties) -> Result<Self, Problem> {
        Ok(Self {
            pool: UserPool::of(properties)?,
            id: properties.text("UserPoolClientId")?.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn region_and_id_are_read_from_an_arn() {
        let pool = UserPool::parse("arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_Ab12Cd34E");
        assert_eq!(
            pool,
            Some(UserPool {
                region: "eu-west-1".to_owned(),
                id: "eu-west-1_Ab12Cd34E".to_owned()
            })
        );
    }

    #[test]
    fn other_texts_are_no_pool() {
        for arn in [
            "",
            "eu-west-1_Ab12Cd34E",
            "arn:aws:s3:eu-west-1:111122223333:userpool/eu-west-1_Ab12Cd34E",
            "arn:aws:cognito-idp::111122223333:userpool/eu-west-1_Ab12Cd34E",
            "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/",
            "arn:aws:cognito-idp:eu-west-1:111122223333:client/eu-west-1_Ab12Cd34E",
            "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_a/../b",
        ] {
            assert_eq!(UserPool::parse(arn), None, "{arn}");
        }
    }
}
