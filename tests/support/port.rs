//! Ports for servers that are told where to listen.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the range from which the kernel takes ports for outgoing connections (32768 and up on Linux): one of those may
/// take a port away between now and the server's start, or while it starts again. Above 29999 are a cluster's node ports.
const FIRST: u16 = 20_000;
const COUNT: u16 = 9_000;

/// A port that nobody listens on, another one each time.
pub fn free_port(address: &str) -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    for _ in 0..COUNT {
        let step = u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
        // Test runs beside this one begin elsewhere.
        let offset = (std::process::id().wrapping_mul(97) + step) % u32::from(COUNT);
        let port = FIRST + u16::try_from(offset).expect("less than the count");
        if TcpListener::bind((address, port)).is_ok() {
            return port;
        }
    }
    panic!("every port of {address} is taken");
}

#[test]
fn a_port_for_a_server_is_none_that_an_outgoing_connection_may_take() {
    let ports: std::collections::BTreeSet<_> = (0..100).map(|_| free_port("127.0.0.1")).collect();
    assert_eq!(ports.len(), 100);
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").expect("Linux");
    let lowest: u16 = range
        .split_whitespace()
        .next()
        .and_then(|it| it.parse().ok())
        .expect("a number");
    assert!(
        ports.iter().all(|port| *port < lowest),
        "{ports:?}, {range}"
    );
}
