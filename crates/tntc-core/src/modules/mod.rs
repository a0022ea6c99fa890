//! What the code of a workflow imports and what it does with `ctx`, found without running it.
//!
//! This is static analysis for diagrams, bundles and the places in reports. It follows names, not values: what a node
//! does through a computed name is found only when it runs.

mod analyse;
mod bindings;
mod closure;
mod faults;
mod imports;
mod model;
mod taint;
mod uses;

pub use analyse::analyse;
pub use closure::{Closure, closure};
pub use model::{Fault, FaultKind, Import, ImportKind, Module, Place, SyntaxError, Use, UseKind};
