//! A node before it is bundled, and after.

use super::map::SourceMap;

/// A node and the first of the imports for whose sake it is bundled, as written.
pub struct Needy {
    pub path: String,
    pub import: String,
}

/// What a bundle is made for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// To fit a ConfigMap.
    Small,
    /// To give errors with the names and the places of the sources.
    Readable,
}

/// One bundled node.
pub struct Bundle {
    pub code: String,
    pub map: SourceMap,
}
