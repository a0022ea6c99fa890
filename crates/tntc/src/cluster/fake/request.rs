//! A request as the server sees it.

use std::fmt;

use hyper::Request;
use hyper::header::CONTENT_TYPE;
use kube::client::Body;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use tower::BoxError;

/// One request that was made.
#[derive(Debug, Clone)]
pub struct Sent {
    /// As in Kubernetes' audit log, with `apply`, `dry-run` and `merge` for the kinds of `patch`.
    pub verb: &'static str,
    /// Empty where none is named.
    pub namespace: String,
    /// Plural.
    pub resource: String,
    /// Empty for a collection.
    pub name: String,
    /// Such as `log`; empty for the object itself.
    pub subresource: String,
    /// The body; null when there is none.
    pub body: Value,
    query: Vec<(String, String)>,
}

impl Sent {
    /// Takes a request apart.
    pub async fn read(request: Request<Body>) -> Result<Self, BoxError> {
        let (head, body) = request.into_parts();
        let body = body.collect_bytes().await?;
        let query = pairs(head.uri.query().unwrap_or_default());
        let content_type = head.headers.get(CONTENT_TYPE);
        let is_apply = content_type.is_some_and(|it| it == "application/apply-patch+yaml");
        let path = place(head.uri.path());
        let has = |name: &str| query.iter().any(|(key, _)| key == name);
        let verb = match head.method.as_str() {
            "GET" if has("watch") => "watch",
            "GET" if path.2.is_empty() && path.1 != "version" => "list",
            "GET" => "get",
            "PATCH" if has("dryRun") => "dry-run",
            "PATCH" if is_apply => "apply",
            "PATCH" => "merge",
            "DELETE" => "delete",
            _ => "create",
        };
        let (namespace, resource, name, subresource) = path;
        Ok(Self {
            verb,
            namespace,
            resource,
            name,
            subresource,
            body: serde_json::from_slice(&body).unwrap_or_default(),
            query,
        })
    }

    /// A parameter of the query.
    pub fn query(&self, name: &str) -> Option<&str> {
        let mut pairs = self.query.iter();
        pairs.find_map(|(key, value)| (key == name).then_some(value.as_str()))
    }

    /// Whether it asks for nothing to be changed, not even as a dry run.
    pub fn only_reads(&self) -> bool {
        matches!(self.verb, "get" | "list" | "watch") || self.resource.ends_with("reviews")
    }
}

/// The short form: the verb and what it concerns, such as `get pods/one/log?previous`.
impl fmt::Display for Sent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.verb, self.resource)?;
        for part in [&self.name, &self.subresource] {
            if !part.is_empty() {
                write!(out, "/{part}")?;
            }
        }
        if self.query("previous") == Some("true") {
            out.write_str("?previous")?;
        }
        Ok(())
    }
}

fn pairs(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| {
        let text = text.replace('+', " ");
        percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

/// Namespace, plural, name and subresource of a path below `/api/v1` or `/apis/GROUP/VERSION`.
fn place(path: &str) -> (String, String, String, String) {
    let path = percent_decode_str(path).decode_utf8_lossy().into_owned();
    let parts: Vec<_> = path.trim_matches('/').split('/').collect();
    let rest = match parts.as_slice() {
        ["api", _, rest @ ..] | ["apis", _, _, rest @ ..] => rest,
        other => other,
    };
    let (namespace, rest) = match rest {
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (*namespace, rest),
        rest => ("", rest),
    };
    let part = |index: usize| rest.get(index).copied().unwrap_or_default().to_owned();
    let subresource = rest.get(2..).unwrap_or_default().join("/");
    (namespace.to_owned(), part(0), part(1), subresource)
}
