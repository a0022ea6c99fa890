//! Building images without Docker, and the faults that lie between an image and a registry.

mod bundle;
mod faults;
mod oci;
mod references;
mod registry;
mod tokens;

use std::process::Command;

pub use faults::executable;
pub use oci::mirrored_base;
pub use registry::{Cutting, Registry, certificate, get as registry_get, tiny_base};

/// The registry of the test bed.
pub fn test_registry() -> String {
    std::env::var("TNTC_TEST_REGISTRY")
        .expect("TNTC_TEST_REGISTRY names a registry; `tests/cluster/env` prints it")
}

/// Runs a program to its end; panics with its message when it fails.
#[track_caller]
pub fn program<'a>(name: &str, arguments: impl IntoIterator<Item = &'a str>) -> String {
    let output = Command::new(name).args(arguments).output();
    let output = output.unwrap_or_else(|cause| panic!("{name}: {cause}"));
    assert!(
        output.status.success(),
        "{name}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
