//! Registries as there are: what each is known to answer, and what becomes of a build that gets such an answer. The
//! tables are in docs/registries.md.

mod bases;
pub mod fake;
mod logins;
mod pulls;
mod pushes;

use std::fmt::Write;
use std::path::Path;

use serde_json::json;

use fake::{Fake, Rule, home, log_in, push};

/// Something that registries answer.
struct Behaviour {
    /// One line for a reader of the documentation.
    what: &'static str,
    /// Where it is known from.
    seen: &'static str,
    rule: Rule,
    outcome: Outcome,
}

/// What a build comes to that gets such an answer.
enum Outcome {
    /// The image is in the registry.
    Arrives,
    /// It fails, and says this.
    Fails(&'static str),
}

const fn arrives(what: &'static str, seen: &'static str, rule: Rule) -> Behaviour {
    let outcome = Outcome::Arrives;
    Behaviour {
        what,
        seen,
        rule,
        outcome,
    }
}

const fn fails(
    what: &'static str,
    seen: &'static str,
    rule: Rule,
    says: &'static str,
) -> Behaviour {
    let outcome = Outcome::Fails(says);
    Behaviour {
        what,
        seen,
        rule,
        outcome,
    }
}

/// Holds builds to a table, each with a registry, a home and a password of its own.
#[track_caller]
fn judge(behaviours: &[Behaviour]) {
    let mut wrong = Vec::new();
    for Behaviour {
        what,
        rule,
        outcome,
        ..
    } in behaviours
    {
        let (home, registry) = (home(), Fake::start(*rule));
        // user:sesame
        log_in(&home, &registry.name(), json!({"auth": "dXNlcjpzZXNhbWU="}));
        let answer = push(&home, &registry.name(), &[]);
        let is_right = match outcome {
            Outcome::Arrives => answer.status == 0,
            // Once: what the registry said is not repeated in other words.
            Outcome::Fails(says) => answer.status == 3 && answer.stderr.matches(says).count() == 1,
        };
        let leaks = answer.stderr.contains("sesame") || answer.stderr.contains("dXNlc");
        if !is_right || leaks {
            wrong.push(format!("{what}: {}\n{}", answer.status, answer.stderr));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const ROOMS: [(&str, &[Behaviour]); 3] = [
    ("Logging in", logins::BEHAVIOURS),
    ("Pulling the base", pulls::BEHAVIOURS),
    ("Pushing the image", pushes::BEHAVIOURS),
];

fn tables() -> String {
    let mut text = String::new();
    for (heading, behaviours) in ROOMS {
        let head =
            format!("\n## {heading}\n\n| a registry | such as | the build |\n|---|---|---|\n");
        text.push_str(&head);
        for Behaviour {
            what,
            seen,
            outcome,
            ..
        } in behaviours
        {
            match outcome {
                Outcome::Arrives => writeln!(text, "| {what} | {seen} | succeeds |"),
                Outcome::Fails(says) => writeln!(text, "| {what} | {seen} | fails: “{says}” |"),
            }
            .expect("a string takes everything");
        }
    }
    text
}

#[test]
fn the_documentation_has_every_behaviour_with_its_outcome() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/registries.md");
    let text = std::fs::read_to_string(&path).expect("docs/registries.md");
    let begin = "<!-- behaviours: written by tests/registries/mod.rs -->\n";
    let (before, shown) = text.split_once(begin).expect("where the tables begin");
    let tables = tables();
    if std::env::var("INSTA_UPDATE").as_deref() == Ok("always") {
        std::fs::write(&path, format!("{before}{begin}{tables}")).expect("docs/registries.md");
        return;
    }
    assert!(
        shown == tables,
        "docs/registries.md is not what the tests say; with INSTA_UPDATE=always this test writes it"
    );
    assert!(
        ROOMS
            .iter()
            .map(|(_, behaviours)| behaviours.len())
            .sum::<usize>()
            >= 40
    );
}
