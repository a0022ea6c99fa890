#!/usr/bin/env python3
"""Packs a directory as a container image of one layer, without any daemon.

The tar is both an OCI layout, which `ctr images import` reads, and a Docker archive, which
`docker load` reads. The same input gives the same bytes: owners and times are left out.
"""

import argparse
import hashlib
import io
import json
import os
import tarfile

CREATED = "2026-01-01T00:00:00Z"
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", help="the tar to write")
    parser.add_argument("root", help="the directory that becomes the image's file system")
    parser.add_argument("reference", help="the image's full name, with its tag")
    parser.add_argument("--user", default="", help="UID[:GID]")
    parser.add_argument("--entrypoint", type=json.loads, help="a JSON list")
    parser.add_argument("--cmd", type=json.loads, help="a JSON list")
    parser.add_argument("--env", action="append", default=[], help="NAME=VALUE")
    return parser.parse_args()


def anonymous(entry):
    """Everything belongs to root and has no date; only /tmp is for everyone."""
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    if entry.name == "tmp":
        entry.mode = 0o1777
    return entry


def layer_of(root):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in sorted(os.listdir(root)):
            tar.add(os.path.join(root, name), arcname=name, filter=anonymous)
    return buffer.getvalue()


def digest_of(data):
    return hashlib.sha256(data).hexdigest()


def descriptor(media_type, data):
    return {"mediaType": media_type, "digest": "sha256:" + digest_of(data), "size": len(data)}


def config_of(layer, arguments):
    process = {"Env": [PATH, *arguments.env], "User": arguments.user, "WorkingDir": "/"}
    if arguments.entrypoint:
        process["Entrypoint"] = arguments.entrypoint
    if arguments.cmd:
        process["Cmd"] = arguments.cmd
    config = {
        "architecture": "amd64",
        "os": "linux",
        "created": CREATED,
        "config": process,
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest_of(layer)]},
        "history": [{"created": CREATED, "created_by": "mkimage.py"}],
    }
    return json.dumps(config).encode()


def oci_manifest(config, layer):
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("application/vnd.oci.image.config.v1+json", config),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar", layer)],
    }
    return json.dumps(manifest).encode()


def oci_index(manifest, reference):
    entry = descriptor("application/vnd.oci.image.manifest.v1+json", manifest)
    entry["annotations"] = {
        "io.containerd.image.name": reference,
        "org.opencontainers.image.ref.name": reference.rsplit(":", 1)[1],
    }
    return json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode()


def docker_manifest(config, layer, reference):
    """Docker's own list; it leaves its default registry out of names."""
    entry = {
        "Config": "blobs/sha256/" + digest_of(config),
        "RepoTags": [reference.removeprefix("docker.io/")],
        "Layers": ["blobs/sha256/" + digest_of(layer)],
    }
    return json.dumps([entry]).encode()


def write_archive(path, files):
    with tarfile.open(path, "w") as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            entry.mode = 0o644
            tar.addfile(entry, io.BytesIO(data))


def main():
    arguments = parse_arguments()
    layer = layer_of(arguments.root)
    config = config_of(layer, arguments)
    manifest = oci_manifest(config, layer)
    files = {
        "oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
        "index.json": oci_index(manifest, arguments.reference),
        "manifest.json": docker_manifest(config, layer, arguments.reference),
    }
    for blob in (config, manifest, layer):
        files["blobs/sha256/" + digest_of(blob)] = blob
    write_archive(arguments.output, files)


if __name__ == "__main__":
    main()
