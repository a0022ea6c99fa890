//! Running the `tntc` that this test run built.

use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// A finished `tntc`.
#[derive(Debug)]
pub struct Answer {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Answer {
    /// Requires an exit status, showing everything otherwise.
    #[track_caller]
    pub fn exits(self, status: i32) -> Self {
        assert_eq!(
            self.status, status,
            "\nstdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
        self
    }

    /// Requires a text on stderr.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(
            self.stderr.contains(text),
            "`{text}` is not on stderr:\n{}",
            self.stderr
        );
        self
    }

    /// Requires a text on stdout.
    #[track_caller]
    pub fn answers(self, text: &str) -> Self {
        assert!(
            self.stdout.contains(text),
            "`{text}` is not on stdout:\n{}",
            self.stdout
        );
        self
    }

    /// The whole of stdout as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        let value = if self.stdout.starts_with('{') {
            serde_json::from_str(&self.stdout).map(|UniqueFields(fields)| Value::Object(fields))
        } else {
            serde_json::from_str(&self.stdout)
        };
        value.unwrap_or_else(|cause| panic!("stdout is not JSON: {cause}\n{}", self.stdout))
    }
}

/// The fields of a JSON object, none of which is there twice: a command's own may be called like one of the envelope.
struct UniqueFields(Map<String, Value>);

impl<'de> Deserialize<'de> for UniqueFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = UniqueFields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<UniqueFields, A::Error> {
        let mut fields = Map::new();
        while let Some((name, value)) = entries.next_entry::<String, Value>()? {
            if fields.insert(name.clone(), value).is_some() {
                return Err(A::Error::custom(format!("`{name}` is there twice")));
            }
        }
        Ok(UniqueFields(fields))
    }
}

/// A `tntc` to run.
pub struct Tntc {
    command: Command,
    input: Option<String>,
}

/// `tntc` with these arguments, without any configuration of the user's own.
pub fn tntc<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Tntc {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tntc"));
    // Colours are those of a person's machine, also in CI.
    for name in ["TENTACULAR_ENV", "CI", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("NO_COLOR", "1");
    Tntc {
        command,
        input: None,
    }
}

impl Tntc {
    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Of somebody with this home directory, but with the cache of whoever runs the tests.
    pub fn at_home(self, home: &Path) -> Self {
        let named = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let usual = || Some(std::env::home_dir()?.join(".cache"));
        let cache = named.or_else(usual).expect("a home directory");
        self.env("HOME", home).env("XDG_CACHE_HOME", cache)
    }

    pub fn arg(mut self, argument: &str) -> Self {
        self.command.arg(argument);
        self
    }

    pub fn current_dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    pub fn stdin(mut self, text: &str) -> Self {
        self.input = Some(text.to_owned());
        self
    }

    /// The command itself, to be started and stopped by hand.
    pub fn command(self) -> Command {
        self.command
    }

    /// Runs to the end.
    pub fn run(mut self) -> Answer {
        self.command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("tntc starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        if let Some(input) = &self.input {
            stdin
                .write_all(input.as_bytes())
                .expect("tntc reads its input");
        }
        drop(stdin);
        let output = child.wait_with_output().expect("tntc ends");
        let answer = Answer {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        };
        if promises_an_envelope(&self.command) {
            require_schema(&answer);
        }
        answer
    }
}

/// Whether stdout is one envelope; followed logs are lines of their own.
fn promises_an_envelope(command: &Command) -> bool {
    let arguments: Vec<_> = command
        .get_args()
        .map(|it| it.to_string_lossy().into_owned())
        .collect();
    let json = arguments.windows(2).any(|pair| pair == ["-o", "json"]);
    json && !arguments
        .iter()
        .any(|it| matches!(it.as_str(), "-f" | "--follow" | "dev" | "--watch"))
}

/// Every JSON answer of every test is what `tntc schema` says it is.
#[track_caller]
fn require_schema(answer: &Answer) {
    let json = answer.json();
    let command = json["command"].as_str().unwrap_or_default();
    let validator = validator(command);
    let errors: Vec<_> = validator
        .iter_errors(&json)
        .map(|error| format!("{}: {error}", error.instance_path))
        .collect();
    assert!(
        errors.is_empty(),
        "the answer is not what its schema says: {errors:#?}"
    );
}

/// The schema that `tntc schema` prints for a command's answer; a word that is no command can only have failed.
fn validator(command: &str) -> jsonschema::Validator {
    let printed = |name: &str| {
        tntc(["schema", name])
            .command()
            .output()
            .expect("tntc runs")
    };
    let named = printed(&command.replace(' ', "-"));
    let output = if named.status.success() {
        named
    } else {
        printed("failure")
    };
    let schema = serde_json::from_slice(&output.stdout).expect("a schema");
    jsonschema::validator_for(&schema).expect("a valid schema")
}

/// Presses Ctrl-C for a process that a test started.
pub fn interrupt(process: u32) {
    signal(process, "-INT");
}

/// Sends a signal, such as `-HUP`, to a process that a test started.
pub fn signal(process: u32, signal: &str) {
    let sent = Command::new("kill")
        .args([signal, &process.to_string()])
        .status()
        .expect("kill runs");
    assert!(sent.success());
}
