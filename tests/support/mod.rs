//! What the tests share: running `tntc`, namespaces, workflows and images.

mod checks;
mod cluster;
mod command;
mod deno_servers;
mod deploy;
mod forwarder;
mod kubeconfig;
mod mesh;
mod modules;
mod nats;
mod pki;
mod port;
mod postgres;
mod requests;
mod runs;
mod stand_in;
mod stub;
mod terminal;
mod tls;
mod waiting;
mod workflow;

pub use checks::{check, found};
pub use cluster::{Namespace, engine_image, kubectl, registry_image};
pub use command::{Answer, Tntc, interrupt, signal, tntc};
pub use deno_servers::DenoServers;
pub use deploy::{deploy, deployed, deploying, phases, run};
pub use forwarder::Forwarder;
pub use kubeconfig::Kubeconfig;
pub use mesh::Mesh;
pub use modules::ModuleServer;
pub use nats::Nats;
pub use pki::{LONG_AGO, client_certificate, token_until};
pub use port::free_port;
pub use postgres::Postgres;
pub use requests::requests;
pub use runs::{endpoints, in_a_row, log, no_node_takes_a_pod, running_again, runs, trigger_pods};
pub use stand_in::{HANG_UP, StandIn, TOO_BUSY};
pub use stub::Stub;
pub use terminal::Terminal;
pub use waiting::wait_for;
pub use workflow::{TAKE_ALL_MEMORY, Workflow, example, node};

/// The address of the test cluster's node, where pods reach what a test serves.
pub const NODE_ADDRESS: &str = "198.18.128.1";
