//! What kubectl takes, `tntc` takes: a table of kubeconfigs, each tried with the real kubectl and with `tntc list`. Both
//! must reach the cluster or both must fail, and what `tntc` says of a failure is about the situation.

mod files;
mod proxies;
mod servers;
mod setup;
mod users;

use std::sync::Mutex;

use serde_json::Value;

use servers::Servers;
use setup::Setup;

use crate::support::kubectl;

/// One kubeconfig.
pub struct Case {
    name: &'static str,
    change: fn(&mut Setup<'_>),
    /// What `tntc` must say when it is refused; nothing when both must reach the cluster.
    refused: &'static [&'static str],
}

const fn works(name: &'static str, change: fn(&mut Setup<'_>)) -> Case {
    Case {
        name,
        change,
        refused: &[],
    }
}

const fn refused(
    name: &'static str,
    change: fn(&mut Setup<'_>),
    refused: &'static [&'static str],
) -> Case {
    Case {
        name,
        change,
        refused,
    }
}

/// The words of libraries, which mean nothing to a person.
const LIBRARY_WORDS: [&str; 8] = [
    "InvalidContentType",
    "UnknownIssuer",
    "expected value at line",
    "<html>",
    "<input>",
    "SerdeError",
    "panicked",
    "os error 111",
];

/// The failures of a table, each with both verdicts; it is tried by a few threads, since a refusal may take its time.
fn try_all(cases: &[Case]) {
    let servers = Servers::start();
    let text = kubectl([
        "config",
        "view",
        "--raw",
        "--minify",
        "--flatten",
        "-o",
        "json",
    ]);
    let config: Value = serde_json::from_str(&text).expect("JSON");
    let (left, failures) = (Mutex::new(cases.iter()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let case = left.lock().expect("a case").next();
                    let Some(case) = case else { break };
                    if let Some(failure) = judge(case, Setup::new(&servers, &config)) {
                        failures.lock().expect("failures").push(failure);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().expect("failures");
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

fn judge(case: &Case, mut setup: Setup<'_>) -> Option<String> {
    (case.change)(&mut setup);
    let (kubectl_works, kubectl_said) = setup.kubectl();
    let (status, said) = setup.tntc();
    let should_work = case.refused.is_empty();
    let right = if should_work {
        kubectl_works && status == Some(0)
    } else {
        let told = case.refused.iter().all(|text| said.contains(text));
        let library = LIBRARY_WORDS.iter().any(|word| said.contains(word));
        !kubectl_works && matches!(status, Some(2 | 3)) && told && !library
    };
    let name = case.name;
    (!right).then(|| {
        format!("== {name}\nkubectl: {kubectl_works}: {kubectl_said}\ntntc: {status:?}: {said}")
    })
}
