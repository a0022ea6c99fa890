//! What is wrong with a kubeconfig, and what to do about it.

use std::path::{Path, PathBuf};

/// A kubeconfig that kubectl would refuse as well.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mistake {
    /// The text is no YAML.
    #[error("{}:{line}:{column}: this is not valid YAML or JSON", file.display())]
    NotYaml {
        /// The file.
        file: PathBuf,
        /// Line, from 1; 0 when the reader does not know it.
        line: u64,
        /// Column, from 1.
        column: u64,
    },
    /// It is something else than a kubeconfig.
    #[error("{} is not a kubeconfig: its kind is not `Config` of `v1`", file.display())]
    OtherKind {
        /// The file.
        file: PathBuf,
    },
    /// A value is of the wrong type.
    #[error("{}: `{place}` must be {expected}", file.display())]
    WrongType {
        /// The file.
        file: PathBuf,
        /// Where in it.
        place: String,
        /// What must stand there.
        expected: &'static str,
    },
    /// Two entries have one name.
    #[error("{}: two of its {list} are named `{name}`", file.display())]
    Twice {
        /// The file.
        file: PathBuf,
        /// Which list.
        list: String,
        /// The name.
        name: String,
    },
    /// A value that must be base64 is not.
    #[error("{}: `{place}` is not valid base64", file.display())]
    NotBase64 {
        /// The file.
        file: PathBuf,
        /// Where in it.
        place: String,
    },
    /// No context is chosen.
    #[error("the kubeconfig names no current context")]
    NoCurrentContext {
        /// The contexts that it has.
        known: Vec<String>,
    },
    /// The context chosen does not exist.
    #[error("the kubeconfig has no context `{name}`")]
    NoContext {
        /// The context.
        name: String,
        /// The contexts that it has.
        known: Vec<String>,
    },
    /// The context's cluster does not exist.
    #[error("kubeconfig context `{context}`: there is no cluster `{cluster}`")]
    NoCluster {
        /// The context.
        context: String,
        /// Its cluster.
        cluster: String,
    },
    /// The context's user does not exist.
    #[error("kubeconfig context `{context}`: there is no user `{user}`")]
    NoUser {
        /// The context.
        context: String,
        /// Its user.
        user: String,
    },
    /// The cluster cannot be used as it is written.
    #[error("kubeconfig context `{context}`, cluster `{cluster}`: {why}")]
    Cluster {
        /// The context.
        context: String,
        /// The cluster.
        cluster: String,
        /// What is wrong.
        why: String,
        /// What to do.
        hint: String,
    },
    /// The user's credentials cannot be used as they are written.
    #[error("kubeconfig context `{context}`, user `{user}`: {why}")]
    User {
        /// The context.
        context: String,
        /// The user.
        user: String,
        /// What is wrong.
        why: String,
        /// What to do.
        hint: String,
    },
}

impl Mistake {
    pub(super) fn not_yaml(file: &Path, cause: &serde_saphyr::Error) -> Self {
        let at = cause.location();
        Self::NotYaml {
            file: file.to_owned(),
            line: at.map_or(0, |at| at.line()),
            column: at.map_or(0, |at| at.column()),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::NoCurrentContext { known } | Self::NoContext { known, .. } => contexts(known),
            Self::NoCluster { .. } | Self::NoUser { .. } => {
                "add the entry, or correct the name in the context: kubectl config view".to_owned()
            }
            Self::Cluster { hint, .. } | Self::User { hint, .. } => hint.clone(),
            Self::NotBase64 { .. } => "encode the file again with: base64 --wrap=0 FILE".to_owned(),
            _ => "correct the file, or name another one with --kubeconfig".to_owned(),
        }
    }
}

fn contexts(known: &[String]) -> String {
    if known.is_empty() {
        "it has no contexts at all: name another kubeconfig with --kubeconfig".to_owned()
    } else {
        format!("choose one with --context; it has: {}", known.join(", "))
    }
}
