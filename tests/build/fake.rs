//! A container program that is a script, for what a real one cannot be made to do.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use crate::images::executable;
use crate::support::{Tntc, tntc};

/// How long a test waits for something that takes no time.
const SOON: Duration = Duration::from_secs(20);

/// A container program that is a script: it answers what it is asked first, and `cases` come before that.
pub struct Fake {
    dir: tempfile::TempDir,
}

impl Fake {
    pub fn docker(cases: &str) -> Self {
        Self::named("docker", cases)
    }

    pub fn named(name: &str, cases: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        fs::create_dir(dir.path().join("bin")).expect("a directory");
        fs::create_dir(dir.path().join("tmp")).expect("a directory");
        let script = format!(
            "#!/bin/sh\nPATH=/usr/bin:/bin\ncase $1 in\n{cases}\nimage) echo '[{{\"Os\":\"linux\",\"Architecture\":\"amd64\"}}]' ;;\nesac\n"
        );
        executable(&dir.path().join("bin").join(name), &script);
        Self { dir }
    }

    /// Another program beside it, which answers its first argument by `cases`.
    pub fn and(self, name: &str, cases: &str) -> Self {
        let script = format!("#!/bin/sh\nPATH=/usr/bin:/bin\ncase $1 in\n{cases}\nesac\n");
        executable(&self.dir.path().join("bin").join(name), &script);
        self
    }

    /// `tntc` that finds this program and no other, and makes its temporary files where they can be counted.
    pub fn run<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Tntc {
        tntc(arguments)
            .env("PATH", self.dir.path().join("bin"))
            .env("TMPDIR", self.dir.path().join("tmp"))
            .env("SEEN", self.dir.path().join("seen"))
            .env("KUBECONFIG", "/dev/null")
    }

    pub fn seen(&self) -> String {
        fs::read_to_string(self.dir.path().join("seen")).unwrap_or_default()
    }

    #[track_caller]
    pub fn wait_for(&self, text: &str) {
        let begun = Instant::now();
        while !self.seen().contains(text) {
            assert!(begun.elapsed() < SOON, "the program was not started");
            thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn go(&self) {
        fs::write(self.dir.path().join("seen.go"), "").expect("a file");
    }

    /// What is in the directory of temporary files.
    pub fn left(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.dir.path().join("tmp")).expect("a directory");
        entries.map(|it| it.expect("an entry").path()).collect()
    }

    #[track_caller]
    pub fn left_nothing(&self) {
        let left = self.left();
        assert!(left.is_empty(), "{left:?}");
    }
}
