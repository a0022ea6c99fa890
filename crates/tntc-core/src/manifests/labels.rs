//! Labels and annotations: how objects of a workflow are recognised.

use std::collections::BTreeMap;

use crate::derive::network::{ROLE_LABEL, WORKFLOW_LABEL};
use crate::workflow::{OWN_LABELS, Workflow, tag_label};

/// Name of the workflow; the Service selects its pods by this label alone.
pub const NAME: &str = "app.kubernetes.io/name";
/// The workflow's version, literally as written.
pub const VERSION: &str = "app.kubernetes.io/version";
/// Marks everything that this tool made.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The value of [`MANAGED_BY`].
pub const MANAGER: &str = "tentacular";
/// The workflow that a trigger pod belongs to; never [`NAME`], which would make it an endpoint of the Service.
pub const WORKFLOW: &str = WORKFLOW_LABEL;
/// What a pod is for; the NetworkPolicy lets in [`TRIGGER`] only.
pub const ROLE: &str = ROLE_LABEL.0;
/// The value of [`ROLE`] for pods that trigger a workflow.
pub const TRIGGER: &str = ROLE_LABEL.1;
/// Annotation of the ConfigMap and of the pod template: hash of the delivered code.
pub const CODE_HASH: &str = "tentacular.dev/code-hash";
/// Annotation of the Secret and of the pod template: hash of the delivered secrets.
pub const SECRETS_HASH: &str = "tentacular.dev/secrets-hash";
/// Annotation of the pod template: when a restart was last asked for.
pub const RESTARTED_AT: &str = "tentacular.dev/restarted-at";
/// Annotation of the pod template: which build of the image its tag stood for.
pub const IMAGE_ID: &str = "tentacular.dev/image-id";
/// Annotation of the Deployment: the tag that the image had when its digest was deployed.
pub const IMAGE_TAG: &str = "tentacular.dev/image-tag";
/// Annotation of the NetworkPolicy: the hosts that the contract means.
pub const INTENDED_HOSTS: &str = "tentacular.dev/intended-hosts";

/// Annotation of every object: the workflow's tags, joined by commas.
const TAGS: &str = "tentacular.dev/tags";
/// The value of a tag's label.
const TAGGED: &str = "true";

/// Labels of every object of a workflow and of its engine pods.
#[must_use]
pub fn object(workflow: &Workflow) -> BTreeMap<String, String> {
    let tags = workflow.metadata.tags.iter();
    let tags = tags.filter_map(|text| Some((tag_label(text)?, TAGGED.to_owned())));
    [
        (NAME.to_owned(), workflow.name.to_string()),
        (VERSION.to_owned(), workflow.version.to_string()),
        (MANAGED_BY.to_owned(), MANAGER.to_owned()),
    ]
    .into_iter()
    .chain(tags)
    .collect()
}

/// Annotations of every object of a workflow: what its `metadata` says, by the keys of the file.
#[must_use]
pub fn annotations(workflow: &Workflow) -> BTreeMap<String, String> {
    let metadata = &workflow.metadata;
    let texts = metadata.texts();
    let mut annotations: BTreeMap<_, _> = texts
        .map(|(key, text)| (format!("{OWN_LABELS}{key}"), text.to_owned()))
        .collect();
    if !metadata.tags.is_empty() {
        annotations.insert(TAGS.to_owned(), metadata.tags.join(","));
    }
    annotations
}

/// What annotations of an object say about its workflow, by the keys of the file and in their order.
pub fn metadata(
    annotations: &BTreeMap<String, String>,
) -> impl Iterator<Item = (&'static str, &str)> {
    ["owner", "team", "group", "environment", "tags"]
        .into_iter()
        .filter_map(|key| {
            Some((
                key,
                annotations.get(&format!("{OWN_LABELS}{key}"))?.as_str(),
            ))
        })
}

/// The labels that select the engine pods.
#[must_use]
pub fn selector(workflow: &Workflow) -> BTreeMap<String, String> {
    BTreeMap::from([(NAME.to_owned(), workflow.name.to_string())])
}

/// Labels of a pod that triggers the workflow called `name`.
#[must_use]
pub fn trigger_pod(name: &str) -> BTreeMap<String, String> {
    BTreeMap::from([
        (WORKFLOW.to_owned(), name.to_owned()),
        (ROLE.to_owned(), TRIGGER.to_owned()),
        (MANAGED_BY.to_owned(), MANAGER.to_owned()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Project;

    fn workflow(metadata: &str) -> Workflow {
        let yaml = format!(
            "name: a\nversion: \"1.0\"\ntriggers: [{{type: manual}}]\nnodes: {{a: {{path: a.ts}}}}\n{metadata}\n"
        );
        let project = Project::from_files([("workflow.yaml", yaml.as_str()), ("a.ts", "")]);
        crate::workflow::parse(&project)
            .expect("a workflow")
            .workflow
    }

    #[test]
    fn metadata_becomes_annotations_and_is_read_back() {
        let yaml =
            "metadata: {owner: ana, team: data, group: g, environment: prod, tags: [x, y z]}";
        let annotations = annotations(&workflow(yaml));
        let read: Vec<_> = metadata(&annotations).collect();
        assert_eq!(
            read,
            [
                ("owner", "ana"),
                ("team", "data"),
                ("group", "g"),
                ("environment", "prod"),
                ("tags", "x,y z")
            ]
        );
        assert!(super::annotations(&workflow("")).is_empty());
    }

    #[test]
    fn a_tag_is_a_label_where_a_label_can_hold_it() {
        for (text, label) in [
            ("nightly", Some("tentacular.dev/tag-nightly")),
            ("v1.2_x", Some("tentacular.dev/tag-v1.2_x")),
            ("two words", None),
            ("ends-", None),
            ("", None),
            ("z\u{fc}rich", None),
            (&"x".repeat(60), None),
        ] {
            assert_eq!(tag_label(text).as_deref(), label, "{text}");
        }
        let labels = object(&workflow("metadata: {tags: [nightly, two words, nightly]}"));
        let tags: Vec<_> = labels.keys().filter(|key| key.contains("/tag-")).collect();
        assert_eq!(tags, ["tentacular.dev/tag-nightly"]);
        assert_eq!(labels.get(NAME).map(String::as_str), Some("a"));
    }
}
