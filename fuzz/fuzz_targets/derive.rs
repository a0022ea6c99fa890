//! Any contract, triggers and config: everything is derived without a panic, and a second time the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tntc_core::derive::network::{
    Services, Surroundings, intended_hosts, policy, services, summary,
};
use tntc_core::derive::{permissions, secrets};
use tntc_core::diagram::{Usage, contract_summary, diagram_page};
use tntc_core::modules::analyse;
use tntc_core::project::Project;
use tntc_core::workflow::{Workflow, graph, parse};

// The bytes are the parts of a file that derivations read; the rest stands around them. What follows a NUL is code.
fuzz_target!(|text: &str| {
    let (yaml, code) = text
        .split_once('\0')
        .unwrap_or((text, "export default (ctx) => ctx.dependency('a')"));
    let _ = analyse("a.ts", code.as_bytes());
    let yaml = format!(
        "name: a\nversion: \"1.0\"\nnodes: {{a: {{path: a.ts}}, b: {{path: a.ts}}}}\n{yaml}"
    );
    let project = Project::from_files([("workflow.yaml", yaml.as_str()), ("a.ts", code)]);
    if let Ok(checked) = parse(&project) {
        let workflow = checked.workflow;
        assert_eq!(
            derived(&project, &workflow),
            derived(&project, &workflow.clone())
        );
    }
});

fn derived(project: &Project, workflow: &Workflow) -> String {
    let known = Services::default();
    let surroundings = Surroundings {
        services: &known,
        metrics_namespace: None,
        endpoints: &[],
    };
    let usage = Usage::of(project, workflow);
    let policy =
        policy(workflow, &surroundings).map(|policy| serde_json::to_string(&policy.spec).unwrap());
    format!(
        "{policy:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {} {}",
        intended_hosts(workflow, &[]),
        services::needed(workflow, &[]),
        summary(workflow, &[], None),
        secrets::inventory(workflow),
        permissions::deno_flags(workflow, &[], None),
        graph::stages(workflow),
        graph::grace_period(workflow),
        diagram_page(workflow, &usage),
        contract_summary(workflow, &usage),
    )
}
