//! `tntc build` with a real podman, where there is no docker program.

use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::images::{executable, mirrored_base, program, registry_get, test_registry};
use crate::support::{Tntc, Workflow, tntc};

/// A podman whose store is the test's own, as the only container program there is. It makes no network for containers:
/// that would stay when it is gone.
pub struct Podman {
    dir: TempDir,
}

impl Podman {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let podman = Self { dir };
        let bin = podman.path("bin");
        std::fs::create_dir(&bin).expect("a directory");
        let settings = "[containers]\nnetns = \"host\"\n";
        std::fs::write(podman.path("containers.conf"), settings).expect("a file");
        let script = format!(
            "#!/bin/sh\nexport CONTAINERS_CONF={}\nexec /usr/bin/podman --root {} --runroot {} --cgroup-manager cgroupfs \"$@\"\n",
            podman.path("containers.conf"),
            podman.path("root"),
            podman.path("run"),
        );
        executable(&podman.dir.path().join("bin/podman"), &script);
        podman
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
        "--output",
        &archive,
    ];
    podman.tntc(arguments).run().exits(0);
    let manifest = program("tar", ["-xOf", &archive, "manifest.json"]);
    let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
    assert_eq!(manifest[0]["RepoTags"][0], "docker.io/library/e:v1");
}
