//! Which nodes a saved change concerns.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use tntc_core::fixtures::Fixtures;
use tntc_core::modules;
use tntc_core::project::{Project, WORKFLOW_FILE};
use tntc_core::workflow::Workflow;
use tokio::time::sleep;

use crate::outcome::Result;
use crate::workspace::project;

/// How often the directory is read. Polling sees every file system, also those that tell of no changes.
const LOOK_EVERY: Duration = Duration::from_millis(150);

/// Waits until the files of a workflow directory are others than in `before`; gives the paths that differ.
///
/// # Errors
/// The directory can no longer be read.
pub async fn changes(dir: &Path, before: &Project) -> Result<BTreeSet<String>> {
    loop {
        sleep(LOOK_EVERY).await;
        let changed = differing(before, &project::read(dir)?);
        if !changed.is_empty() {
            return Ok(changed);
        }
    }
}

fn differing(before: &Project, after: &Project) -> BTreeSet<String> {
    let paths = before.files.keys().chain(after.files.keys());
    paths
        .filter(|path| before.files.get(*path) != after.files.get(*path))
        .cloned()
        .collect()
}

/// The nodes whose code or fixtures are among `changed`; all of them when the workflow itself is.
pub fn concerned(
    workflow: &Workflow,
    project: &Project,
    changed: &BTreeSet<String>,
) -> BTreeSet<String> {
    let all = changed.contains(WORKFLOW_FILE);
    let fixtures = Fixtures::of(workflow, project);
    let by_fixture = |node: &str| {
        let mut own = fixtures.found.iter().filter(|fixture| fixture.node == node);
        own.any(|fixture| changed.contains(&fixture.path))
    };
    let by_code = |path: &str| match modules::closure(project, path) {
        Ok(closure) => closure.modules.keys().any(|file| changed.contains(file)),
        // A file that cannot be read may import anything.
        Err(_) => true,
    };
    workflow
        .nodes
        .iter()
        .filter(|node| all || by_fixture(node.name.as_str()) || by_code(&node.path))
        .map(|node| node.name.to_string())
        .collect()
}

#[cfg(test)]
mod tests {
    use tntc_core::workflow;

    use super::*;

    const WORKFLOW: &str = "name: w\nversion: '1.0'\ntriggers: [{type: manual}]\n\
        nodes: {a: {path: a.ts}, b: {path: b.ts}}\ncontract: {version: '1', dependencies: {}}\n";

    fn concerned_by(path: &str) -> Vec<String> {
        let project = Project::from_files([
            ("workflow.yaml", WORKFLOW),
            ("a.ts", "import './deep/help.ts'; export default () => 1;"),
            ("b.ts", "export default () => 1;"),
            ("deep/help.ts", "export {};"),
            ("tests/fixtures/b-two.json", "{}"),
            ("notes.txt", ""),
        ]);
        let workflow = workflow::parse(&project).unwrap().workflow;
        let changed = BTreeSet::from([path.to_owned()]);
        concerned(&workflow, &project, &changed)
            .into_iter()
            .collect()
    }

    #[test]
    fn a_change_concerns_the_nodes_that_it_can_reach() {
        assert_eq!(concerned_by("a.ts"), ["a"]);
        assert_eq!(concerned_by("deep/help.ts"), ["a"]);
        assert_eq!(concerned_by("tests/fixtures/b-two.json"), ["b"]);
        assert_eq!(concerned_by("workflow.yaml"), ["a", "b"]);
        assert!(concerned_by("notes.txt").is_empty());
    }

    #[test]
    fn added_changed_and_removed_files_differ() {
        let before = Project::from_files([("same", "1"), ("changed", "1"), ("removed", "1")]);
        let after = Project::from_files([("same", "1"), ("changed", "2"), ("added", "1")]);
        let paths: Vec<_> = differing(&before, &after).into_iter().collect();
        assert_eq!(paths, ["added", "changed", "removed"]);
    }
}
