//! A demo from its start to its end.

use std::net::{SocketAddr, TcpListener};

use super::*;

fn arguments() -> Arguments {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    Arguments {
        listen: any,
        admin: any,
        idp: any,
        json: true,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_starts_says_where_it_is_and_stops() {
    let demo = Demo::start(&arguments()).await.unwrap();
    let mut line = Vec::new();
    demo.announce(true, &mut line).unwrap();
    assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
    let said: serde_json::Value = serde_json::from_slice(&line).unwrap();
    assert_eq!(said["url"], demo.url);
    assert_eq!(said["users"][0]["username"], "alice");
    assert_eq!(said["users"][0]["groups"][0], "admins");
    assert_eq!(said["pid"], std::process::id());
    let mut text = Vec::new();
    demo.announce(false, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(
        text.contains(&demo.url) && text.contains("Portcullis-1") && text.contains("/metrics"),
        "{text}"
    );
    let address = demo.server.http_addrs[0];
    demo.shutdown().await;
    assert!(TcpListener::bind(address).is_ok(), "the port is free again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_named_with_its_option() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    for (flag, arguments) in [
        (
            "--listen",
            Arguments {
                listen: address,
                ..arguments()
            },
        ),
        (
            "--admin",
            Arguments {
                admin: address,
                ..arguments()
            },
        ),
        (
            "--idp",
            Arguments {
                idp: address,
                ..arguments()
            },
        ),
    ] {
        let refused = Demo::start(&arguments).await.unwrap_err().to_string();
        assert!(
            refused.contains(flag) && refused.contains(&address.port().to_string()),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn addresses_that_others_reach_are_refused() {
    let elsewhere = Arguments {
        listen: "192.0.2.1:0".parse().unwrap(),
        ..arguments()
    };
    assert!(matches!(
        Demo::start(&elsewhere).await,
        Err(DemoError::NotLocal { flag: "--listen", .. })
    ));
}
