//! `/_dev/…`: faults, keys and clock over HTTP, for scripts that cannot use the library.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;

use crate::endpoint::Endpoint;
use crate::faults::Fault;
use crate::idp::Idp;
use crate::keys::OldKeys;

pub(crate) fn router() -> Router<Arc<Idp>> {
    Router::new()
        .route("/_dev/faults", post(add_fault).delete(clear_faults))
        .route("/_dev/rotate", post(rotate))
        .route("/_dev/clock", post(set_clock))
        .route("/_dev/requests", get(count_requests))
}

/// `{"endpoint": "token", "fault": {"kind": "hang"}, "times": 2}`; without `times` until cleared.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewFault {
    endpoint: Endpoint,
    fault: Fault,
    times: Option<usize>,
}

async fn add_fault(State(idp): State<Arc<Idp>>, Json(new): Json<NewFault>) -> StatusCode {
    match new.times {
        Some(times) => idp.faults.times(new.endpoint, times, new.fault),
        None => idp.faults.set(new.endpoint, new.fault),
    }
    StatusCode::NO_CONTENT
}

async fn clear_faults(State(idp): State<Arc<Idp>>) -> StatusCode {
    idp.faults.clear_all();
    StatusCode::NO_CONTENT
}

/// `{}` withdraws the old keys, `{"keep_old": true}` leaves them published.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotation {
    #[serde(default)]
    keep_old: bool,
}

async fn rotate(State(idp): State<Arc<Idp>>, Json(rotation): Json<Rotation>) -> StatusCode {
    idp.keys.rotate(if rotation.keep_old {
        OldKeys::StayPublished
    } else {
        OldKeys::Withdrawn
    });
    StatusCode::NO_CONTENT
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockSetting {
    offset_seconds: i64,
}

async fn set_clock(State(idp): State<Arc<Idp>>, Json(clock): Json<ClockSetting>) -> StatusCode {
    idp.clock.set_offset(clock.offset_seconds);
    StatusCode::NO_CONTENT
}

async fn count_requests(State(idp): State<Arc<Idp>>) -> Json<HashMap<Endpoint, usize>> {
    Json(idp.recorder.counts())
}
