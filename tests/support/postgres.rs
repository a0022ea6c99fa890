//! A real database that pods of the test cluster reach.

use std::fs;

use tempfile::TempDir;

use crate::images::{free_port, program};

/// The address of the test cluster's node, which pods reach.
const ADDRESS: &str = "198.18.128.1";

/// A `PostgreSQL` of one test, with a user `reader` whose password is `sesame`.
pub struct Postgres {
    dir: TempDir,
    /// The address of the test cluster's node, which pods reach.
    pub host: &'static str,
    pub port: u16,
}

impl Postgres {
    pub fn start() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let port = free_port(ADDRESS);
        let database = Self {
            dir,
            host: ADDRESS,
            port,
        };
        program("chown", ["postgres", &database.path("")]);
        let script = format!(
            "initdb -D {data} -A scram-sha-256 --pwfile=<(echo sesame) -U reader -N >/dev/null && \
             echo 'host all all 198.18.0.0/16 scram-sha-256' >>{data}/pg_hba.conf && \
             pg_ctl -D {data} -w -l {log} -o \"-h {ADDRESS} -p {port} -k {socket} -F\" start >/dev/null",
            data = database.path("data"),
            log = database.path("log"),
            socket = database.path("")
        );
        database.run(&script);
        database
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    #[track_caller]
    fn run(&self, script: &str) {
        let programs = fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed");
        let version = programs.flatten().next().expect("a version").path();
        let full = format!(
            "PATH={}/bin:$PATH; cd {}; {script}",
            version.display(),
            self.path("")
        );
        program("runuser", ["-u", "postgres", "--", "bash", "-c", &full]);
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.run(&format!(
            "pg_ctl -D {} -m immediate stop >/dev/null",
            self.path("data")
        ));
    }
}
