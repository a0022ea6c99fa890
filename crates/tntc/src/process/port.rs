//! Whether a TCP port is free, and who has it when it is not.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};

use crate::outcome::{Error, Result};

/// Requires that a port of the loopback address can be listened on.
///
/// # Errors
/// The port is taken or not allowed; the message names the process that has it where the system tells.
pub fn require_free(port: u16) -> Result<()> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(()),
        Err(cause) if cause.kind() == std::io::ErrorKind::AddrInUse => Err(taken(port)),
        Err(cause) => Err(Error::surroundings(format!(
            "cannot listen on port {port}: {cause}"
        ))),
    }
}

fn taken(port: u16) -> Error {
    let holder = holder(port).unwrap_or_else(|| "another process".to_owned());
    Error::surroundings(format!("port {port} is taken by {holder}"))
        .hint("end that process, or choose another port with -p")
}

/// The process that listens on a port, as in `node server.js (process 4711)`; only Linux tells.
fn holder(port: u16) -> Option<String> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"]
        .map(|path| fs::read_to_string(path).unwrap_or_default());
    let inode = tables.iter().find_map(|table| listener(table, port))?;
    let socket = format!("socket:[{inode}]");
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let process = processes
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .find(|process| has_open(*process, &socket))?;
    Some(format!("{} (process {process})", command_line(process)))
}

/// The inode of the socket that listens on a port, from a table of sockets (proc(5), `/proc/net/tcp`).
fn listener(table: &str, port: u16) -> Option<String> {
    /// `TCP_LISTEN` of the kernel's `tcp_states.h`.
    const LISTEN: &str = "0A";
    let suffix = format!(":{port:04X}");
    table.lines().skip(1).find_map(|line| {
        let columns: Vec<_> = line.split_whitespace().collect();
        let (local, state) = (columns.get(1)?, columns.get(3)?);
        let inode = columns.get(9)?;
        (local.ends_with(&suffix) && *state == LISTEN).then(|| (*inode).to_owned())
    })
}

fn has_open(process: u32, socket: &str) -> bool {
    let files = fs::read_dir(format!("/proc/{process}/fd"));
    files.is_ok_and(|files| {
        files
            .flatten()
            .filter_map(|file| fs::read_link(file.path()).ok())
            .any(|target| target.as_os_str() == socket)
    })
}

fn command_line(process: u32) -> String {
    /// Characters that are shown: programs such as Java have very long ones.
    const WIDTH: usize = 80;
    let bytes = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    let words = String::from_utf8_lossy(&bytes).replace('\0', " ");
    words.trim().chars().take(WIDTH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_listening_socket_holds_a_port() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
            0: 0100007F:1F90 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 11 1\n   \
            1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 22 1\n";
        assert_eq!(listener(table, 8080).as_deref(), Some("22"));
        assert_eq!(listener(table, 80), None);
    }

    #[test]
    fn the_holder_of_a_port_is_named() {
        let held = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let error = require_free(held.local_addr().unwrap().port()).unwrap_err();
        let this = format!("(process {})", std::process::id());
        assert!(error.message.contains(&this), "{}", error.message);
    }
}
