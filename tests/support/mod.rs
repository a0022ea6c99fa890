//! What the tests share: running `tntc`, namespaces, workflows and images.

mod cluster;
mod command;
mod deploy;
mod forwarder;
mod kubeconfig;
mod modules;
mod postgres;
mod requests;
mod workflow;

pub use cluster::{Namespace, engine_image, kubectl, registry_image};
pub use command::{Answer, Tntc, interrupt, tntc};
pub use deploy::{deploy, deployed, deploying, phases, run};
pub use forwarder::Forwarder;
pub use kubeconfig::Kubeconfig;
pub use modules::ModuleServer;
pub use postgres::Postgres;
pub use requests::requests;
pub use workflow::{Workflow, example, node};
