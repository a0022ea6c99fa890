//! Any bytes as workflow.yaml: an answer without a panic, with places inside the file and harmless to a terminal.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tntc_core::project::Project;
use tntc_core::workflow::parse;

fuzz_target!(|bytes: &[u8]| {
    let project = Project::from_files([("workflow.yaml", bytes), ("a.ts", b"")]);
    match parse(&project) {
        Ok(checked) => {
            let yaml = checked.workflow.to_yaml();
            let again = parse(&Project::from_files([
                ("workflow.yaml", yaml.as_bytes()),
                ("a.ts", b""),
            ]));
            let again = again.unwrap_or_else(|report| panic!("{report}\n{yaml}"));
            assert_eq!(checked.workflow, again.workflow, "{yaml}");
        }
        Err(report) => {
            assert!(report.errors().count() > 0);
            assert!(report.iter().all(|it| it.help.is_some()), "{report}");
            assert!(
                report
                    .iter()
                    .all(|it| it.line > 0 && it.column > 0 && it.span.start <= bytes.len().max(1))
            );
            let text = report.render("workflow.yaml", bytes, false);
            assert!(
                !text.contains(|c: char| c.is_control() && c != '\n'),
                "{text:?}"
            );
        }
    }
});
