//! Servers of this machine that remember what they were asked.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

/// Answers every request with the same text, for as long as the test runs.
pub struct Listener {
    /// Where it listens.
    pub port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Listener {
    pub fn start(answer: impl Into<String>) -> Self {
        Self::at("127.0.0.1", answer)
    }

    /// On any port of an address of this machine.
    pub fn at(address: &str, answer: impl Into<String>) -> Self {
        let listener = TcpListener::bind((address, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (Arc::clone(&requests), answer.into());
        thread::spawn(move || {
            for mut client in listener.incoming().map_while(Result::ok) {
                let mut bytes = [0; 4096];
                let count = client.read(&mut bytes).unwrap_or(0);
                let request = String::from_utf8_lossy(&bytes[..count]).into_owned();
                seen.lock().expect("a lock").push(request);
                // A client that has gone away is no failure of the test.
                drop(client.write_all(answer.as_bytes()));
            }
        });
        Self { port, requests }
    }

    /// What came in so far, each request with its head.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("a lock").clone()
    }
}

/// An HTTP answer.
pub fn http(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
}
