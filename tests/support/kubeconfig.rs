//! Kubeconfigs of other users, and of other ways to the test cluster.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::kubectl;

/// A changed copy of the current context, deleted with the test.
pub struct Kubeconfig {
    content: Value,
    file: NamedTempFile,
}

impl Kubeconfig {
    /// The current context as it is.
    pub fn current() -> Self {
        let text = kubectl([
            "config",
            "view",
            "--raw",
            "--minify",
            "--flatten",
            "-o",
            "json",
        ]);
        Self {
            content: serde_json::from_str(&text).expect("JSON"),
            file: NamedTempFile::new().expect("a temporary file"),
        }
        .written()
    }

    /// Acts as somebody who may do nothing that is not granted to them.
    pub fn acting_as(mut self, user: &str) -> Self {
        self.content["users"][0]["user"]["as"] = json!(user);
        self.written()
    }

    /// Acts as a member of these groups only.
    pub fn in_groups(mut self, groups: &[&str]) -> Self {
        self.content["users"][0]["user"]["as-groups"] = json!(groups);
        self.written()
    }

    /// Has no credentials but these, written as a kubeconfig's `user`.
    pub fn with_user(mut self, user: &Value) -> Self {
        self.content["users"][0]["user"] = user.clone();
        self.written()
    }

    /// The same cluster and user under another context's name.
    pub fn named(&self, name: &str) -> Self {
        let mut content = self.content.clone();
        content["contexts"][0]["name"] = json!(name);
        content["current-context"] = json!(name);
        let file = NamedTempFile::new().expect("a temporary file");
        Self { content, file }.written()
    }

    /// Its context names a namespace.
    pub fn in_namespace(mut self, namespace: &str) -> Self {
        self.content["contexts"][0]["context"]["namespace"] = json!(namespace);
        self.written()
    }

    /// Reaches the API server at another address.
    pub fn at(mut self, server: &str) -> Self {
        self.content["clusters"][0]["cluster"]["server"] = json!(server);
        self.written()
    }

    /// Expects this name in the server's certificate.
    pub fn with_server_name(mut self, name: &str) -> Self {
        self.content["clusters"][0]["cluster"]["tls-server-name"] = json!(name);
        self.written()
    }

    /// `host:port` of the API server.
    pub fn authority(&self) -> &str {
        let server = &self.content["clusters"][0]["cluster"]["server"];
        let server = server.as_str().expect("a server");
        server.trim_start_matches("https://")
    }

    pub fn path(&self) -> &Path {
        self.file.path()
    }

    fn written(self) -> Self {
        std::fs::write(self.file.path(), self.content.to_string()).expect("a kubeconfig");
        self
    }
}
