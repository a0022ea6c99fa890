//! An API server that can go away and come back: a forwarder on loopback that the test cuts.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::Kubeconfig;

/// Forwards to the test cluster's API server until it is cut.
pub struct Forwarder {
    state: Arc<Mutex<State>>,
    port: u16,
}

#[derive(Default)]
struct State {
    cut: bool,
    open: Vec<TcpStream>,
}

impl Forwarder {
    pub fn start() -> Self {
        let target = Kubeconfig::current().authority().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                serve(client, &target, &shared);
            }
        });
        Self { state, port }
    }

    /// A kubeconfig that leads through here.
    pub fn kubeconfig(&self) -> Kubeconfig {
        Kubeconfig::current().at(&format!("https://127.0.0.1:{}", self.port))
    }

    /// Drops every connection, and every new one at once.
    pub fn cut(&self) {
        let mut state = self.state.lock().expect("no panic before");
        state.cut = true;
        for stream in state.open.drain(..) {
            drop(stream.shutdown(Shutdown::Both));
        }
    }

    /// Lets connections through again.
    pub fn mend(&self) {
        self.state.lock().expect("no panic before").cut = false;
    }
}

fn serve(client: TcpStream, target: &str, shared: &Mutex<State>) {
    let mut state = shared.lock().expect("no panic before");
    if state.cut {
        return;
    }
    let server = TcpStream::connect(target).expect("the API server");
    let copies = [&client, &server].map(|stream| stream.try_clone().expect("a copy"));
    state.open.extend(copies);
    pipe(
        client.try_clone().expect("a copy"),
        server.try_clone().expect("a copy"),
    );
    pipe(server, client);
}

fn pipe(mut from: TcpStream, mut to: TcpStream) {
    std::thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            if to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        drop(to.shutdown(Shutdown::Write));
    });
}
