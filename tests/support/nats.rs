//! A real nats-server of a test's own, with `JetStream`, that pods of the test cluster reach.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{NODE_ADDRESS, free_port};

/// How long one attempt waits; before somebody subscribes, no reply can come.
const REPLY: Duration = Duration::from_secs(2);
/// Attempts of a request; all of them are made only when a test fails.
const ATTEMPTS: usize = 30;

/// Asks for the token `sesame`.
pub struct Nats {
    process: Child,
    /// `host:port`
    pub address: String,
    _dir: TempDir,
}

impl Nats {
    pub fn start() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let address = format!("{NODE_ADDRESS}:{}", free_port(NODE_ADDRESS));
        let config = dir.path().join("nats.conf");
        let text = format!(
            "listen: \"{address}\"\nauthorization {{ token: sesame }}\njetstream {{ store_dir: \"{}\" }}\n",
            dir.path().display()
        );
        fs::write(&config, text).expect("a file");
        let process = Command::new("nats-server")
            .arg("--config")
            .arg(&config)
            .stderr(Stdio::null())
            .spawn()
            .expect("nats-server is installed");
        Self {
            process,
            address,
            _dir: dir,
        }
    }

    /// Publishes until a reply comes, and gives the reply: of whoever receives, or of the stream that keeps the message.
    #[track_caller]
    pub fn request(&self, subject: &str, payload: &str) -> String {
        for _ in 0..ATTEMPTS {
            match self.attempt(subject, payload) {
                Ok(reply) => return reply,
                Err(_) => std::thread::sleep(Duration::from_millis(100)),
            }
        }
        panic!("no reply to {subject} from anybody");
    }

    /// A request to the API of `JetStream`, below `$JS.API`; its answer.
    #[track_caller]
    pub fn api(&self, subject: &str, request: &Value) -> Value {
        let text = self.request(&format!("$JS.API.{subject}"), &request.to_string());
        serde_json::from_str(&text).expect("JSON")
    }

    /// Makes a stream of this subject.
    #[track_caller]
    pub fn make_stream(&self, name: &str, subject: &str) {
        let stream =
            json!({"name": name, "subjects": [subject], "retention": "limits", "storage": "file"});
        let made = self.api(&format!("STREAM.CREATE.{name}"), &stream);
        assert!(made["error"].is_null(), "{made}");
    }

    /// Names of a stream's consumers.
    pub fn consumers(&self, stream: &str) -> Vec<String> {
        let answer = self.api(&format!("CONSUMER.NAMES.{stream}"), &json!({}));
        let names = answer["consumers"].as_array().into_iter().flatten();
        names.filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// One request by the client protocol of NATS.
    fn attempt(&self, subject: &str, payload: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(REPLY))?;
        let connect = json!({"auth_token": "sesame", "verbose": false, "pedantic": false});
        let length = payload.len();
        let lines = format!(
            "CONNECT {connect}\r\nSUB _INBOX.test 1\r\nPUB {subject} _INBOX.test {length}\r\n{payload}\r\n"
        );
        stream.write_all(lines.as_bytes())?;
        let mut lines = BufReader::new(stream).lines();
        while let Some(line) = lines.next() {
            if line?.starts_with("MSG ") {
                return lines.next().unwrap_or_else(|| Ok(String::new()));
            }
        }
        Err(std::io::ErrorKind::UnexpectedEof.into())
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
