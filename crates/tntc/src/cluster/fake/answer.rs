//! What the server answers, and the ways in which it fails.

use std::io;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::iter;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::Response;
use hyper::body::{Bytes, Frame};
use hyper::header::{CONTENT_TYPE, RETRY_AFTER};
use kube::client::DynBody;
use serde_json::{Value, json};
use tower::BoxError;

use crate::cluster::client::trouble::Place;

/// An answer, or what comes instead of one.
#[derive(Debug, Clone)]
pub enum Answer {
    /// A status code and a body of this media type.
    Text(u16, &'static str, String),
    /// Busy, with how many seconds to wait.
    Busy(u16, &'static str),
    /// The connection is lost before the answer.
    Cut,
    /// The connection is lost after this much of the body.
    CutAfter(String),
}

impl Answer {
    /// An object, or any other JSON.
    pub fn json(value: &Value) -> Self {
        Self::Text(200, "application/json", value.to_string())
    }

    /// A failure as the API server words it.
    pub fn status(code: u16, reason: &str, message: &str) -> Self {
        Self::detailed(code, reason, message, &json!({}))
    }

    /// The same with `details`, such as the causes.
    pub fn detailed(code: u16, reason: &str, message: &str, details: &Value) -> Self {
        let status = json!({"apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure",
            "code": code, "reason": reason, "message": message, "details": details});
        Self::Text(code, "application/json", status.to_string())
    }

    /// The user may not do that.
    pub fn forbidden(message: &str) -> Self {
        Self::status(403, "Forbidden", message)
    }

    /// The server failed.
    pub fn internal_error() -> Self {
        Self::status(500, "InternalError", "etcdserver: request timed out")
    }

    /// Another manager owns a field.
    pub fn field_conflict(message: &str) -> Self {
        let causes = json!({"causes": [{"reason": "FieldManagerConflict", "message": message, "field": ".spec"}]});
        Self::detailed(409, "Conflict", message, &causes)
    }

    /// A watch that ends at once, since what it was to begin with is forgotten.
    pub fn expired_watch() -> Self {
        let status = json!({"apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure",
            "code": 410, "reason": "Expired", "message": "too old resource version"});
        Self::json(&json!({"type": "ERROR", "object": status}))
    }

    /// A page of a proxy.
    pub fn html(code: u16) -> Self {
        let page = "<html><body>Please log in</body></html>";
        Self::Text(code, "text/html; charset=utf-8", page.to_owned())
    }

    /// As it goes over the wire.
    pub fn into_response(self, place: &Arc<Place>) -> Result<Response<Box<DynBody>>, BoxError> {
        let (code, media_type, retry_after, body) = match self {
            Self::Text(code, media_type, text) => (code, media_type, None, whole(text)),
            Self::Busy(code, seconds) => {
                let text = "too many requests".to_owned();
                (code, "text/plain", Some(seconds), whole(text))
            }
            Self::Cut => {
                let cause = io::Error::from(io::ErrorKind::ConnectionReset);
                return Err(place.explain(&cause).into());
            }
            Self::CutAfter(text) => (200, "application/json", None, broken(text)),
        };
        let mut response = json(code, body);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, media_type.parse()?);
        if let Some(seconds) = retry_after {
            headers.insert(RETRY_AFTER, seconds.parse()?);
        }
        Ok(response)
    }
}

/// An answer in JSON.
pub fn json(code: u16, body: Box<DynBody>) -> Response<Box<DynBody>> {
    let response = Response::builder()
        .status(code)
        .header(CONTENT_TYPE, "application/json");
    response.body(body).expect("a response")
}

fn whole(text: String) -> Box<DynBody> {
    let body = Full::new(Bytes::from(text));
    Box::new(body.map_err(|never| match never {}))
}

fn broken(text: String) -> Box<DynBody> {
    let end = io::Error::from(io::ErrorKind::ConnectionReset);
    let frames = [Ok(Frame::data(Bytes::from(text))), Err(BoxError::from(end))];
    Box::new(StreamBody::new(iter(frames).boxed()))
}
