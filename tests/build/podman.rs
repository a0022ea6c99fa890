//! `tntc build` with a real podman, where there is no docker program.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::fake::Fake;
use crate::images::{mirrored_base, program, registry_get, test_registry};
use crate::support::{Tntc, Workflow, tntc};

/// What podman would otherwise choose by what else is installed, or read from the machine's files. `DIR` is the
/// directory of one test. With host networking podman makes no network for containers: that would stay when it is gone.
const SETTINGS: [(&str, &str); 5] = [
    (
        "containers.conf",
        r#"
[containers]
netns = "host"
default_ulimits = []

[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
static_dir = "DIR/libpod"
tmp_dir = "DIR/run/libpod"
hooks_dir = []

[engine.runtimes]
runc = ["/usr/sbin/runc", "/usr/bin/runc"]

[network]
network_config_dir = "DIR/networks"
"#,
    ),
    (
        "storage.conf",
        "[storage]\ndriver = \"overlay\"\ngraphroot = \"DIR/root\"\nrunroot = \"DIR/run\"\n",
    ),
    ("auth.json", "{}"),
    // podman has no variable for these two; below its home directory they hide the machine's.
    (
        "home/.config/containers/policy.json",
        r#"{"default": [{"type": "insecureAcceptAnything"}]}"#,
    ),
    (
        "home/.config/containers/registries.conf",
        "unqualified-search-registries = []\n",
    ),
];

const SCRIPT: &str = "#!/bin/sh
unset XDG_CONFIG_HOME CONTAINERS_REGISTRIES_CONF CONTAINER_HOST
export HOME=DIR/home CONTAINERS_CONF=DIR/containers.conf CONTAINERS_STORAGE_CONF=DIR/storage.conf REGISTRY_AUTH_FILE=DIR/auth.json
exec /usr/bin/podman \"$@\"
";

/// A podman whose store and settings are the test's own, as the only container program there is.
pub struct Podman {
    dir: TempDir,
}

impl Podman {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let podman = Self { dir };
        for (name, text) in SETTINGS {
            podman.write(name, text);
        }
        podman.write("bin/podman", SCRIPT);
        let program = podman.dir.path().join("bin/podman");
        fs::set_permissions(program, fs::Permissions::from_mode(0o755)).expect("permissions");
        podman
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(
            path,
            text.replace("DIR", &self.dir.path().display().to_string()),
        )
        .expect("a file");
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    pub fn tntc<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Tntc {
        // podman starts its runtime and its network helpers from the system's directories.
        tntc(arguments)
            .env("PATH", format!("{}:/usr/sbin:/sbin", self.path("bin")))
            .env("KUBECONFIG", "/dev/null")
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        // Its store is a mount of its own. Not every driver makes one.
        drop(
            Command::new("umount")
                .arg(self.path("root/overlay"))
                .output(),
        );
    }
}

#[test]
fn podman_is_used_where_there_is_no_docker_and_gives_images_the_names_of_a_cluster() {
    let podman = Podman::new();
    let workflow = Workflow::of_one_node("podded", "return 1;");
    let (registry, base) = (test_registry(), mirrored_base());
    let arguments = [
        "build",
        workflow.path(),
        "--base",
        &base,
        "-r",
        &registry,
        "--tag",
        "podman/e:v1",
        "--push",
        "-o",
        "json",
    ];
    let built = podman.tntc(arguments).run().exits(0).json();
    assert_eq!(built["builder"], "podman");
    let digest = built["digest"].as_str().expect("a digest");
    let tag = format!("{registry}/podman/e:v1");
    assert_eq!(
        workflow.read(".tentacular/base-image.txt"),
        format!("{tag}@{digest}\n")
    );
    let manifest = registry_get(&registry, &format!("podman/e/manifests/{digest}"));
    let config = manifest["config"]["digest"].as_str().expect("a config");
    let config = registry_get(&registry, &format!("podman/e/blobs/{config}"));
    assert_eq!(config["config"]["WorkingDir"], "/app");
    assert_eq!(config["config"]["Entrypoint"][0], "deno");

    let archive = podman.path("e.tar");
    let arguments = [
        "build",
        workflow.path(),
        "--base",
        &base,
        "--tag",
        "e:v1",
        "--to",
        &archive,
    ];
    podman.tntc(arguments).run().exits(0);
    let manifest = program("tar", ["-xOf", &archive, "manifest.json"]);
    let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
    assert_eq!(manifest[0]["RepoTags"][0], "docker.io/library/e:v1");
}

#[test]
fn a_runtime_of_podmans_that_cannot_start_containers_here_is_told_with_the_one_to_set() {
    let symptoms = [
        "error running container: from /usr/bin/crun creating container for [deno cache]: cgroups in hybrid mode not \
         supported, drop all controllers from cgroupv2\nError: building at STEP \"RUN deno cache\": exit status 1",
        "Error: default OCI runtime \"crun\" not found: invalid argument",
        "Error: no valid executable found for OCI runtime /opt/crun: invalid argument",
    ];
    let workflow = Workflow::of_one_node("runtimeless", "return 1;");
    for symptom in symptoms {
        for subcommand in ["build", "ps"] {
            let podman = Fake::named(
                "podman",
                &format!("{subcommand}) echo '{symptom}' >&2; exit 125 ;;"),
            );
            podman
                .run(["build", workflow.path()])
                .run()
                .exits(3)
                .says("podman's container runtime cannot start containers on this machine")
                .says("install runc, and put runtime = \"runc\" under [engine] in /etc/containers/containers.conf")
                .says("--builder oci")
                .says(symptom);
        }
    }
}

#[test]
fn a_podman_that_does_not_work_is_told_without_dockers_way_out() {
    let workflow = Workflow::of_one_node("broken", "return 1;");
    let podman = Fake::named(
        "podman",
        "ps) echo 'Error: database is locked' >&2; exit 125 ;;",
    );
    let answer = podman.run(["build", workflow.path()]).run().exits(3);
    let answer = answer
        .says("podman does not work here")
        .says("database is locked");
    assert!(!answer.stderr.contains("DOCKER_HOST"), "{}", answer.stderr);
}
