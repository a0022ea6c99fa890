//! Whose fault a failure is, and so the exit status.

/// Whose fault a failure is; each kind has its own exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The thing asked about failed: an invalid workflow, a failed run or rollout. Exit status 1.
    Failed,
    /// The command was called wrongly. Exit status 2.
    Usage,
    /// The surroundings failed: no cluster, no Deno, no Docker, no permission. Exit status 3.
    Surroundings,
    /// A signal of this number ended the command. Exit status 128 and the number, as shells have it.
    Interrupted(u8),
}

impl ErrorKind {
    /// The process exit status of this kind.
    pub fn exit_status(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Surroundings => 3,
            Self::Interrupted(signal) => 128 + signal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_own_exit_status() {
        let kinds = [
            ErrorKind::Failed,
            ErrorKind::Usage,
            ErrorKind::Surroundings,
            ErrorKind::Interrupted(2),
        ];
        assert_eq!(kinds.map(ErrorKind::exit_status), [1, 2, 3, 130]);
    }
}
