//! A real database that pods of the test cluster reach.

use std::fs;

use tempfile::TempDir;

use super::{NODE_ADDRESS, free_port};
use crate::images::program;

/// A `PostgreSQL` of one test, with a user `reader` whose password is `sesame`.
pub struct Postgres {
    dir: TempDir,
    pub port: u16,
}

impl Postgres {
    pub fn start() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let port = free_port(NODE_ADDRESS);
        let database = Self { dir, port };
        program("chown", ["postgres", &database.path("")]);
        let script = format!(
            "initdb -D {data} -A scram-sha-256 --pwfile=<(echo sesame) -U reader -N >/dev/null && \
             echo 'host all all 198.18.0.0/16 scram-sha-256' >>{data}/pg_hba.conf && \
             pg_ctl -D {data} -w -l {log} -o \"-h {NODE_ADDRESS} -p {port} -k {socket} -F\" start >/dev/null",
            data = database.path("data"),
            log = database.path("log"),
            socket = database.path("")
        );
        database.run(&script);
        database
    }

    /// The lines that a statement gives in a database, as `psql` prints them for programs.
    #[track_caller]
    pub fn query(&self, database: &str, statement: &str) -> String {
        let file = self.dir.path().join("statement.sql");
        fs::write(&file, statement).expect("a file");
        self.run(&format!(
            "PGPASSWORD=sesame psql -h {NODE_ADDRESS} -p {} -U reader -d {database} -qAt -v ON_ERROR_STOP=1 -f {}",
            self.port,
            file.display()
        ))
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    #[track_caller]
    fn run(&self, script: &str) -> String {
        let programs = fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed");
        let version = programs.flatten().next().expect("a version").path();
        let full = format!(
            "PATH={}/bin:$PATH; cd {}; {script}",
            version.display(),
            self.path("")
        );
        program("runuser", ["-u", "postgres", "--", "bash", "-c", &full])
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
