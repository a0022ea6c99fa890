//! A workflow with an environment's values merged into its config.

use serde_json::{Map, Value};

use super::{Workflow, parse};
use crate::config_file;
use crate::diagnostic::Report;
use crate::project::{Project, WORKFLOW_FILE};
use crate::yaml;

/// A workflow and the text of the `workflow.yaml` that says the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Overridden {
    /// The workflow.
    pub workflow: Workflow,
    /// The user's own text, with `config` replaced when something is overridden.
    pub text: String,
}

/// The user's file is right, but not with the overrides.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "workflow.yaml is wrong once the environment's config_overrides are merged into its config"
)]
pub struct OverrideError {
    /// What is wrong, with places in `text`.
    pub report: Report,
    /// The merged file.
    pub text: String,
}

/// Merges values into the `config` of a project's workflow: mappings key by key, everything else as a whole.
///
/// # Errors
/// What is wrong with the merged file.
pub fn overridden(
    project: &Project,
    own: &Workflow,
    overrides: &Map<String, Value>,
) -> Result<Overridden, OverrideError> {
    let mut workflow = own.clone();
    if overrides.is_empty() {
        let text =
            String::from_utf8_lossy(project.workflow_file().unwrap_or_default()).into_owned();
        return Ok(Overridden { workflow, text });
    }
    merge(&mut workflow.config.values, overrides);
    let text = with_config(project, &workflow);
    let mut merged = project.clone();
    merged
        .files
        .insert(WORKFLOW_FILE.to_owned(), text.clone().into_bytes());
    match parse(&merged) {
        Ok(checked) => Ok(Overridden {
            workflow: checked.workflow,
            text,
        }),
        Err(report) => Err(OverrideError { report, text }),
    }
}

/// The user's own text with another `config`; rewritten as a whole where it has no block of its own to replace, or one
/// that other pieces of the file may refer to.
fn with_config(project: &Project, workflow: &Workflow) -> String {
    let own = String::from_utf8_lossy(project.workflow_file().unwrap_or_default());
    if yaml::uses_aliases(&own) {
        return workflow.to_yaml();
    }
    config_file::set_map(&own, "config", &workflow.config.values)
        .unwrap_or_else(|_| workflow.to_yaml())
}

/// Merges values into a mapping: mappings key by key, everything else as a whole.
pub fn merge(into: &mut Map<String, Value>, from: &Map<String, Value>) {
    for (key, value) in from {
        match (into.get_mut(key), value) {
            (Some(Value::Object(into)), Value::Object(from)) => merge(into, from),
            _ => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const YAML: &str = "# mine\nname: a\nversion: 1.10\ntriggers: [{type: manual}]\nnodes: {a: {path: a.ts}}\n\
        config: {timeout: 30s, deep: {a: 1, b: [1]}}\ncontract: {version: \"1\"}\n";

    fn with(overrides: Value) -> Result<Overridden, OverrideError> {
        let Value::Object(overrides) = overrides else {
            unreachable!("overrides are a mapping")
        };
        let project = Project::from_files([("workflow.yaml", YAML), ("a.ts", "")]);
        let own = parse(&project).unwrap().workflow;
        overridden(&project, &own, &overrides)
    }

    #[test]
    fn without_overrides_the_users_own_text_stays() {
        assert_eq!(with(json!({})).unwrap().text, YAML);
    }

    #[test]
    fn comments_and_order_stay_elsewhere() {
        let text = with(json!({"timeout": "60s"})).unwrap().text;
        assert!(
            text.starts_with("# mine\nname: a\nversion: 1.10\n"),
            "{text}"
        );
        assert!(text.ends_with("\ncontract: {version: \"1\"}\n"), "{text}");
    }

    #[test]
    fn a_config_that_the_rest_of_the_file_refers_to_is_replaced_and_the_rest_stays() {
        let yaml = "name: a\nversion: \"1.0\"\ntriggers: [{type: manual}]\nconfig: &c {timeout: 5s, x: 1}\n\
            nodes: {a: {path: a.ts, x-c: *c}}\ncontract: {version: \"1\"}\n";
        let project = Project::from_files([("workflow.yaml", yaml), ("a.ts", "")]);
        let own = parse(&project).unwrap().workflow;
        let overrides = Map::from_iter([("x".to_owned(), json!(2))]);
        let merged = overridden(&project, &own, &overrides).unwrap();
        let config = json!({"timeout": "5s", "x": 2});
        assert_eq!(Value::Object(merged.workflow.config.values), config);
        let node = &merged.workflow.nodes[0];
        assert_eq!(node.extensions["x-c"], json!({"timeout": "5s", "x": 1}));
    }

    #[test]
    fn mappings_are_merged_and_everything_else_is_replaced() {
        let merged =
            with(json!({"timeout": "60s", "deep": {"b": [2], "c": null}, "new": true})).unwrap();
        let workflow = merged.workflow;
        assert_eq!(
            Value::Object(workflow.config.values),
            json!({"timeout": "60s", "deep": {"a": 1, "b": [2], "c": null}, "new": true})
        );
        assert_eq!(
            workflow.config.timeout,
            Some(std::time::Duration::from_mins(1))
        );
        assert_eq!(workflow.version.as_str(), "1.10");
    }

    #[test]
    fn an_override_that_does_not_fit_is_told_with_its_place_in_the_merged_file() {
        let error = with(json!({"timeout": "soon"})).unwrap_err();
        let paths: Vec<_> = error.report.errors().map(|it| it.path.as_str()).collect();
        assert_eq!(paths, ["/config/timeout"]);
        assert!(error.text.contains("soon"));
    }
}
