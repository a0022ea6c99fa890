//! What registries answer to whoever pulls.

use serde_json::json;

use super::fake::{LAYER, answer, digest, error, manifest};
use super::{Behaviour, arrives, fails, judge};

const MANIFESTS: &str = "/base/manifests/";

fn schema_two() -> String {
    manifest()
        .replace(
            "vnd.oci.image.manifest.v1+json",
            "vnd.docker.distribution.manifest.v2+json",
        )
        .replace(
            "vnd.oci.image.config.v1+json",
            "vnd.docker.container.image.v1+json",
        )
        .replace(
            "vnd.oci.image.layer.v1.tar+gzip",
            "vnd.docker.image.rootfs.diff.tar.gzip",
        )
}

/// A manifest whose config is no image's.
fn chart() -> String {
    let config = json!({"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": digest(b"{}"), "size": 2});
    json!({"schemaVersion": 2, "config": config, "layers": []}).to_string()
}

pub const BEHAVIOURS: &[Behaviour] = &[
    arrives(
        "keeps blobs elsewhere, at a path of its own",
        "Artifact Registry",
        |ask| match ask.line.as_str() {
            "GET /stored/layer" => Some(answer(200).set_body_bytes(LAYER)),
            _ if ask.is_layer() => {
                Some(answer(302).insert_header("location", "/stored/layer?sig=a%2Fb"))
            }
            _ => None,
        },
    ),
    arrives(
        "keeps blobs with a cloud, which is not to see the credentials",
        "ECR, GHCR, Quay, Docker Hub",
        |ask| match ask.line.as_str() {
            // What comes by another name is for the storage to answer.
            "GET /bucket/layer" if ask.authorization.is_empty() => {
                Some(answer(200).set_body_bytes(LAYER))
            }
            "GET /bucket/layer" => Some(answer(400)),
            "GET /v2/" => Some(answer(401).insert_header("www-authenticate", "Basic realm=\"r\"")),
            _ if ask.is_layer() => {
                let port = ask.registry.rsplit(':').next()?;
                let place = format!("http://localhost:{port}/bucket/layer?X-Amz-Signature=a");
                Some(answer(307).insert_header("location", place.as_str()))
            }
            _ => None,
        },
    ),
    arrives("keeps manifests elsewhere, too", "some", |ask| {
        match ask.line.as_str() {
            "GET /stored/manifest" => Some(answer(200).set_body_string(manifest())),
            _ if ask.is("GET", MANIFESTS) => {
                Some(answer(307).insert_header("location", "/stored/manifest"))
            }
            _ => None,
        }
    }),
    arrives("names no digest of a manifest", "some", |ask| {
        ask.is("HEAD", MANIFESTS).then(|| answer(200))
    }),
    arrives("names a digest by another algorithm", "some", |ask| {
        let named = format!("sha512:{}", "0".repeat(128));
        let is_asked = ask.is("HEAD", MANIFESTS);
        is_asked.then(|| answer(200).insert_header("docker-content-digest", named.as_str()))
    }),
    arrives("refuses HEAD", "some behind a proxy", |ask| {
        ask.is("HEAD", "/").then(|| answer(405))
    }),
    arrives("answers HEAD with 400", "some", |ask| {
        ask.is("HEAD", MANIFESTS).then(|| answer(400))
    }),
    arrives(
        "has a base of Docker's schema 2",
        "any, for images of old",
        |ask| {
            ask.line
                .contains(MANIFESTS)
                .then(|| answer(200).set_body_string(schema_two()))
        },
    ),
    arrives(
        "wants to be asked again after a second",
        "Docker Hub, Azure",
        |ask| {
            let is_first = ask.is("GET", MANIFESTS) && ask.before == 0;
            is_first.then(|| {
                error(429, "TOOMANYREQUESTS", "slow down").insert_header("retry-after", "1")
            })
        },
    ),
    arrives(
        "fails once with a page of a proxy",
        "any behind a load balancer",
        |ask| {
            let is_first = ask.is("GET", MANIFESTS) && ask.before == 0;
            is_first.then(|| answer(502).set_body_string("<html>Bad Gateway</html>"))
        },
    ),
    fails(
        "has no such manifest",
        "any",
        |ask| {
            ask.line
                .contains(MANIFESTS)
                .then(|| error(404, "MANIFEST_UNKNOWN", "manifest unknown"))
        },
        "there is no image",
    ),
    fails(
        "says of a repository that is missing or private only that it wants a login",
        "Docker Hub, Quay, Harbor",
        |ask| {
            ask.line.contains(MANIFESTS).then(|| {
                error(
                    401,
                    "UNAUTHORIZED",
                    "access to the requested resource is not authorized",
                )
            })
        },
        "refuses these credentials, or wants some",
    ),
    fails(
        "says of a repository that is missing or private that it is denied",
        "GHCR, Artifact Registry",
        |ask| {
            ask.line.contains(MANIFESTS).then(|| {
                error(
                    403,
                    "DENIED",
                    "Permission \"artifactregistry.repositories.downloadArtifacts\" denied",
                )
            })
        },
        "does not allow it: DENIED Permission",
    ),
    fails(
        "has a limit on pulls",
        "Docker Hub",
        |ask| {
            ask.is("GET", MANIFESTS).then(|| {
                error(
                    429,
                    "TOOMANYREQUESTS",
                    "You have reached your pull rate limit.",
                )
                .insert_header("retry-after", "21600")
            })
        },
        "asks for fewer requests",
    ),
    fails(
        "is down for long",
        "any",
        |ask| ask.line.contains(MANIFESTS).then(|| answer(503)),
        "status 503",
    ),
    fails(
        "answers a part of what was asked for",
        "caches in between",
        |ask| {
            ask.is_layer().then(|| {
                answer(206)
                    .insert_header("content-range", "bytes 0-2/7")
                    .set_body_string("a l")
            })
        },
        "what came is not sha256:",
    ),
    fails(
        "still has Docker's schema 1",
        "some, for images of old",
        |ask| {
            ask.line
                .contains(MANIFESTS)
                .then(|| answer(200).set_body_json(json!({"schemaVersion": 1, "fsLayers": []})))
        },
        "it is of Docker's schema 1",
    ),
    fails(
        "has something else than an image under the name",
        "Harbor, GHCR: charts, signatures",
        |ask| match ask.line.as_str() {
            _ if ask.line.contains(MANIFESTS) => Some(answer(200).set_body_string(chart())),
            line if line.ends_with(&digest(b"{}")) => Some(answer(200).set_body_string("{}")),
            _ => None,
        },
        "does not have platform",
    ),
];

#[test]
fn bases_are_pulled_from_registries_as_they_are_known_to_be() {
    judge(BEHAVIOURS);
}
