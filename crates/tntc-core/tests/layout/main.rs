//! How the files of both crates and of the engine import each other: in no circle, and as ARCHITECTURE.md draws it.
//!
//! With `INSTA_UPDATE=always` the picture is written instead of compared.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test reads the repository and may panic"
)]

mod engine;
mod files;
mod graph;
mod picture;
mod rust;

use std::collections::BTreeMap;
use std::fs;

use graph::Graph;

/// What is drawn and held to be without circles: its heading, and its imports.
fn houses() -> [(&'static str, Graph); 3] {
    let rust = |dir| rust::imports(&files::below(dir, &["rs"]));
    [
        ("crates/tntc", rust("crates/tntc/src")),
        ("crates/tntc-core", rust("crates/tntc-core/src")),
        (
            "engine",
            engine::imports(&files::below("engine", &["ts", "js"])),
        ),
    ]
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    for (house, graph) in houses() {
        assert!(graph.edges() > 20, "{house}: hardly any import was found");
        assert_eq!(graph.circles(), Vec::<String>::new(), "in {house}");
    }
}

#[test]
fn no_rooms_import_each_other_in_a_circle() {
    for (house, graph) in houses() {
        for dir in graph.dirs() {
            let circles = graph.rooms(&dir).circles();
            assert_eq!(circles, Vec::<String>::new(), "in {house}/{dir}");
        }
    }
}

#[test]
fn the_binary_crate_has_few_rooms() {
    let entries = fs::read_dir(files::repository().join("crates/tntc/src")).unwrap();
    assert!(entries.count() <= 15);
}

#[test]
fn the_architecture_shows_who_imports_whom() {
    let path = files::repository().join("ARCHITECTURE.md");
    let text = fs::read_to_string(&path).unwrap();
    let drawn = picture::all(&houses());
    let wanted = picture::put(&text, &drawn);
    if std::env::var("INSTA_UPDATE").as_deref() == Ok("always") {
        fs::write(&path, wanted).unwrap();
        return;
    }
    assert!(
        text == wanted,
        "ARCHITECTURE.md does not show the imports as they are; with INSTA_UPDATE=always this test writes it:\n{drawn}"
    );
}

fn crate_of(files: &[(&str, &str)]) -> Graph {
    let owned = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    rust::imports(&owned.collect::<BTreeMap<_, _>>())
}

#[test]
fn a_circle_between_files_is_found_however_it_is_written() {
    let roads = [
        "use crate::b::Thing;",
        "use super::b::{self as other, Thing};",
        "fn f() { let _ = crate::b::thing(); }",
        "use crate::b; fn f() { b::thing(); }",
        "fn f() { println!(\"{}\", crate::b::thing()); }",
        "use crate::{b::{Thing}};",
        "mod inner { use super::super::b::Thing; }",
        // By the face of the room that has it.
        "use crate::Thing;",
        "use crate::c::Again;",
    ];
    for road in roads {
        let files = [
            ("lib.rs", "mod a; mod b; mod c; pub use b::Thing;"),
            ("a.rs", road),
            ("b.rs", "pub struct Thing; pub fn thing() -> crate::a::A {}"),
            ("c/mod.rs", "pub use crate::b::Thing as Again;"),
        ];
        let circles = crate_of(&files).circles();
        assert_eq!(circles, ["a.rs -> b.rs -> a.rs"], "{road}");
    }
}

#[test]
fn a_room_and_what_is_in_it_make_a_circle_when_both_need_each_other() {
    let child = ("room/child.rs", "use super::Shared; pub fn work() {}");
    let face = |text| [("lib.rs", "mod room;"), ("room/mod.rs", text), child];
    let needs = "mod child; pub struct Shared; fn f() { child::work(); }";
    assert_eq!(
        crate_of(&face(needs)).circles(),
        ["room/child.rs -> room/mod.rs -> room/child.rs"]
    );
    let shows = "mod child; pub use child::work; pub struct Shared;";
    assert_eq!(crate_of(&face(shows)).circles(), Vec::<String>::new());
}

#[test]
fn rooms_make_a_circle_also_where_their_files_make_none() {
    let files = [
        ("lib.rs", "mod a; mod b;"),
        ("a/mod.rs", "mod one; mod two;"),
        ("a/one.rs", "use crate::b::three;\nfn f() { three::g(); }"),
        ("a/two.rs", "pub struct Two;"),
        ("b/mod.rs", "pub mod three; mod four;"),
        ("b/three.rs", "pub fn g() {}"),
        ("b/four.rs", "use crate::a::two::Two;"),
    ];
    let graph = crate_of(&files);
    assert_eq!(graph.circles(), Vec::<String>::new());
    assert_eq!(graph.rooms("").circles(), ["a -> b -> a"]);
}

#[test]
fn tests_may_import_what_they_test() {
    let files = [
        ("lib.rs", "mod a; mod b;"),
        (
            "a.rs",
            "pub struct A; #[cfg(test)] mod tests { use crate::b::B; }",
        ),
        ("b.rs", "use crate::a::A; pub struct B(A);"),
    ];
    assert_eq!(crate_of(&files).circles(), Vec::<String>::new());
}

#[test]
fn a_circle_in_the_engine_is_found() {
    let files = [
        ("core/a.ts", "export { b } from \"./b.ts\";"),
        (
            "core/b.ts",
            "import type { A } from './a.ts'; export const b = 1;",
        ),
    ];
    let owned = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
    let circles = engine::imports(&BTreeMap::from(owned)).circles();
    assert_eq!(circles, ["core/a.ts -> core/b.ts -> core/a.ts"]);
}
