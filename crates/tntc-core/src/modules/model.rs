//! What is known of one file.

use crate::diagnostic::Source;

/// What one file imports and does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Module {
    /// Imports in the order of the file.
    pub imports: Vec<Import>,
    /// Uses of the context and of the network, in the order of the file.
    pub uses: Vec<Use>,
    /// What no node can be or load.
    pub faults: Vec<Fault>,
}

/// Something in a file that cannot work in a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What it is.
    pub kind: FaultKind,
    /// Where it stands.
    pub place: Place,
}

/// What cannot work, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultKind {
    /// Called without `new`, a class throws.
    #[error(
        "the default export is a class, which cannot be called: export a function that makes one, \
         `export default async function run(ctx, input)`"
    )]
    ClassExport,
    /// Nobody takes its values.
    #[error(
        "the default export is a generator, whose values nothing takes: return a value, such as an array of them, from \
         `export default async function run(ctx, input)`"
    )]
    GeneratorExport,
    /// Deno parses standard decorators only.
    #[error(
        "decorators of parameters are TypeScript's experimental ones, which Deno does not parse: pass what is injected as \
         an argument"
    )]
    ParameterDecorator,
    /// A pod has no permission to load it.
    #[error("{package} has native code, which a pod does not load: use {alternative}")]
    Native {
        /// The package's name.
        package: String,
        /// What does the same.
        alternative: &'static str,
    },
}

impl FaultKind {
    /// Whether it only matters in the file of a node, as others may export what they like.
    #[must_use]
    pub fn is_of_nodes(&self) -> bool {
        matches!(self, Self::ClassExport | Self::GeneratorExport)
    }
}

/// One import or re-export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// What is imported, as written.
    pub specifier: String,
    /// What the specifier names.
    pub kind: ImportKind,
    /// Only types are imported, so that nothing is loaded at run time.
    pub types_only: bool,
    /// The import is an `import()` expression.
    pub dynamic: bool,
    /// Where it stands.
    pub place: Place,
}

/// What an import specifier names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ImportKind {
    /// A file, relative to the importing one.
    Relative,
    /// A package of npm.
    Npm,
    /// A package of JSR.
    Jsr,
    /// A module at an HTTP(S) URL.
    Https,
    /// `tentacular` or `tentacular/testing`, which the engine provides.
    Engine,
    /// A module that the runtime has built in (`node:`).
    BuiltIn,
    /// A name that only an import map could explain, or another scheme.
    Other,
    /// An `import()` whose argument is known only at run time.
    Computed,
}

impl ImportKind {
    pub(super) fn of(specifier: &str) -> Self {
        match specifier {
            "tentacular" | "tentacular/testing" => Self::Engine,
            _ if specifier.starts_with("./")
                || specifier.starts_with("../")
                || specifier.starts_with('/') =>
            {
                Self::Relative
            }
            _ => match specifier.split_once(':').map(|(scheme, _)| scheme) {
                Some("npm") => Self::Npm,
                Some("jsr") => Self::Jsr,
                Some("https" | "http") => Self::Https,
                Some("node") => Self::BuiltIn,
                _ => Self::Other,
            },
        }
    }

    /// Whether the module must be fetched before the workflow runs, so that the node has to be bundled.
    #[must_use]
    pub fn is_remote(self) -> bool {
        matches!(self, Self::Npm | Self::Jsr | Self::Https)
    }
}

/// Something a file does that the contract has a say in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// What is done.
    pub kind: UseKind,
    /// Where it stands.
    pub place: Place,
}

/// What a file does that the contract has a say in. A name is missing where it is computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UseKind {
    /// `ctx.dependency(name)`.
    Dependency(Option<String>),
    /// `ctx.fetch(service, …)`.
    ContextFetch(Option<String>),
    /// `ctx.secrets`.
    Secrets,
    /// `ctx[name]`, where the name is computed.
    Member,
    /// The runtime's own `fetch(url)`.
    GlobalFetch(Option<String>),
    /// A request whose URL is made with a secret.
    SecretInUrl,
}

/// A place in a file: line and column, both from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// Why a file could not be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}:{}:{}: {message}", place.line, place.column)]
pub struct SyntaxError {
    /// The file, as it was named.
    pub path: String,
    /// What the parser says.
    pub message: String,
    /// Where it stopped.
    pub place: Place,
}

/// The place of an offset.
pub(super) fn place(source: &Source<'_>, offset: usize) -> Place {
    let (line, column) = source.position(offset);
    Place { line, column }
}
