//! Attacks on workflows, on the cluster that runs them and on the machine of who deploys them, by the layer that is
//! attacked. Each has a defined outcome; SECURITY.md shows them all, and a test here holds it to these tables.

mod attack;
mod bundles;
mod canaries;
mod deno;
mod directories;
mod files;
mod gvisor;
mod images;
mod kubeconfigs;
mod links;
mod listener;
mod local;
mod network;
mod page;
mod pod;
mod private;
mod registries;
mod registry_credentials;
mod scanners;
mod scene;
mod servers;
mod table;
mod terminal;
mod trap;
mod triggers;
