//! An attack, what it must come to, and where that is proven.

use std::fmt;

use serde_json::Value;

/// One attempt to get at what the fortress protects.
pub struct Attack {
    /// Lower-case words, unique in its layer. For attacks that a program makes, the program's name for it.
    pub name: &'static str,
    /// One line for a reader of SECURITY.md.
    pub what: &'static str,
    pub outcome: Outcome,
    pub proof: Proof,
}

/// What an attack must come to.
#[derive(Clone, Copy)]
pub enum Outcome {
    /// Nothing happens, because of this layer.
    Blocked(Layer),
    /// It happens, and concerns nobody but the workflow that did it.
    Contained(&'static str),
    /// It works. Whoever relies on the seal has to know.
    Limit(&'static str),
}

/// What stands in the way.
#[derive(Clone, Copy)]
pub enum Layer {
    Deno,
    Engine,
    Policy,
    Pod,
    Tntc,
}

/// How it is known.
pub enum Proof {
    /// What the program that makes the attack answers: one of these beginnings, separated by ` | `.
    Answer(&'static str),
    /// A test of this repository: its file and its name.
    Test(&'static str, &'static str),
}

impl fmt::Display for Layer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Deno => "Deno's permissions",
            Self::Engine => "the engine",
            Self::Policy => "the NetworkPolicy",
            Self::Pod => "the pod",
            Self::Tntc => "`tntc`",
        })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blocked(layer) => write!(formatter, "blocked by {layer}"),
            Self::Contained(how) => write!(formatter, "contained: {how}"),
            Self::Limit(how) => write!(formatter, "limit: {how}"),
        }
    }
}

/// An attack whose program says how it went.
pub const fn answered(
    name: &'static str,
    what: &'static str,
    outcome: Outcome,
    answer: &'static str,
) -> Attack {
    let proof = Proof::Answer(answer);
    Attack {
        name,
        what,
        outcome,
        proof,
    }
}

/// An attack that is a test of its own.
pub const fn tested(
    name: &'static str,
    what: &'static str,
    outcome: Outcome,
    file: &'static str,
    test: &'static str,
) -> Attack {
    let proof = Proof::Test(file, test);
    Attack {
        name,
        what,
        outcome,
        proof,
    }
}

/// Holds a program's answers to a table, both ways: no attack is left out, and none is unknown.
#[track_caller]
pub fn judge<'a>(attacks: impl IntoIterator<Item = &'a Attack>, answers: &Value, place: &str) {
    let mut answers = answers
        .as_object()
        .unwrap_or_else(|| panic!("no answers from {place}: {answers}"))
        .clone();
    let mut wrong = Vec::new();
    for attack in attacks {
        let Proof::Answer(expected) = attack.proof else {
            continue;
        };
        let answer = answers.remove(attack.name).unwrap_or_default();
        let answer = answer.as_str().unwrap_or("nothing was said");
        if !expected.split(" | ").any(|it| answer.starts_with(it)) {
            wrong.push(format!("{}: {answer} and not {expected}", attack.name));
        }
    }
    wrong.extend(answers.keys().map(|name| format!("{name} is in no table")));
    assert!(wrong.is_empty(), "{place}:\n{}", wrong.join("\n"));
}
