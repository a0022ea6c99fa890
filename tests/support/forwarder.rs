//! An API server that can go away and come back: a forwarder on loopback that the test cuts.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::Kubeconfig;

/// Forwards to the test cluster's API server until it is cut.
pub struct Forwarder {
    state: Arc<Mutex<State>>,
    port: u16,
}

#[derive(Default)]
struct State {
    cut: bool,
    /// Bytes of an answer after which its connection comes to a standstill.
    longest: Option<usize>,
    stalled: bool,
    /// Bytes of an answer after which its connection is closed, once.
    closed_after: Option<usize>,
    /// Bytes a second of each answer.
    rate: Option<u32>,
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

    /// From now on, lets nothing more through of an answer that is longer than this.
    pub fn stall_after(&self, bytes: usize) {
        self.state.lock().expect("no panic before").longest = Some(bytes);
    }

    /// Whether an answer has come to a standstill.
    pub fn is_stalled(&self) -> bool {
        self.state.lock().expect("no panic before").stalled
    }

    /// Closes the first connection of which an answer is longer than this.
    pub fn close_after(&self, bytes: usize) {
        self.state.lock().expect("no panic before").closed_after = Some(bytes);
    }

    /// Whether such a connection has come.
    pub fn has_closed(&self) -> bool {
        let state = self.state.lock().expect("no panic before");
        state.closed_after.is_none()
    }

    /// From now on, lets answers through at no more than so many bytes a second.
    pub fn slow_down(&self, rate: u32) {
        self.state.lock().expect("no panic before").rate = Some(rate);
    }

    /// Lets connections through again.
    pub fn mend(&self) {
        self.state.lock().expect("no panic before").cut = false;
    }
}

fn serve(client: TcpStream, target: &str, shared: &Arc<Mutex<State>>) {
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
        |_, _| Next::GoOn,
    );
    let shared = Arc::clone(shared);
    pipe(server, client, move |passed, length| {
        let mut state = shared.lock().expect("no panic before");
        if state.closed_after.is_some_and(|bytes| passed > bytes) {
            state.closed_after = None;
            return Next::Close;
        }
        if state.longest.is_some_and(|longest| passed > longest) {
            state.stalled = true;
            return Next::Stall;
        }
        let rate = state.rate;
        drop(state);
        if let (Some(rate), Ok(length)) = (rate, u32::try_from(length)) {
            std::thread::sleep(Duration::from_secs(1) * length / rate);
        }
        Next::GoOn
    });
}

/// What becomes of a connection.
enum Next {
    GoOn,
    /// It stays open, and nothing comes any more.
    Stall,
    Close,
}

/// Copies as long as whoever is told the number of bytes, in all and now, agrees.
fn pipe(
    mut from: TcpStream,
    mut to: TcpStream,
    next: impl Fn(usize, usize) -> Next + Send + 'static,
) {
    std::thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        let mut passed = 0;
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            passed += length;
            match next(passed, length) {
                Next::GoOn => {}
                Next::Stall => return,
                Next::Close => {
                    drop(to.shutdown(Shutdown::Both));
                    drop(from.shutdown(Shutdown::Both));
                    return;
                }
            }
            if to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        drop(to.shutdown(Shutdown::Write));
    });
}
