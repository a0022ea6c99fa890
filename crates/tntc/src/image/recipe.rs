//! What the engine image is, said once for every builder: as a Dockerfile, and as parts to put together without one.

use std::collections::BTreeMap;

/// Where the process starts.
pub const WORKDIR: &str = "/app";
/// The port that the engine listens on.
pub const EXPOSED: &str = "8080";
/// Where the engine lies in the build context.
pub const CONTEXT_DIR: &str = ".engine";

/// What is copied from the build context to where in the image, one layer each. A source that ends in `/` is a
/// directory.
pub const COPIES: [(&str, &str); 3] = [
    (".engine/", "/app/engine/"),
    (".engine/deno.json", "/app/deno.json"),
    (".engine/deno.lock", "/app/deno.lock"),
];

/// Fills the module cache of the image, which only a builder that runs containers can do.
const CACHE: [&str; 4] = ["deno", "cache", "--lock=deno.lock", "engine/main.ts"];

/// The broad permissions are the fallback of a workflow without a contract; with one, the Deployment replaces the
/// entrypoint.
pub const ENTRYPOINT: [&str; 12] = [
    "deno",
    "run",
    "--no-lock",
    "--unstable-net",
    "--allow-net",
    "--allow-read=/app,/tmp/tentacular,/var/run/secrets",
    "--allow-write=/tmp",
    "--allow-env",
    "engine/main.ts",
    "--workflow",
    "/app/workflow/workflow.yaml",
    "--port",
];

/// The engine and nothing else: a workflow's code arrives by ConfigMap.
pub fn dockerfile(base: &str) -> String {
    let mut lines = vec![format!("FROM {base}"), format!("WORKDIR {WORKDIR}")];
    lines.extend(COPIES.map(|(from, to)| format!("COPY {from} {to}")));
    lines.push(format!("RUN {}", exec_form(&CACHE)));
    lines.push(format!("EXPOSE {EXPOSED}"));
    lines.push(format!("ENTRYPOINT {}", exec_form(&entrypoint())));
    lines.join("\n\n") + "\n"
}

/// The whole entrypoint.
pub fn entrypoint() -> Vec<&'static str> {
    ENTRYPOINT.into_iter().chain([EXPOSED]).collect()
}

/// A command as a Dockerfile writes one that needs no shell.
pub fn exec_form(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
    format!("[{}]", quoted.join(", "))
}

/// Labels by the OCI annotation spec (image-spec, annotations.md), without those whose value is not known.
///
/// None of them is a time: the same engine on the same base is the same image.
pub fn labels(base: &str, base_digest: Option<&str>) -> BTreeMap<String, String> {
    let known = [
        ("title", Some("tentacular-engine")),
        ("version", Some(env!("CARGO_PKG_VERSION"))),
        ("revision", option_env!("TNTC_REVISION")),
        ("source", option_env!("TNTC_SOURCE")),
        ("licenses", Some(env!("CARGO_PKG_LICENSE"))),
        ("base.name", Some(base)),
        ("base.digest", base_digest),
    ];
    known
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?)))
        .map(|(name, value)| (format!("org.opencontainers.image.{name}"), value.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use tntc_core::values::ImageReference;

    use super::*;

    #[test]
    fn the_dockerfile_holds_the_engine_and_nothing_of_a_workflow() {
        insta::assert_snapshot!(dockerfile(ImageReference::DEFAULT_BASE.as_str()), @r#"
        FROM denoland/deno:distroless

        WORKDIR /app

        COPY .engine/ /app/engine/

        COPY .engine/deno.json /app/deno.json

        COPY .engine/deno.lock /app/deno.lock

        RUN ["deno", "cache", "--lock=deno.lock", "engine/main.ts"]

        EXPOSE 8080

        ENTRYPOINT ["deno", "run", "--no-lock", "--unstable-net", "--allow-net", "--allow-read=/app,/tmp/tentacular,/var/run/secrets", "--allow-write=/tmp", "--allow-env", "engine/main.ts", "--workflow", "/app/workflow/workflow.yaml", "--port", "8080"]
        "#);
    }

    #[test]
    fn a_label_whose_value_is_not_known_is_left_out() {
        let labels = labels(ImageReference::DEFAULT_BASE.as_str(), None);
        assert!(!labels.contains_key("org.opencontainers.image.base.digest"));
        assert_eq!(
            labels["org.opencontainers.image.version"],
            env!("CARGO_PKG_VERSION")
        );
    }
}
