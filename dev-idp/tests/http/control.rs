use dev_idp::{Control, DevIdp, Endpoint, Overrides, Settings};
use hyper::Method;
use serde_json::{Value, json as value};

use crate::browser::{post_form, settings, verifies};
use crate::client::Request;

async fn send(method: Method, url: String, body: &Value) -> u16 {
    Request::new(method, url).json(body).send().await.status().as_u16()
}

#[tokio::test]
async fn faults_keys_and_clock_are_set_over_http_when_allowed() {
    let idp = DevIdp::start(Settings {
        control: Control::Open,
        ..settings()
    })
    .await
    .unwrap();
    let faults = format!("{}/_dev/faults", idp.url());
    let post = Method::POST;
    let token = || post_form(&idp, "/oauth2/token", None, &[]);

    let once = value!({ "endpoint": "token", "fault": { "kind": "status", "status": 500 }, "times": 1 });
    assert_eq!(send(post.clone(), faults.clone(), &once).await, 204);
    assert_eq!(token().await.status(), 500);
    assert_eq!(token().await.status(), 400);
    let lasting = value!({ "endpoint": "token", "fault": { "kind": "status", "status": 503, "body": "html" } });
    assert_eq!(send(post.clone(), faults.clone(), &lasting).await, 204);
    assert_eq!(token().await.status(), 503);
    assert_eq!(send(Method::DELETE, faults.clone(), &value!({})).await, 204);
    assert_eq!(token().await.status(), 400);
    assert_eq!(
        send(
            post.clone(),
            faults,
            &value!({ "endpoint": "token", "fault": { "kind": "explode" } })
        )
        .await,
        422
    );

    let old = idp.mint_id_token("alice", &Overrides::none()).unwrap();
    assert_eq!(
        send(
            post.clone(),
            format!("{}/_dev/rotate", idp.url()),
            &value!({ "keep_old": true })
        )
        .await,
        204
    );
    assert!(verifies(&old, &idp.jwks()));
    assert_eq!(
        send(post.clone(), format!("{}/_dev/rotate", idp.url()), &value!({})).await,
        204
    );
    assert!(!verifies(&old, &idp.jwks()));

    let early = crate::browser::part(&old, 1)["iat"].as_i64().unwrap();
    assert_eq!(
        send(
            post,
            format!("{}/_dev/clock", idp.url()),
            &value!({ "offset_seconds": 5000 })
        )
        .await,
        204
    );
    let later = idp.mint_id_token("alice", &Overrides::none()).unwrap();
    assert!(crate::browser::part(&later, 1)["iat"].as_i64().unwrap() >= early + 5000);

    let counts = Request::get(format!("{}/_dev/requests", idp.url()))
        .send()
        .await
        .json()
        .await;
    assert_eq!(counts, value!({ "token": idp.requests().count(Endpoint::Token) }));
}
