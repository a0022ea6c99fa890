//! What a service mesh does to the pods of a namespace.

use std::fs;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::tls::TlsServer;
use super::{Namespace, kubectl, wait_for};

/// A mutating webhook that puts an init container with a capability into each new pod of one namespace.
pub struct Mesh<'a> {
    namespace: &'a Namespace,
    _server: TlsServer,
}

const INJECT: &str = r#"
const container = { name: "mesh-init", image: "mesh", securityContext: { capabilities: { add: ["NET_ADMIN"] } } };
const patch = btoa(JSON.stringify([{ op: "add", path: "/spec/initContainers", value: [container] }]));
async function answer(request: Request): Promise<Response> {
  const { apiVersion, kind, request: { uid } } = await request.json();
  return Response.json({ apiVersion, kind, response: { uid, allowed: true, patchType: "JSONPatch", patch } });
}
"#;

impl<'a> Mesh<'a> {
    pub fn of(namespace: &'a Namespace) -> Self {
        let server = TlsServer::start(INJECT);
        let authority = fs::read(server.dir.path().join("ca.pem")).expect("a certificate");
        let name = namespace.name.as_str();
        let configuration = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
            "metadata": {"name": name},
            "webhooks": [{
                "name": "mesh.tests.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None",
                "clientConfig": {"url": format!("{}/", server.url), "caBundle": STANDARD.encode(authority)},
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}},
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
            }],
        });
        let file = server.dir.path().join("webhook.json");
        fs::write(&file, configuration.to_string()).expect("a file");
        kubectl(["create", "-f", &file.display().to_string()]);
        let mesh = Self {
            namespace,
            _server: server,
        };
        // The API server takes a moment to learn of it.
        wait_for("an injected container", || {
            mesh.refusal().contains("mesh-init").then_some(())
        });
        mesh
    }

    /// What the API server says to a pod.
    fn refusal(&self) -> String {
        let output = Command::new("kubectl")
            .args(["run", "probe", "--image=i", "--dry-run=server"])
            .args(["-n", &self.namespace.name])
            .stdin(Stdio::null())
            .output();
        String::from_utf8_lossy(&output.expect("kubectl runs").stderr).into_owned()
    }
}

impl Drop for Mesh<'_> {
    fn drop(&mut self) {
        let name = self.namespace.name.as_str();
        let deleted = Command::new("kubectl")
            .args(["delete", "mutatingwebhookconfiguration", name])
            .output();
        drop(deleted);
    }
}
