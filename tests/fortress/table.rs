//! SECURITY.md has the attacks, and every attack has a proof.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use super::attack::{Attack, Proof};
use super::{
    canaries, deno, directories, gvisor, kubeconfigs, network, pod, registries, servers, triggers,
};

/// What is attacked: a heading, the word that its attacks' names begin with, and the attacks.
type Room = (&'static str, &'static str, &'static [&'static [Attack]]);

const ROOMS: [Room; 10] = [
    (
        "A node, in a pod and on your machine",
        "deno",
        &[deno::ATTACKS, deno::TESTED],
    ),
    (
        "The network, both ways",
        "network",
        &[network::PODS, network::EGRESS],
    ),
    (
        "The container, once Deno's permissions have failed",
        "pod",
        &[pod::ATTACKS, pod::TESTED],
    ),
    ("gVisor", "gvisor", &[gvisor::TESTED]),
    (
        "Triggers",
        "trigger",
        &[triggers::REQUESTS, triggers::TESTED],
    ),
    (
        "A stranger's directory",
        "directory",
        &[directories::ATTACKS],
    ),
    (
        "Kubeconfigs and settings",
        "kubeconfig",
        &[kubeconfigs::ATTACKS],
    ),
    ("API servers", "server", &[servers::ATTACKS]),
    ("Registries", "registry", &[registries::ATTACKS]),
    ("Secrets, by planted values", "secret", &[canaries::ATTACKS]),
];

/// Around the tables in SECURITY.md.
const BEGIN: &str = "<!-- attacks: written by tests/fortress/table.rs -->\n";
const END: &str = "<!-- end of the attacks -->\n";

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn attacks() -> impl Iterator<Item = &'static Attack> {
    let lists = ROOMS.iter().flat_map(|(_, _, lists)| *lists);
    lists.flat_map(|list| list.iter())
}

fn tables() -> String {
    let mut text = String::new();
    for (heading, word, lists) in &ROOMS {
        write!(
            text,
            "\n### {heading}\n\n| attack | it | outcome |\n|---|---|---|\n"
        )
        .expect("a string");
        for attack in lists.iter().flat_map(|list| list.iter()) {
            let Attack {
                name,
                what,
                outcome,
                ..
            } = attack;
            writeln!(text, "| `{word}/{name}` | {what} | {outcome} |").expect("a string");
        }
    }
    text.push('\n');
    text
}

#[test]
fn security_md_has_every_attack_with_its_outcome() {
    let path = repository().join("SECURITY.md");
    let text = fs::read_to_string(&path).expect("SECURITY.md");
    let (before, rest) = text.split_once(BEGIN).expect("where the tables begin");
    let (shown, after) = rest.split_once(END).expect("where the tables end");
    let tables = tables();
    if std::env::var("INSTA_UPDATE").as_deref() == Ok("always") {
        fs::write(&path, format!("{before}{BEGIN}{tables}{END}{after}")).expect("SECURITY.md");
        return;
    }
    let wanted: BTreeSet<_> = tables.lines().collect();
    let shown_lines: BTreeSet<_> = shown.lines().collect();
    let missing: Vec<_> = wanted.difference(&shown_lines).collect();
    let stale: Vec<_> = shown_lines.difference(&wanted).collect();
    assert!(
        shown == tables,
        "SECURITY.md is not what the tests say; with INSTA_UPDATE=always this test writes it\n\
         missing: {missing:#?}\nnot an attack (any more): {stale:#?}"
    );
}

#[test]
fn every_attack_has_a_name_of_its_own_and_a_proof_that_is_there() {
    for (heading, _, lists) in &ROOMS {
        let all: Vec<_> = lists.iter().flat_map(|list| list.iter()).collect();
        let names: BTreeSet<_> = all.iter().map(|attack| attack.name).collect();
        assert_eq!(names.len(), all.len(), "{heading}: two attacks of one name");
    }
    for attack in attacks() {
        let Proof::Test(file, test) = attack.proof else {
            continue;
        };
        let source = fs::read_to_string(repository().join(file)).unwrap_or_default();
        let is_there = [format!("fn {test}("), format!("\"{test}\"")]
            .iter()
            .any(|it| source.contains(it));
        assert!(is_there, "{}: {file} has no test `{test}`", attack.name);
    }
    assert!(attacks().count() >= 100);
}
