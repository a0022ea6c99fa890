//! What gets into a bundle, which is deployed for others to read, and what is sent on the way there.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::listener::{Listener, http};
use crate::support::{Answer, Tntc, Workflow, tntc};

const CANARY: &str = "CANARY-91d3";
/// A real package, as small as they come.
const PACKAGE: &str = "npm:postgres-array@2.0.0";

/// A directory with a secret that no workflow may have.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().expect("a directory"));
        home.write("key.txt", CANARY);
        home.write("key.json", &format!("{{\"key\": \"{CANARY}\"}}"));
        home.write("key.ts", &format!("export default \"{CANARY}\";"));
        home.write("key.cjs", &format!("module.exports = \"{CANARY}\";"));
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        fs::canonicalize(self.0.path())
            .expect("a directory")
            .join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        fs::write(path, text).expect("a file");
    }

    /// `tntc` of a user with this home directory.
    fn user(&self, arguments: &[&str]) -> Tntc {
        tntc(arguments.iter().copied())
            .env("HOME", self.0.path())
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("DENO_DIR", self.path("deno"))
    }
}

/// A workflow whose node is this source.
fn workflow(source: &str) -> Workflow {
    let workflow = Workflow::of_one_node("bundled", "return 1;");
    workflow.write("nodes/only.ts", source);
    workflow.write("tests/fixtures/only.json", "{}");
    workflow
}

/// Of a test and of the manifests, which are what would be deployed.
fn both(home: &Home, workflow: &Workflow) -> [Answer; 2] {
    [
        home.user(&["test", workflow.path(), "-o", "json"]).run(),
        home.user(&["deploy", workflow.path(), "--dry-run", "--image", "e:1"])
            .run(),
    ]
}

#[track_caller]
fn refused(home: &Home, workflow: &Workflow, place: &str) {
    for answer in both(home, workflow) {
        let said = format!("{}{}", answer.stdout, answer.stderr);
        assert!(!said.contains(CANARY), "{said}");
        assert_eq!(answer.status, 1, "{said}");
        let refusals = [
            "cannot bundle nodes/only.ts",
            "leads to no file inside the workflow directory",
        ];
        assert!(refusals.iter().any(|it| said.contains(it)), "{said}");
        assert!(said.contains(place), "{place} is not named: {said}");
    }
}

#[test]
fn no_file_of_this_machine_gets_into_a_bundle() {
    let home = Home::new();
    let needy = format!("import {{ parse }} from \"{PACKAGE}\";\nvoid parse;\n");
    let at = |name: &str| home.path(name).display().to_string();
    let imports = [
        format!("import it from \"file://{}\";", at("key.ts")),
        format!("import it from \"{}\";", at("key.ts")),
        format!(
            "import it from \"{}\" with {{ type: \"text\" }};",
            at("key.txt")
        ),
        format!(
            "import it from \"file://{}\" with {{ type: \"bytes\" }};",
            at("key.txt")
        ),
        format!(
            "import it from \"../../../../../../../../..{}\" with {{ type: \"json\" }};",
            at("key.json")
        ),
    ];
    for import in imports {
        let workflow = workflow(&format!("{needy}{import}\nexport default () => it;\n"));
        refused(&home, &workflow, "nodes/only.ts:3:");
    }
}

#[test]
fn no_import_map_leads_out_of_the_workflow() {
    let home = Home::new();
    let workflow = workflow("import it from \"mapped\";\nexport default () => it;\n");
    let map = format!(
        "{{\"imports\": {{\"mapped\": \"file://{}\"}}}}",
        home.path("key.ts").display()
    );
    workflow.write("deno.json", &map);
    refused(&home, &workflow, "mapped at nodes/only.ts:1:");
}

#[test]
fn no_package_takes_in_files_of_this_machine() {
    let home = Home::new();
    let source =
        format!("import {{ parse }} from \"{PACKAGE}\";\nexport default () => typeof parse;\n");
    let workflow = workflow(&source);
    home.user(&["test", workflow.path()]).run().exits(0);
    let package = home.path("deno/npm/registry.npmjs.org/postgres-array/2.0.0/index.js");
    let honest = fs::read_to_string(&package).expect("the package was downloaded");
    for name in ["key.json", "key.cjs"] {
        let absolute = home.path(name).display().to_string();
        let relative = format!("../../../../../{name}");
        for path in [absolute.as_str(), relative.as_str()] {
            fs::write(
                &package,
                format!("{honest}\nexports.stolen = require(\"{path}\");\n"),
            )
            .expect("a file");
            refused(&home, &workflow, "npm:postgres-array@2.0.0");
        }
    }
}

#[test]
fn no_settings_above_the_copy_are_obeyed() {
    let home = Home::new();
    let map = format!(
        "{{\"imports\": {{\"mapped\": \"{}\"}}}}",
        home.path("key.ts").display()
    );
    home.write("tmp/deno.json", &map);
    home.write(
        "tmp/package.json",
        "{\"dependencies\": {\"mapped\": \"npm:postgres-array@2.0.0\"}}",
    );
    let workflow = workflow("import it from \"mapped\";\nexport default () => it;\n");
    let answer = home
        .user(&["deploy", workflow.path(), "--dry-run", "--image", "e:1"])
        .env("TMPDIR", home.path("tmp"))
        .run()
        .exits(1);
    let said = format!("{}{}", answer.stdout, answer.stderr);
    assert!(said.contains("mapped") && !said.contains(CANARY), "{said}");
}

#[test]
fn nothing_of_an_internal_network_is_fetched() {
    let home = Home::new();
    let server = Listener::start(http(
        "200 OK",
        "content-type: application/typescript\r\n",
        "export default 1;",
    ));
    let port = server.port;
    for host in ["127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]"] {
        for end in [
            ";",
            " with { type: \"text\" };",
            " with { type: \"json\" };",
        ] {
            let import = format!(
                "import it from \"http://{host}:{port}/x\"{end}\nexport default () => it;\n"
            );
            let workflow = workflow(&import);
            for answer in both(&home, &workflow) {
                let said = format!("{}{}", answer.stdout, answer.stderr);
                let refusals = [
                    "cannot bundle nodes/only.ts",
                    "leads to no file inside the workflow directory",
                ];
                assert!(refusals.iter().any(|it| said.contains(it)), "{said}");
                assert_eq!(answer.status, 1, "{said}");
            }
        }
    }
    assert!(server.requests().is_empty(), "{:?}", server.requests());
}

#[test]
fn registry_settings_of_a_directory_count_only_when_it_is_trusted() {
    let home = Home::new();
    let registry = Listener::start(http("404 Not Found", "", ""));
    let source =
        format!("import {{ parse }} from \"{PACKAGE}\";\nexport default () => typeof parse;\n");
    let workflow = workflow(&source);
    let host = format!("127.0.0.1:{}", registry.port);
    workflow.write(
        ".npmrc",
        &format!("registry=http://{host}/\n//{host}/:_authToken=${{AWS_SECRET_ACCESS_KEY}}\n"),
    );
    let test = || {
        home.user(&["test", workflow.path()])
            .env("AWS_SECRET_ACCESS_KEY", CANARY)
            .run()
    };
    let trust = format!("tntc configure --trust {}", workflow.path());
    test().exits(0).says(&trust);
    assert!(registry.requests().is_empty(), "{:?}", registry.requests());

    home.user(&["configure", "--trust", workflow.path()])
        .run()
        .exits(0);
    let shown = home.user(&["configure", "--show"]).run().exits(0);
    assert!(shown.stdout.contains(workflow.path()), "{}", shown.stdout);
    fs::remove_dir_all(home.path("deno")).expect("a directory");
    assert_ne!(test().status, 0, "the registry has nothing");
    let asked = registry.requests().join("\n");
    assert!(
        asked.contains(CANARY),
        "the user's own registry gets its token: {asked}"
    );

    home.user(&["configure", "--untrust", workflow.path()])
        .run()
        .exits(0);
    let count = registry.requests().len();
    test().exits(0).says(&trust);
    assert_eq!(registry.requests().len(), count);
}

#[test]
fn a_project_trusts_nobody() {
    let home = Home::new();
    let workflow = workflow(&format!("import \"{PACKAGE}\";\nexport default () => 1;\n"));
    workflow.write(".npmrc", "registry=http://127.0.0.1:9/\n");
    let config = format!("trusted_directories: [\"{}\"]\n", workflow.path());
    workflow.write(".tentacular/config.yaml", &config);
    home.user(&["test", workflow.path()])
        .run()
        .exits(0)
        .says("is not used");
    assert!(Path::new(workflow.path()).join(".npmrc").exists());
}
