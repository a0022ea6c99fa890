//! An API server that answers some requests by itself, and leaves all others to the real one.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;

use super::Kubeconfig;

/// What a stand-in says to a request (`"POST /api/v1/…"`) with this body: a status such as `403 Forbidden` and a
/// body, or nothing, which leaves the request to the real server. [`HANG_UP`] for a status drops the connection.
pub trait Rule: Fn(&str, &str) -> Option<(&'static str, String)> + Send + Sync + 'static {}
impl<F: Fn(&str, &str) -> Option<(&'static str, String)> + Send + Sync + 'static> Rule for F {}

/// Instead of a status: no answer at all.
pub const HANG_UP: &str = "";

/// A status with the header by which the API server's priority and fairness asks for patience.
pub const TOO_BUSY: &str = "429 Too Many Requests\r\nRetry-After: 1";

/// Stands on loopback in front of the test cluster's API server.
pub struct StandIn {
    port: u16,
    proxy: Child,
}

impl StandIn {
    pub fn start(rule: impl Rule) -> Self {
        let mut proxy = Command::new("kubectl")
            .args(["proxy", "--port=0", "--reject-paths=^$"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("kubectl runs");
        let mut said = String::new();
        let stdout = proxy.stdout.take().expect("a pipe");
        BufReader::new(stdout)
            .read_line(&mut said)
            .expect("a first line");
        let real = said.trim().rsplit(' ').next().expect("an address");
        let real = real.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let rule = Arc::new(rule);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (rule, real) = (Arc::clone(&rule), real.clone());
                // A client that has gone away is no failure of the test.
                thread::spawn(move || drop(serve(client, &real, rule.as_ref())));
            }
        });
        Self { port, proxy }
    }

    /// A kubeconfig that leads here.
    pub fn kubeconfig(&self) -> Kubeconfig {
        Kubeconfig::current().at(&format!("http://127.0.0.1:{}", self.port))
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        drop(self.proxy.kill());
        drop(self.proxy.wait());
    }
}

/// One request a connection, unless it becomes something else than HTTP.
fn serve(client: TcpStream, real: &str, rule: &impl Rule) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    let mut body = vec![0; content_length(&head)];
    reader.read_exact(&mut body)?;
    let request = head.rsplit_once(" HTTP/1.1").map_or("", |(first, _)| first);
    if let Some((status, answer)) = rule(request, &String::from_utf8_lossy(&body)) {
        if status == HANG_UP {
            return client.shutdown(Shutdown::Both);
        }
        return answer_with(client, status, &answer);
    }
    let mut server = TcpStream::connect(real)?;
    if !head.to_ascii_lowercase().contains("\r\nupgrade:") {
        head.insert_str(head.len() - 2, "Connection: close\r\n");
    }
    server.write_all(head.as_bytes())?;
    server.write_all(&body)?;
    let mut back = (server.try_clone()?, client);
    thread::spawn(move || {
        drop(std::io::copy(&mut reader, &mut server));
        drop(server.shutdown(Shutdown::Write));
    });
    std::io::copy(&mut back.0, &mut back.1)?;
    back.1.shutdown(Shutdown::Both)
}

fn content_length(head: &str) -> usize {
    let mut headers = head.lines().filter_map(|line| line.split_once(':'));
    let length = headers.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    length.map_or(0, |(_, value)| value.trim().parse().expect("a length"))
}

fn answer_with(mut client: TcpStream, status: &str, body: &str) -> std::io::Result<()> {
    let length = body.len();
    write!(
        client,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}
