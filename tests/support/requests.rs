//! Requests one after another, all through whatever a test does meanwhile.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Requests that end by themselves, should the test forget them: five minutes' worth.
const MOST: u32 = 30_000;

/// A client that asks each ten milliseconds.
pub struct Requests {
    stop: Arc<AtomicBool>,
    client: JoinHandle<(u32, Vec<String>)>,
}

/// Starts to ask the engine at this address for runs.
pub fn requests(address: &str) -> Requests {
    let stop = Arc::new(AtomicBool::new(false));
    let (address, stopped) = (address.to_owned(), Arc::clone(&stop));
    let client = std::thread::spawn(move || {
        let (mut answered, mut failures) = (0, Vec::new());
        for _ in 0..MOST {
            if stopped.load(Ordering::Relaxed) {
                break;
            }
            match ask(&address) {
                Ok(answer) if answer.starts_with("HTTP/1.1 200") => answered += 1,
                Ok(answer) => failures.push(answer),
                Err(cause) => failures.push(cause.to_string()),
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        (answered, failures)
    });
    Requests { stop, client }
}

impl Requests {
    /// How many were answered, and what went wrong with the others.
    pub fn stop(self) -> (u32, Vec<String>) {
        self.stop.store(true, Ordering::Relaxed);
        self.client.join().expect("a client that does not panic")
    }
}

fn ask(address: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let request = format!(
        "POST /run HTTP/1.1\r\nHost: {address}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
