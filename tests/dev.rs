//! `tntc dev`: the engine on this machine, reloading.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

use crate::support::{Tntc, Workflow, free_port, interrupt, signal, tntc};

/// Reached only when a test fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// A `tntc dev` that serves.
pub struct Running {
    process: Child,
    port: u16,
    lines: Receiver<String>,
}

impl Running {
    /// Starts `tntc dev` on a free port and waits until it listens.
    pub fn start(workflow: &Workflow) -> Self {
        Self::with(workflow, |command| command)
    }

    /// The same with something changed about the command.
    pub fn with(workflow: &Workflow, change: impl FnOnce(Tntc) -> Tntc) -> Self {
        let port = free_port("127.0.0.1");
        let command = tntc(["dev", workflow.path(), "-p", &port.to_string()]);
        let mut process = change(command)
            .command()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("tntc starts");
        let stderr = BufReader::new(process.stderr.take().expect("a pipe"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            stderr
                .lines()
                .map_while(Result::ok)
                .try_for_each(|line| sender.send(line))
        });
        let mut running = Self {
            process,
            port,
            lines,
        };
        running.until("listening on 127.0.0.1");
        running
    }

    /// Waits for a line of the log that contains `text`.
    #[track_caller]
    pub fn until(&mut self, text: &str) -> String {
        let mut seen = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(text) => return line,
                Ok(line) => seen.push(line),
                Err(cause) => panic!("no line with `{text}` ({cause}):\n{}", seen.join("\n")),
            }
        }
    }

    /// `POST /run` with an empty body.
    pub fn run(&self) -> Value {
        let answer = self.post("host: 127.0.0.1\r\ncontent-type: application/json\r\n");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        serde_json::from_str(body).unwrap_or_else(|cause| panic!("{cause}: {answer}"))
    }

    /// The status of the answer to `POST /run` with these headers.
    pub fn status(&self, headers: &str) -> u16 {
        let answer = self.post(headers);
        let status = answer.split(' ').nth(1).expect("a status");
        status.parse().expect("a number")
    }

    fn post(&self, headers: &str) -> String {
        let mut stream =
            TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).expect("a connection");
        let request = format!(
            "POST /run HTTP/1.1\r\n{headers}content-length: 0\r\nconnection: close\r\n\r\n"
        );
        stream
            .write_all(request.as_bytes())
            .expect("the engine reads");
        let mut answer = String::new();
        stream
            .read_to_string(&mut answer)
            .expect("the engine answers");
        answer
    }

    /// Where it listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Presses Ctrl-C; gives the exit status.
    pub fn end(&mut self) -> Option<i32> {
        interrupt(self.process.id());
        self.process.wait().expect("tntc ends").code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A test that failed leaves nothing running.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[test]
fn a_saved_change_is_served_and_ctrl_c_ends_everything() {
    let workflow = Workflow::of_one_node("served", "ctx.log.info(\"at work\"); return 1;");
    let mut dev = Running::start(&workflow);
    assert_eq!(dev.run()["outputs"]["only"], 1);
    assert!(dev.until("at work").starts_with("[only] INFO at work"));
    workflow.replace("nodes/only.ts", "return 1;", "return 2;");
    dev.until("reloaded");
    assert_eq!(dev.run()["outputs"]["only"], 2);
    assert_eq!(dev.end(), Some(130));
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, dev.port)).is_err());
}

#[test]
fn a_terminal_that_is_closed_ends_everything_too() {
    let workflow = Workflow::of_one_node("served", "return 1;");
    let mut dev = Running::start(&workflow);
    signal(dev.process.id(), "-HUP");
    assert_eq!(dev.process.wait().expect("tntc ends").code(), Some(129));
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, dev.port)).is_err());
}

#[test]
fn a_host_that_is_not_declared_fails_as_it_will_in_the_pod() {
    let target = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = target.local_addr().expect("an address").port();
    let body = format!(
        "await Deno.connect({{ hostname: \"127.0.0.1\", port: {port} }}); return ctx.dependency(\"local\").secret;"
    );
    let workflow = Workflow::of_one_node("served", &body);
    workflow.write(".secrets.yaml", "local: {key: known}\n");
    let mut dev = Running::start(&workflow);
    let error = dev.run()["errors"][0].to_string();
    let told = format!("127.0.0.1:{port} is not in the contract");
    assert!(error.contains(&told), "{error}");
    workflow.replace(
        "workflow.yaml",
        "dependencies: {}",
        &format!("dependencies: {{local: {{protocol: tcp, host: 127.0.0.1, port: {port}, auth: {{type: key, secret: local.key}}}}}}"),
    );
    dev.until("starting the engine again with other permissions");
    dev.until("listening on");
    assert_eq!(dev.run()["outputs"]["only"], "known");
    assert_eq!(dev.end(), Some(130));
}

#[test]
fn a_taken_port_is_told_with_its_holder() {
    let workflow = Workflow::of_one_node("served", "return 1;");
    let held = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = held.local_addr().expect("an address").port().to_string();
    let answer = tntc(["dev", workflow.path(), "-p", &port, "-o", "json"])
        .run()
        .exits(3)
        .json();
    let summary = answer["summary"].as_str().unwrap_or_default();
    assert!(
        summary.starts_with(&format!("port {port} is taken by ")),
        "{summary}"
    );
    assert!(
        summary.contains(&format!("(process {})", std::process::id())),
        "{summary}"
    );
}

#[test]
fn an_invalid_workflow_is_not_served() {
    let workflow = Workflow::of_one_node("served", "return 1;");
    workflow.replace("workflow.yaml", "version:", "vresion:");
    tntc(["dev", workflow.path()])
        .run()
        .exits(1)
        .says("workflow.yaml is invalid");
}
