//! What registries answer to whoever pushes.

use serde_json::json;
use wiremock::ResponseTemplate;

use super::fake::{Ask, LAYER, answer, digest, error};
use super::{Behaviour, arrives, fails, judge};

const MANIFESTS: &str = "/team/e/manifests/";
const UPLOADS: &str = "/blobs/uploads/";

/// An upload that goes on there.
fn begun(ask: &Ask, location: &str) -> Option<ResponseTemplate> {
    let location = location.replace("REGISTRY", &ask.registry);
    ask.is("POST", UPLOADS)
        .then(|| answer(202).insert_header("location", location.as_str()))
}

fn begins(ask: &Ask, refusal: ResponseTemplate) -> Option<ResponseTemplate> {
    ask.is("POST", UPLOADS).then_some(refusal)
}

fn tags(ask: &Ask, refusal: ResponseTemplate) -> Option<ResponseTemplate> {
    ask.is("PUT", MANIFESTS).then_some(refusal)
}

pub const BEHAVIOURS: &[Behaviour] = &[
    arrives(
        "goes on with an upload at a whole URL with a state in it",
        "the reference registry, Harbor",
        |ask| {
            if ask.is("PUT", "/upload/") && !ask.query.starts_with("_state=a%3D&digest=sha256") {
                Some(answer(400))
            } else {
                begun(ask, "http://REGISTRY/v2/upload/1?_state=a%3D")
            }
        },
    ),
    arrives("goes on with an upload at a path", "most", |ask| {
        begun(ask, "/v2/team/e/blobs/upload/1")
    }),
    arrives(
        "goes on with an upload at a path without a slash before it",
        "some",
        |ask| begun(ask, "1"),
    ),
    arrives(
        "takes an upload on another host, which is not to see the credentials",
        "registries in front of a cloud's storage",
        |ask| match ask.line.as_str() {
            "PUT /bucket/1" if ask.authorization.is_empty() => Some(answer(201)),
            "PUT /bucket/1" => Some(answer(400)),
            "GET /v2/" => Some(answer(401).insert_header("www-authenticate", "Basic realm=\"r\"")),
            _ => {
                let port = ask.registry.rsplit(':').next()?;
                begun(ask, &format!("http://localhost:{port}/bucket/1"))
            }
        },
    ),
    arrives(
        "takes a layer over from another repository",
        "the reference registry, Harbor",
        |ask| {
            let is_mount = ask.is("POST", UPLOADS) && ask.query.contains("mount=");
            // Then it needs nobody to fetch it.
            is_mount
                .then(|| answer(201))
                .or(ask.is_layer().then(|| answer(500)))
        },
    ),
    arrives(
        "begins an upload where it should take a layer over",
        "any, as the specification allows",
        |ask| begun(ask, "/v2/upload/1"),
    ),
    arrives("refuses to take a layer over", "some", |ask| {
        let is_mount = ask.is("POST", UPLOADS) && ask.query.contains("mount=");
        is_mount.then(|| error(405, "UNSUPPORTED", "The operation is unsupported."))
    }),
    arrives("has the layer already", "any, at the second push", |ask| {
        let is_layer = ask.line.ends_with(&digest(LAYER));
        let is_asked = ask.is("HEAD", "/team/e/blobs/") && is_layer;
        is_asked
            .then(|| answer(200))
            .or(ask.is_layer().then(|| answer(500)))
    }),
    arrives(
        "refuses to say whether it has a layer",
        "storage that allows GET alone",
        |ask| ask.is("HEAD", "/team/e/blobs/").then(|| answer(403)),
    ),
    arrives("answers an upload with 200 or 204", "some", |ask| {
        if ask.is("PUT", "/") {
            Some(answer(if ask.before == 0 { 204 } else { 200 }))
        } else {
            None
        }
    }),
    arrives("takes no upload in pieces", "Artifact Registry", |ask| {
        ask.is("PATCH", "/").then(|| answer(405))
    }),
    arrives(
        "has forgotten an upload that it began",
        "GHCR; several servers behind one address",
        |ask| {
            if ask.is("PUT", "/v2/upload/") && ask.before == 0 {
                Some(error(
                    404,
                    "BLOB_UPLOAD_UNKNOWN",
                    "blob upload unknown to registry",
                ))
            } else {
                None
            }
        },
    ),
    arrives("fails once to store a layer", "any, for a moment", |ask| {
        (ask.is("PUT", "/v2/upload/") && ask.before == 0).then(|| answer(500))
    }),
    arrives(
        "names something else than a digest for what it stored",
        "none known",
        |ask| {
            tags(
                ask,
                answer(201).insert_header("Docker-Content-Digest", "not a digest"),
            )
        },
    ),
    arrives("says nothing of where a manifest is now", "ECR", |ask| {
        tags(ask, answer(201))
    }),
    arrives(
        "knows no referrers",
        "those before the specification's version 1.1",
        |ask| ask.line.contains("/referrers/").then(|| answer(404)),
    ),
    fails(
        "stores another manifest than it was given",
        "none known",
        |ask| {
            tags(
                ask,
                answer(201).insert_header("docker-content-digest", digest(b"other").as_str()),
            )
        },
        "it stored the manifest as sha256:",
    ),
    fails(
        "wants the repository to be created first",
        "ECR",
        |ask| {
            begins(
                ask,
                error(
                    404,
                    "NAME_UNKNOWN",
                    "The repository with name 'team/e' does not exist in the registry with id '1'",
                ),
            )
        },
        "create the repository or the project first",
    ),
    fails(
        "wants the project to be created first",
        "Harbor, Artifact Registry",
        |ask| begins(ask, error(404, "NOT_FOUND", "project team not found")),
        "NOT_FOUND project team not found",
    ),
    fails(
        "does not let this user push",
        "GHCR",
        |ask| {
            begins(
                ask,
                error(403, "DENIED", "permission_denied: write_package"),
            )
        },
        "does not allow it: DENIED permission_denied: write_package",
    ),
    fails(
        "lets nobody push for now",
        "Harbor: read-only",
        |ask| {
            begins(
                ask,
                error(403, "DENIED", "The system is in read only mode."),
            )
        },
        "The system is in read only mode.",
    ),
    fails(
        "has no space left in a quota",
        "Harbor",
        |ask| {
            tags(
                ask,
                error(
                    403,
                    "DENIED",
                    "adding 1.2 MiB of storage resource, which will exceed the configured upper limit of 1.0 GiB.",
                ),
            )
        },
        "will exceed the configured upper limit",
    ),
    fails(
        "has no space left at all",
        "some",
        |ask| ask.is("PUT", "/v2/upload/").then(|| answer(507)),
        "no space is left on the disk",
    ),
    fails(
        "has a tag that is for ever",
        "ECR",
        |ask| {
            tags(
                ask,
                error(
                    400,
                    "TAG_INVALID",
                    "The image tag 'v1' already exists and cannot be overwritten because the tag is immutable.",
                ),
            )
        },
        "choose another one with --tag",
    ),
    fails(
        "has a tag that is for ever",
        "Harbor",
        |ask| {
            tags(
                ask,
                error(
                    412,
                    "PRECONDITION",
                    "Failed to process request due to 'e:v1' configured as immutable.",
                ),
            )
        },
        "choose another one with --tag",
    ),
    fails(
        "takes no OCI images",
        "those before OCI",
        |ask| {
            tags(
                ask,
                error(
                    415,
                    "MANIFEST_INVALID",
                    "manifest schema version not supported",
                ),
            )
        },
        "build with --builder docker",
    ),
    fails(
        "has a proxy before it that takes nothing so large",
        "nginx",
        |ask| {
            ask.is("PUT", "/v2/upload/")
                .then(|| answer(413).set_body_string("<html>413</html>"))
        },
        "status 413",
    ),
    fails(
        "says why with a number and a message",
        "Artifactory",
        |ask| {
            begins(ask, answer(400).set_body_json(json!({"errors": [{"status": 400, "message": "Unsupported docker v2 repository request for 'null'"}]})))
        },
        "Unsupported docker v2 repository request",
    ),
    fails(
        "says why in a detail alone",
        "some",
        |ask| {
            begins(ask, answer(400).set_body_json(json!({"errors": [{"code": "UNKNOWN", "message": "", "detail": "no such namespace"}]})))
        },
        "UNKNOWN no such namespace",
    ),
    fails(
        "says why as other programs do",
        "gateways before a registry",
        |ask| {
            begins(
                ask,
                answer(400).set_body_json(json!({"message": "Missing Authentication Token"})),
            )
        },
        "Missing Authentication Token",
    ),
    fails(
        "says why in any language",
        "any",
        |ask| begins(ask, error(400, "DENIED", "存储空间不足 — plus d’espace")),
        "存储空间不足 — plus d’espace",
    ),
    fails(
        "says nothing of where an upload goes on",
        "none: broken",
        |ask| begins(ask, answer(202)),
        "it does not say where the upload goes (Location)",
    ),
];

#[test]
fn images_are_pushed_to_registries_as_they_are_known_to_be() {
    judge(BEHAVIOURS);
}
