//! Workflow directories that a test may change as it likes.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Statements of a node that end the engine's process, which refuses to exit for a node: they take more memory than the
/// container may have.
pub const TAKE_ALL_MEMORY: &str = "const all: Uint8Array[] = []; for (;;) { all.push(new Uint8Array(16 << 20).fill(1)); await new Promise((done) => setTimeout(done, 1)); }";

/// The contract of a workflow that talks to nobody.
const CONTRACT: &str = "contract: {version: \"1\", dependencies: {}}\n";

/// A workflow directory of its own, deleted with the test.
pub struct Workflow {
    dir: TempDir,
    name: String,
}

/// A copy of one of the repository's examples.
pub fn example(name: &str) -> Workflow {
    let from = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples")
        .join(name);
    let workflow = Workflow::empty(name);
    copy(&from, &workflow.root());
    workflow
}

impl Workflow {
    /// A directory without any file.
    pub fn empty(name: &str) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let workflow = Self {
            dir,
            name: name.to_owned(),
        };
        fs::create_dir(workflow.root()).expect("a directory");
        workflow
    }

    /// A workflow of one node with this body, `(ctx, input) => …`.
    pub fn of_one_node(name: &str, body: &str) -> Self {
        let workflow = Self::empty(name);
        workflow.write(
            "workflow.yaml",
            &format!(
                "name: {name}\nversion: \"1.0\"\ntriggers: [{{type: manual}}]\nnodes: {{only: {{path: nodes/only.ts}}}}\n{CONTRACT}"
            ),
        );
        workflow.write("nodes/only.ts", &node(body));
        workflow
    }

    /// The same without a contract, for nodes that use `ctx.secrets`, which no contract allows.
    pub fn without_contract(name: &str, body: &str) -> Self {
        let workflow = Self::of_one_node(name, body);
        workflow.replace("workflow.yaml", CONTRACT, "");
        workflow
    }

    /// A workflow that logs `started`, and then takes twenty seconds.
    pub fn slow(name: &str) -> Self {
        let body = "ctx.log.info(\"started\"); await new Promise((done) => setTimeout(done, 20_000)); return input;";
        Self::of_one_node(name, body)
    }

    /// What `tntc init` makes of a template.
    pub fn from_template(template: &str) -> Self {
        let workflow = Self::empty(template);
        fs::remove_dir(workflow.root()).expect("an empty directory");
        super::tntc(["init", template, "--template", template])
            .current_dir(workflow.dir.path())
            .run()
            .exits(0);
        workflow
    }

    /// A home directory of somebody who trusts this workflow's directory and has no other setting.
    pub fn trusting_home(&self) -> PathBuf {
        let home = self.dir.path().join("home");
        if home.exists() {
            return home;
        }
        let root = fs::canonicalize(self.root()).expect("a directory");
        fs::create_dir_all(home.join(".tentacular")).expect("a directory");
        let text = format!("trusted_directories: [\"{}\"]\n", root.display());
        fs::write(home.join(".tentacular/config.yaml"), text).expect("a file");
        home
    }

    fn root(&self) -> PathBuf {
        self.dir.path().join(&self.name)
    }

    /// The directory, to be passed on a command line.
    pub fn path(&self) -> &str {
        // Made once and leaked: a test has a handful of workflows.
        Box::leak(self.root().display().to_string().into_boxed_str())
    }

    /// Writes a file of the workflow.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(path, text).expect("a file");
    }

    /// The text of a file of the workflow.
    #[track_caller]
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root().join(path)).expect("a file")
    }

    /// Changes a text in a file of the workflow.
    #[track_caller]
    pub fn replace(&self, path: &str, from: &str, to: &str) {
        let full = self.root().join(path);
        let text = fs::read_to_string(&full).expect("a file");
        assert!(text.contains(from), "{path} does not contain {from}");
        fs::write(full, text.replace(from, to)).expect("a file");
    }

    /// Removes a file of the workflow.
    #[track_caller]
    pub fn remove(&self, path: &str) {
        fs::remove_file(self.root().join(path)).expect("a file");
    }

    /// Names of everything below the directory, sorted.
    pub fn files(&self) -> Vec<String> {
        let mut names = Vec::new();
        walk(&self.root(), &self.root(), &mut names);
        names.sort();
        names
    }
}

/// The source of a node with this body.
pub fn node(body: &str) -> String {
    format!(
        "import type {{ Context }} from \"tentacular\";\n\
         export default async function run(ctx: Context, input: unknown): Promise<unknown> {{\n  {body}\n}}\n"
    )
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        if entry.file_name() == ".tentacular" {
            // What somebody's own `tntc build` left there is no part of the example.
            continue;
        }
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

fn walk(root: &Path, dir: &Path, names: &mut Vec<String>) {
    for entry in fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            walk(root, &path, names);
        } else {
            names.push(
                path.strip_prefix(root)
                    .expect("inside")
                    .display()
                    .to_string(),
            );
        }
    }
}
