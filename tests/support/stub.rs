//! An HTTP server of a test's own, in place of what a workflow talks to, that pods of the test cluster reach.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::runtime::Runtime;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::NODE_ADDRESS;

/// Reached only when a test fails.
const PATIENCE: Duration = Duration::from_mins(1);

/// Answers with JSON by path, and with 404 elsewhere; remembers what it was asked.
pub struct Stub {
    server: MockServer,
    runtime: Runtime,
}

impl Stub {
    pub fn start(answers: &[(&str, Value)]) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let listener = TcpListener::bind((NODE_ADDRESS, 0)).expect("a port");
        let server = runtime.block_on(async {
            let server = MockServer::builder().listener(listener).start().await;
            for (asked, answer) in answers {
                let answer = ResponseTemplate::new(200).set_body_json(answer);
                let mock = Mock::given(path(*asked)).respond_with(answer);
                mock.mount(&server).await;
            }
            server
        });
        Self { server, runtime }
    }

    pub fn port(&self) -> u16 {
        self.server.address().port()
    }

    pub fn requests(&self) -> Vec<Request> {
        let received = self.runtime.block_on(self.server.received_requests());
        received.expect("requests are remembered")
    }

    /// Waits until somebody has asked for a path.
    #[track_caller]
    pub fn asked_for(&self, path: &str) -> Request {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            let mut requests = self.requests().into_iter();
            if let Some(found) = requests.find(|request| request.url.path() == path) {
                return found;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("nobody asked for {path}: {:?}", self.requests());
    }
}
