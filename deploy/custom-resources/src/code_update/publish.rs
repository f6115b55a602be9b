//! One function: its package with the configuration in it, and a version of that.

use aws_sdk_lambda::{
    Client,
    primitives::Blob,
    types::{LastUpdateStatus, State},
};
use edge_adapter::{
    Role,
    archive::{self, Entries, Entry},
};

use super::{Configuration, FunctionArn};
use crate::{problem::Problem, services::Services, wait::pause};

/// CloudFront takes no larger package for a viewer-triggered function (InvalidLambdaFunctionAssociation).
const MAX_PACKAGE_BYTES: usize = 1_048_576;
/// What a function in front of an origin may have; more is not even fetched.
const MAX_FETCHED_BYTES: usize = 50 * 1024 * 1024;
/// With growing pauses, about four minutes; the function's own time ends first.
const ATTEMPTS: u32 = 50;

/// A function that gets a configuration.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The name for `Fn::GetAtt`; none where the target stands alone.
    pub(super) name: Option<String>,
    pub(super) function: FunctionArn,
    /// Whose package it gets: its own, or that of the function in the stack's region.
    pub(super) package: FunctionArn,
}

/// A version that CloudFront can run.
pub(super) struct Version {
    pub(super) name: Option<String>,
    /// With the number.
    pub(super) arn: String,
    pub(super) number: String,
    pub(super) code_sha256: String,
}

pub(super) async fn publish(
    services: &Services,
    target: &Target,
    configuration: &Configuration,
) -> Result<Version, Problem> {
    let (role, package) = fetch(services, &target.package).await?;
    let settings = configuration.for_role(role)?;
    let package = configured(&target.function, &package, settings)?;
    let lambda = services.lambda(&target.function.region);
    let function = &target.function.arn;
    settled(&lambda, function).await?;
    let updated = lambda
        .update_function_code()
        .function_name(function)
        .zip_file(Blob::new(package))
        .publish(true)
        .send()
        .await
        .map_err(|error| Problem::sdk("UpdateFunctionCode", error))?;
    let number = updated.version().unwrap_or_default().to_owned();
    if number.parse::<u64>().is_err() {
        return Err(Problem::Reply {
            call: "UpdateFunctionCode",
            found: format!("version {number:?}"),
            expected: "the number of the published version",
        });
    }
    let arn = format!("{function}:{number}");
    settled(&lambda, &arn).await?;
    Ok(Version {
        name: target.name.clone(),
        arn,
        number,
        code_sha256: updated.code_sha256().unwrap_or_default().to_owned(),
    })
}

/// The package of a function, and what the function is there for.
async fn fetch(services: &Services, function: &FunctionArn) -> Result<(Role, Vec<u8>), Problem> {
    let lambda = services.lambda(&function.region);
    let found = lambda.get_function().function_name(&function.arn).send().await;
    let found = found.map_err(|error| Problem::sdk("GetFunction", error))?;
    let handler = found.configuration().and_then(|configuration| configuration.handler());
    let role = handler.unwrap_or_default().parse::<Role>();
    let role = role.map_err(|error| Problem::State(format!("function {}: {error}", function.arn)))?;
    let location = found.code().and_then(|code| code.location()).unwrap_or_default();
    let package = services.http.get("the function's package", location, MAX_FETCHED_BYTES);
    Ok((role, package.await?))
}

/// The package with its configuration.json, without compressing the rest again.
fn configured(function: &FunctionArn, package: &[u8], settings: Vec<u8>) -> Result<Vec<u8>, Problem> {
    let unfit = |what: String| Problem::State(format!("function {}: {what}", function.arn));
    let own = Entries::from([("configuration.json".to_owned(), Entry::text(settings))]);
    let package =
        archive::extend(package, &own).map_err(|error| unfit(format!("its package is no zip file: {error}")))?;
    if !has_program(&package) {
        return Err(unfit(
            "its package holds no bootstrap: build the stack with sam build".to_owned(),
        ));
    }
    match too_large(package.len()) {
        Some(what) => Err(unfit(what)),
        None => Ok(package),
    }
}

fn too_large(bytes: usize) -> Option<String> {
    (bytes > MAX_PACKAGE_BYTES).then(|| {
        format!(
            "its package has {bytes} bytes with its configuration, and CloudFront takes {MAX_PACKAGE_BYTES}: \
             shorten HttpHeaders or AdditionalCookies"
        )
    })
}

fn has_program(package: &[u8]) -> bool {
    let names = archive::open(package).and_then(|zip| archive::names(&zip));
    names.is_ok_and(|names| names.iter().any(|name| name == "bootstrap"))
}

/// Waits until a function or version can be used or updated.
async fn settled(lambda: &Client, function: &str) -> Result<(), Problem> {
    for attempt in 0..ATTEMPTS {
        let found = lambda.get_function_configuration().function_name(function).send().await;
        let found = found.map_err(|error| Problem::sdk("GetFunctionConfiguration", error))?;
        let failed = |reason: Option<&str>| {
            let reason = reason.unwrap_or("no reason given");
            Problem::State(format!("function {function} cannot be used: {reason}"))
        };
        match (found.state(), found.last_update_status()) {
            (Some(State::Failed), _) => return Err(failed(found.state_reason())),
            (_, Some(LastUpdateStatus::Failed)) => return Err(failed(found.last_update_status_reason())),
            (Some(State::Pending), _) | (_, Some(LastUpdateStatus::InProgress)) => pause(attempt).await,
            _ => return Ok(()),
        }
    }
    Err(Problem::State(format!("function {function} does not become active")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function() -> FunctionArn {
        FunctionArn::parse("F", "arn:aws:lambda:us-east-1:111122223333:function:f").unwrap()
    }

    fn package() -> Vec<u8> {
        archive::pack(&Entries::from([("bootstrap".to_owned(), Entry::program(b"program"))])).unwrap()
    }

    #[test]
    fn the_configuration_joins_the_program() {
        let configured = configured(&function(), &package(), b"{}".to_vec()).unwrap();
        let names = archive::names(&archive::open(&configured).unwrap()).unwrap();
        assert_eq!(names, ["bootstrap", "configuration.json"]);
    }

    #[test]
    fn configuring_a_package_again_gives_the_same_bytes() {
        let once = configured(&function(), &package(), b"{\"a\":1}".to_vec()).unwrap();
        let twice = configured(&function(), &once, b"{\"a\":1}".to_vec()).unwrap();
        assert_eq!(once, twice);
    }

    #[test]
    fn a_package_of_the_limit_is_uploaded_and_one_byte_more_is_not() {
        assert_eq!(too_large(MAX_PACKAGE_BYTES), None);
        let what = too_large(MAX_PACKAGE_BYTES + 1).unwrap();
        assert!(
            what.contains("has 1048577 bytes") && what.contains("takes 1048576"),
            "{what}"
        );
    }

    #[test]
    fn a_package_that_was_not_built_is_named() {
        let empty = archive::pack(&Entries::new()).unwrap();
        let problem = configured(&function(), &empty, b"{}".to_vec()).unwrap_err();
        assert!(problem.to_string().contains("sam build"), "{problem}");
        assert!(configured(&function(), b"no zip", b"{}".to_vec()).is_err());
    }
}
