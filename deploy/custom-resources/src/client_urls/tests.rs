use serde_json::json;

use super::*;
use crate::event::tests::event;

const ARN: &str = "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_Ab12Cd34E";

fn properties(host: &str) -> Value {
    json!({
        "UserPoolArn": ARN, "UserPoolClientId": "client",
        "CloudFrontDistributionDomainName": host,
        "RedirectPathSignIn": "/parseauth", "RedirectPathSignOut": "/",
        "AlternateDomainNames": [""], "OAuthScopes": ["openid", "email"],
    })
}

fn described(extra: Value) -> Map<String, Value> {
    let mut client = json!({
        "UserPoolId": "eu-west-1_Ab12Cd34E", "ClientId": "client", "ClientName": "n",
        "CallbackURLs": [PLACEHOLDER], "LogoutURLs": [PLACEHOLDER],
        "AllowedOAuthFlows": ["code"], "AllowedOAuthFlowsUserPoolClient": true,
        "AllowedOAuthScopes": ["openid", "email"],
    });
    for (name, value) in extra.as_object().unwrap() {
        client[name] = value.clone();
    }
    client.as_object().unwrap().clone()
}

fn updated(event: &Event, extra: Value) -> Option<Value> {
    update(&plan(event).unwrap(), &described(extra)).map(Value::Object)
}

#[test]
fn a_new_stacks_urls_take_the_place_of_the_placeholder() {
    let event = event("Create", properties("d1.cloudfront.net"), json!({}));
    let request = updated(&event, json!({})).unwrap();
    assert_eq!(request["CallbackURLs"], json!(["https://d1.cloudfront.net/parseauth"]));
    assert_eq!(request["LogoutURLs"], json!(["https://d1.cloudfront.net/"]));
    assert_eq!(plan(&event).unwrap().physical_id, "eu-west-1_Ab12Cd34E/client/urls");
}

/// T-STACK-4
#[test]
fn every_member_is_sent_back_but_those_that_cannot_be() {
    let extra = json!({
        "ClientSecret": "hunter2", "CreationDate": 1.5, "LastModifiedDate": 2.5,
        "RefreshTokenRotation": {"Feature": "ENABLED"}, "EnableTokenRevocation": true,
        "SomethingNew": [1], "WriteAttributes": ["email"],
    });
    let event = event("Create", properties("d1.cloudfront.net"), json!({}));
    let request = updated(&event, extra.clone()).unwrap();
    let names: Vec<&String> = request.as_object().unwrap().keys().collect();
    for name in described(extra.clone()).keys() {
        let read_only = ["ClientSecret", "CreationDate", "LastModifiedDate"].contains(&name.as_str());
        assert_eq!(names.contains(&name), !read_only, "{name}");
    }
    for name in [
        "RefreshTokenRotation",
        "EnableTokenRevocation",
        "SomethingNew",
        "WriteAttributes",
        "ClientName",
    ] {
        assert_eq!(request[name], described(extra.clone())[name], "{name}");
    }
}

#[test]
fn what_others_configured_stays() {
    let event = event("Create", properties("d1.cloudfront.net"), json!({}));
    let extra = json!({
        "CallbackURLs": ["https://other/cb", PLACEHOLDER], "LogoutURLs": [],
        "AllowedOAuthFlows": [], "AllowedOAuthScopes": ["custom/scope"],
        "AllowedOAuthFlowsUserPoolClient": false,
    });
    let request = updated(&event, extra).unwrap();
    assert_eq!(
        request["CallbackURLs"],
        json!(["https://other/cb", "https://d1.cloudfront.net/parseauth"])
    );
    assert_eq!(request["AllowedOAuthFlows"], json!(["code"]));
    assert_eq!(
        request["AllowedOAuthScopes"],
        json!(["custom/scope", "openid", "email"])
    );
    assert_eq!(request["AllowedOAuthFlowsUserPoolClient"], json!(true));
}

#[test]
fn a_client_that_is_as_it_should_be_is_left_alone() {
    let event = event("Create", properties("d1.cloudfront.net"), json!({}));
    let extra = json!({
        "CallbackURLs": ["https://d1.cloudfront.net/parseauth"], "LogoutURLs": ["https://d1.cloudfront.net/"],
    });
    assert_eq!(updated(&event, extra), None);
}

#[test]
fn every_name_of_the_site_gets_its_urls_once() {
    let mut properties = properties("d1.cloudfront.net");
    properties["Aliases"] = json!(["www.example.com", "d1.cloudfront.net"]);
    properties["AlternateDomainNames"] = json!("www.example.com, old.example.com");
    let plan = plan(&event("Create", properties, json!({}))).unwrap();
    assert_eq!(
        plan.want.callback,
        [
            "https://d1.cloudfront.net/parseauth",
            "https://www.example.com/parseauth",
            "https://old.example.com/parseauth"
        ]
    );
}

#[test]
fn an_update_replaces_our_old_urls_and_no_others() {
    let event = event(
        "Update",
        properties("new.cloudfront.net"),
        properties("old.cloudfront.net"),
    );
    let extra = json!({
        "CallbackURLs": ["https://old.cloudfront.net/parseauth", "https://other/cb"],
        "LogoutURLs": ["https://old.cloudfront.net/"],
    });
    let request = updated(&event, extra).unwrap();
    assert_eq!(
        request["CallbackURLs"],
        json!(["https://other/cb", "https://new.cloudfront.net/parseauth"])
    );
    assert_eq!(request["LogoutURLs"], json!(["https://new.cloudfront.net/"]));
    assert_eq!(plan(&event).unwrap().physical_id, "physical");
}

#[test]
fn another_client_is_another_resource() {
    let mut old = properties("d1.cloudfront.net");
    old["UserPoolClientId"] = json!("before");
    let plan = plan(&event("Update", properties("d1.cloudfront.net"), old)).unwrap();
    assert_eq!(plan.physical_id, "eu-west-1_Ab12Cd34E/client/urls");
    assert_eq!(plan.take_away, Wanted::default());
}

#[test]
fn a_deletion_takes_only_our_own_urls_away() {
    let event = event("Delete", properties("d1.cloudfront.net"), json!({}));
    let extra = json!({
        "CallbackURLs": ["https://d1.cloudfront.net/parseauth", "https://other/cb"],
        "LogoutURLs": ["https://d1.cloudfront.net/", "https://other/"],
        "AllowedOAuthScopes": ["openid", "email", "phone"],
    });
    let request = updated(&event, extra).unwrap();
    assert_eq!(request["CallbackURLs"], json!(["https://other/cb"]));
    assert_eq!(request["LogoutURLs"], json!(["https://other/"]));
    assert_eq!(request["AllowedOAuthScopes"], json!(["openid", "email", "phone"]));
}

#[test]
fn the_last_callback_url_gives_way_to_the_placeholder() {
    let event = event("Delete", properties("d1.cloudfront.net"), json!({}));
    let extra = json!({
        "CallbackURLs": ["https://d1.cloudfront.net/parseauth"], "LogoutURLs": ["https://d1.cloudfront.net/"],
    });
    let request = updated(&event, extra).unwrap();
    assert_eq!(request["CallbackURLs"], json!([PLACEHOLDER]));
    assert_eq!(request["LogoutURLs"], json!([]));
}

#[test]
fn wrong_properties_are_named() {
    for (name, value) in [
        ("UserPoolArn", json!("pool")),
        ("UserPoolArn", json!(null)),
        ("UserPoolClientId", json!("")),
        ("RedirectPathSignIn", json!("parseauth")),
        ("RedirectPathSignOut", json!(null)),
        ("AlternateDomainNames", json!({})),
    ] {
        let mut wrong = properties("d1.cloudfront.net");
        wrong[name] = value;
        let problem = plan(&event("Create", wrong, json!({}))).unwrap_err();
        assert!(problem.to_string().starts_with(name), "{problem}");
    }
}
