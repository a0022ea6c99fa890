//! A workflow with an environment's values merged into its config.

use serde_json::{Map, Value};

use super::{Checked, Workflow, parse};
use crate::config_file;
use crate::diagnostic::Report;
use crate::project::{Project, WORKFLOW_FILE};

/// A checked workflow and the text of the `workflow.yaml` that says the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Overridden {
    /// The workflow, with the warnings about the user's own file.
    pub checked: Checked,
    /// The user's own text, with `config` replaced when something is overridden.
    pub text: String,
}

/// Why there is no workflow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OverrideError {
    /// The user's own file is wrong.
    #[error("workflow.yaml is wrong")]
    File(Report),
    /// The file is right, but not with the overrides.
    #[error(
        "workflow.yaml is wrong once the environment's config_overrides are merged into its config"
    )]
    Merged {
        /// What is wrong, with places in `text`.
        report: Report,
        /// The merged file.
        text: String,
    },
}

/// Reads a project's workflow with values merged into its `config`: mappings key by key, everything else as a whole.
///
/// # Errors
/// What is wrong with the user's file, or with the merged one.
pub fn overridden(
    project: &Project,
    overrides: &Map<String, Value>,
) -> Result<Overridden, OverrideError> {
    let own = parse(project).map_err(OverrideError::File)?;
    if overrides.is_empty() {
        let text =
            String::from_utf8_lossy(project.workflow_file().unwrap_or_default()).into_owned();
        return Ok(Overridden { checked: own, text });
    }
    let mut workflow = own.workflow;
    merge(&mut workflow.config.values, overrides);
    let text = with_config(project, &workflow);
    let mut merged = project.clone();
    merged
        .files
        .insert(WORKFLOW_FILE.to_owned(), text.clone().into_bytes());
    match parse(&merged) {
        Ok(Checked { workflow, .. }) => Ok(Overridden {
            checked: Checked {
                workflow,
                warnings: own.warnings,
            },
            text,
        }),
        Err(report) => Err(OverrideError::Merged { report, text }),
    }
}

/// The user's own text with another `config`; rewritten as a whole where it has no block of its own to replace.
fn with_config(project: &Project, workflow: &Workflow) -> String {
    let own = String::from_utf8_lossy(project.workflow_file().unwrap_or_default());
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
        overridden(
            &Project::from_files([("workflow.yaml", YAML), ("a.ts", "")]),
            &overrides,
        )
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
    fn mappings_are_merged_and_everything_else_is_replaced() {
        let merged =
            with(json!({"timeout": "60s", "deep": {"b": [2], "c": null}, "new": true})).unwrap();
        let workflow = merged.checked.workflow;
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
    fn an_override_that_does_not_fit_is_told_apart_from_a_wrong_file() {
        assert!(matches!(
            with(json!({"timeout": "soon"})),
            Err(OverrideError::Merged { .. })
        ));
        assert!(matches!(
            overridden(&Project::default(), &Map::new()),
            Err(OverrideError::File(_))
        ));
    }

    #[test]
    fn warnings_are_those_of_the_users_own_file() {
        let merged = with(json!({"new": true})).unwrap();
        let codes: Vec<&str> = merged
            .checked
            .warnings
            .iter()
            .map(|warning| warning.code)
            .collect();
        assert_eq!(codes, ["unquoted-version"]);
    }
}
