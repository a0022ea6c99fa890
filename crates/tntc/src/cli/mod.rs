//! What can be typed: clap types only, no behaviour.

mod authoring;
mod command;
mod globals;
mod operating;
mod options;

pub use authoring::{
    Build, Builder, Dev, Init, Secrets, SecretsCheck, SecretsInit, Test, Validate, Visualize,
};
pub use command::{Cli, Command, Completions, Configure, Schema};
pub use globals::{command, formats_of, listed, parsed};
pub use operating::{
    Audit, Cluster, ClusterCheck, ClusterCommand, Deploy, List, Logs, Run, Status, Undeploy, Via,
};
pub use options::Global;
