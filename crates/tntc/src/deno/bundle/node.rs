//! A node before it is bundled, and after.

use std::io::{self, Write};

use flate2::{Compression, GzBuilder};

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
    /// What is delivered in the place of the code, where that would be too large.
    compressed: Option<Vec<u8>>,
}

impl Bundle {
    /// A bundle that is delivered as it is; its name in the source map's comment is `name`.
    pub fn new(code: &str, map: SourceMap, name: &str) -> Self {
        let code = code.trim_end();
        Self {
            code: format!("{code}\n//# sourceMappingURL={name}.map\n"),
            map,
            compressed: None,
        }
    }

    /// Has it delivered as gzip, which the engine reads where it finds the name of [`Self::file`]: the same bytes for the
    /// same code, as a ConfigMap that changes restarts pods.
    ///
    /// # Errors
    /// None that is known, as it is written to memory.
    pub fn compress(&mut self) -> io::Result<()> {
        let mut gzip = GzBuilder::new().write(Vec::new(), Compression::best());
        gzip.write_all(self.code.as_bytes())?;
        self.compressed = Some(gzip.finish()?);
        Ok(())
    }

    pub fn is_compressed(&self) -> bool {
        self.compressed.is_some()
    }

    /// Where it is delivered, beside the file of its node.
    pub fn file(&self, node: &str) -> String {
        let ending = if self.is_compressed() { ".gz" } else { "" };
        format!("{}{ending}", beside(node))
    }

    /// What is delivered.
    pub fn bytes(&self) -> &[u8] {
        self.compressed.as_deref().unwrap_or(self.code.as_bytes())
    }
}

/// The bundle's path beside its node.
pub fn beside(node: &str) -> String {
    format!("{node}.bundle.js")
}
