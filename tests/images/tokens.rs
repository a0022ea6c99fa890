//! Who gives out the tokens of a registry (<https://distribution.github.io/distribution/spec/auth/oauth/>).

use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use wiremock::matchers::{body_string_contains, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

/// What a login has left in the configuration.
pub const IDENTITY: &str = "identity-sesame";

const ISSUER: &str = "issuer.test";
const SERVICE: &str = "registry.test";

/// Gives whoever has [`IDENTITY`] a token to push to the repository `team/e`.
pub struct TokenServer {
    server: MockServer,
    dir: TempDir,
    _runtime: Runtime,
}

impl TokenServer {
    pub fn start() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let token = signed(&dir);
        let runtime = Runtime::new().expect("a runtime");
        let server = runtime.block_on(async {
            let server = MockServer::start().await;
            let answer = json!({"access_token": token, "expires_in": 600});
            Mock::given(method("POST"))
                .and(path("/token"))
                .and(body_string_contains("grant_type=refresh_token"))
                .and(body_string_contains(format!("refresh_token={IDENTITY}")))
                .and(body_string_contains(
                    "scope=repository%3Ateam%2Fe%3Apull%2Cpush",
                ))
                .and(body_string_contains(format!("service={SERVICE}")))
                .respond_with(ResponseTemplate::new(200).set_body_json(answer))
                .mount(&server)
                .await;
            let refusal = json!({"errors": [{"code": "UNAUTHORIZED", "message": "invalid grant"}]});
            Mock::given(path("/token"))
                .respond_with(ResponseTemplate::new(401).set_body_json(refusal))
                .mount(&server)
                .await;
            server
        });
        Self {
            server,
            dir,
            _runtime: runtime,
        }
    }

    /// What a registry is to be told of it.
    pub fn config(&self) -> Value {
        json!({"auth": {"token": {
            "realm": format!("{}/token", self.server.uri()),
            "service": SERVICE,
            "issuer": ISSUER,
            "rootcertbundle": self.dir.path().join("token.pem"),
        }}})
    }
}

/// A token for ten minutes, signed with a key whose certificate is `token.pem` in the directory.
fn signed(dir: &TempDir) -> String {
    let access = json!([{"type": "repository", "name": "team/e", "actions": ["pull", "push"]}]);
    let script = format!(
        "set -e
         openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=token -keyout token.key -out token.pem 2>/dev/null
         url() {{ openssl base64 -A | tr '+/' '-_' | tr -d '='; }}
         chain=$(openssl x509 -in token.pem -outform der | openssl base64 -A)
         now=$(date +%s)
         header=$(printf '{{\"typ\":\"JWT\",\"alg\":\"RS256\",\"x5c\":[\"%s\"]}}' \"$chain\" | url)
         claims=$(printf '{{\"iss\":\"{ISSUER}\",\"sub\":\"user\",\"aud\":\"{SERVICE}\",\"iat\":%d,\"nbf\":%d,\"exp\":%d,\"jti\":\"1\",\"access\":{access}}}' \
           \"$now\" $((now - 60)) $((now + 600)) | url)
         printf '%s.%s.' \"$header\" \"$claims\"
         printf '%s.%s' \"$header\" \"$claims\" | openssl dgst -sha256 -sign token.key | url"
    );
    let output = Command::new("sh")
        .args(["-c", &script])
        .current_dir(dir.path())
        .output();
    let output = output.expect("openssl runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("a token")
}
