//! What static analysis finds in the files of a workflow.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use tntc_core::modules::{ImportKind, UseKind, analyse, closure};
use tntc_core::project::Project;

/// Uses of a file as `line:column what`.
fn uses(code: &str) -> Vec<String> {
    let module = analyse("nodes/a.ts", code.as_bytes()).unwrap();
    let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "?".to_owned());
    let describe = |kind: &UseKind| match kind {
        UseKind::Dependency(it) => format!("dependency {}", name(it)),
        UseKind::ContextFetch(it) => format!("ctx.fetch {}", name(it)),
        UseKind::Secrets => "secrets".to_owned(),
        UseKind::Member => "ctx[...]".to_owned(),
        UseKind::GlobalFetch(it) => format!("fetch {}", name(it)),
        UseKind::SecretInUrl => "secret in a URL".to_owned(),
    };
    module
        .uses
        .iter()
        .map(|it| {
            format!(
                "{}:{} {}",
                it.place.line,
                it.place.column,
                describe(&it.kind)
            )
        })
        .collect()
}

#[test]
fn the_first_parameter_of_the_default_export_is_the_context_whatever_its_name() {
    for code in [
        "export default async function run(c: Context, input: unknown) { c.dependency('x') }",
        "export default async (c) => c.dependency('x')",
        "export default async function (c) { return c.dependency('x') }",
        "async function run(c) { c.dependency('x') } export default run;",
        "const run = async (c) => c.dependency('x'); export { run as default };",
        "const run = async function (c) { c.dependency('x') }; export default run;",
        "export default (async (c) => c.dependency('x')) satisfies Node;",
    ] {
        let found = uses(code);
        assert!(
            found.len() == 1 && found[0].ends_with(" dependency x"),
            "{code}: {found:?}"
        );
    }
}

#[test]
fn aliases_and_destructured_members_are_followed() {
    let code = r#"
import type { Context } from "tentacular";
export default async function run(ctx: Context) {
  const c = ctx;
  c.dependency("alias");
  const { dependency, dependency: dep, fetch: get, ...rest } = ctx;
  dependency("taken");
  dep("renamed");
  get("github", "/user");
  rest.dependency("rest");
  const ask = ctx.dependency;
  ask("member");
  ctx["dependency"]("computed");
  ctx?.dependency?.("optional");
  (ctx as any).dependency("cast");
  ctx!.dependency("asserted");
}
"#;
    insta::assert_snapshot!(uses(code).join("\n"));
}

#[test]
fn a_parameter_can_be_taken_apart_at_once() {
    let found = uses(
        "export default async ({ dependency: d, secrets }, input) => { d('x'); return secrets.github; }",
    );
    assert_eq!(found, ["1:40 secrets", "1:63 dependency x"]);
}

#[test]
fn names_that_are_constants_are_read_and_others_are_unknown() {
    let code = "const NAME = `db`; let other = 'x'; other = 'y';
export default (ctx, input) => { ctx.dependency(NAME); ctx.dependency(other); ctx.dependency(input.name); ctx.dependency(`a${1}`) }";
    let names: Vec<String> = uses(code)
        .iter()
        .map(|it| it.split(' ').skip(1).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        names,
        [
            "dependency db",
            "dependency ?",
            "dependency ?",
            "dependency ?"
        ]
    );
}

#[test]
fn secrets_are_seen_however_they_are_reached() {
    let code = "export default (ctx) => {
  ctx.secrets.github.token;
  const s = ctx.secrets;
  const { secrets } = ctx;
  ctx?.[\"secrets\"];
}";
    assert_eq!(
        uses(code),
        ["2:3 secrets", "3:13 secrets", "4:11 secrets", "5:3 secrets"]
    );
}

#[test]
fn the_context_is_followed_into_helpers_of_the_same_file() {
    let code = "
const load = async (c) => store(1, c);
function store(n, where) { return where.dependency('deep'); }
export default async function run(context) { return load(context); }";
    assert_eq!(uses(code), ["3:35 dependency deep"]);
}

#[test]
fn helper_files_are_read_by_the_name_or_the_type_of_their_parameter() {
    let found = uses(
        "export function a(ctx) { ctx.dependency('x') } export const b = (c: Context) => c.dependency('y');",
    );
    assert_eq!(found, ["1:26 dependency x", "1:81 dependency y"]);
}

#[test]
fn only_the_runtimes_own_fetch_is_a_direct_one() {
    let code = "
export default async (ctx) => {
  await fetch('https://api.github.com/user');
  await globalThis.fetch(url());
  const { fetch: mine } = ctx.dependency('x');
  await mine('/y');
  await ctx.dependency('x').fetch('/z');
  { const fetch = 1 as any; fetch('no'); }
  shadow(ctx, 1);
};
function shadow(ctx, globalThis) { globalThis.fetch('no'); other.dependency('no'); }";
    assert_eq!(
        uses(code),
        [
            "3:9 fetch https://api.github.com/user",
            "4:9 fetch ?",
            "5:27 dependency x",
            "7:9 dependency x"
        ]
    );
}

#[test]
fn imports_are_told_apart_by_what_they_name() {
    let code = r#"
import type { Context } from "tentacular";
import { type A, type B } from "./types.ts";
import pg, { type Client } from "npm:pg@8";
import "jsr:@std/assert";
import { x } from "https://esm.sh/x";
import { y } from "../lib/y.ts";
import fs from "node:fs";
import react from "react";
export * from "./all.ts";
export { z } from "./z.ts";
export type { T } from "./t.ts";
const lazy = await import("./lazy.ts");
const plain = await import(`npm:plain`);
const unknown = await import(name);
"#;
    let module = analyse("nodes/a.ts", code.as_bytes()).unwrap();
    let line = |it: &tntc_core::modules::Import| {
        let marks = [(it.types_only, " types"), (it.dynamic, " dynamic")];
        let marks: String = marks
            .iter()
            .filter(|(is, _)| *is)
            .map(|(_, mark)| *mark)
            .collect();
        format!(
            "{}:{} {:?} {}{marks}",
            it.place.line, it.place.column, it.kind, it.specifier
        )
    };
    insta::assert_snapshot!(
        module
            .imports
            .iter()
            .map(line)
            .collect::<Vec<_>>()
            .join("\n")
    );
}

#[test]
fn a_closure_holds_what_is_imported_from_inside_and_names_what_is_not() {
    let project = Project::from_files([
        (
            "nodes/a.ts",
            "import '../lib/b.ts'; import './gone.ts'; export default (ctx) => ctx.dependency('x')",
        ),
        (
            "lib/b.ts",
            "import './a.ts'; import '../../outside.ts'; import data from './data.json'; import 'npm:pg'; import type {T} from 'npm:types';",
        ),
        (
            "lib/a.ts",
            "import './b.ts'; export const f = (ctx) => { ctx.dependency('y'); ctx.dependency('x') };",
        ),
        ("lib/data.json", "{"),
        ("nodes/other.ts", "this is no code"),
    ]);
    let closure = closure(&project, "nodes/a.ts").unwrap();
    let files: Vec<&str> = closure.modules.keys().map(String::as_str).collect();
    assert_eq!(
        files,
        ["lib/a.ts", "lib/b.ts", "lib/data.json", "nodes/a.ts"]
    );
    let missing: Vec<&str> = closure
        .missing
        .iter()
        .map(|(_, import)| import.specifier.as_str())
        .collect();
    assert_eq!(missing, ["../../outside.ts", "./gone.ts"]);
    assert_eq!(
        closure
            .remote()
            .map(|(_, import)| import.specifier.as_str())
            .collect::<Vec<_>>(),
        ["npm:pg"]
    );
    assert_eq!(closure.dependencies(), ["x", "y"]);
}

#[test]
fn what_gives_types_only_is_in_a_closure_but_is_not_loaded() {
    let project = Project::from_files([
        (
            "a.ts",
            "import type { T } from './b.ts'; import './c.ts'; export default (ctx) => ctx.dependency('x')",
        ),
        (
            "b.ts",
            "import 'npm:pg'; import './d.ts'; export default (ctx) => ctx.dependency('y')",
        ),
        ("c.ts", "import type { T } from './a.ts'; import './d.ts';"),
        ("d.ts", "import './c.ts'"),
    ]);
    let closure = closure(&project, "a.ts").unwrap();
    let loaded: Vec<&str> = closure.loaded().map(|(path, _)| path).collect();
    assert_eq!(
        (closure.modules.len(), loaded),
        (4, vec!["a.ts", "c.ts", "d.ts"])
    );
    assert_eq!(closure.dependencies(), ["x"]);
    assert_eq!(closure.remote().count(), 0);
}

#[test]
fn every_kind_of_node_file_is_read_in_its_language() {
    assert!(
        analyse(
            "a.ts",
            b"const x = <number>1; export default (ctx: Context): number => x"
        )
        .is_ok()
    );
    assert!(analyse("a.tsx", b"export default () => <div/>").is_ok());
    assert!(analyse("a.mjs", b"export default (ctx) => 1").is_ok());
    assert!(analyse("a.js", b"import x from './y.js'; export default x").is_ok());
    assert_eq!(
        analyse("a.ts", b"import 'npm:x'").unwrap().imports[0].kind,
        ImportKind::Npm
    );
}

#[test]
fn a_syntax_error_says_where() {
    let error = analyse("nodes/a.ts", "export default (\n  \u{e4} => {".as_bytes()).unwrap_err();
    assert_eq!((error.place.line, error.path.as_str()), (2, "nodes/a.ts"));
    assert!(analyse("nodes/a.ts", &[0xff]).is_err());
}

#[test]
fn code_that_is_nested_beyond_reason_is_an_error_and_no_crash() {
    let code = format!(
        "export default () => {}{}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert!(
        analyse("a.ts", code.as_bytes())
            .unwrap_err()
            .message
            .contains("nested")
    );
    let code = format!(
        "export default () => {}{}",
        "[".repeat(400),
        "]".repeat(400)
    );
    assert!(analyse("a.ts", code.as_bytes()).is_ok());
}

#[test]
fn a_file_of_one_endless_expression_is_read_to_its_end() {
    let chains = [
        ("a.ts", "let a = 1", "+1", "", 300_000),
        ("a.ts", "let a = ", "!", "x", 300_000),
        ("a.ts", "let a = ", "new ", "X", 100_000),
        ("a.ts", "let a = b", ".c", "", 300_000),
        ("a.ts", "let a = b", "()", "", 300_000),
        ("a.ts", "", "if (a) b; else ", "c", 60_000),
        ("a.ts", "let a: ", "A<", "A", 100_000),
        ("a.tsx", "let a = ", "<a>", "", 100_000),
    ];
    for (path, head, link, tail, count) in chains {
        let closing = match link {
            "A<" => ">".repeat(count),
            "<a>" => "</a>".repeat(count),
            _ => String::new(),
        };
        let code = format!(
            "{head}{}{tail}{closing};\nfetch(\"https://a.b\");",
            link.repeat(count)
        );
        let module = analyse(path, code.as_bytes()).unwrap();
        assert_eq!(module.uses.len(), 1, "{link}");
    }
}

#[test]
fn a_file_that_no_config_map_could_deliver_is_not_read() {
    let error = analyse("a.ts", &vec![b'\n'; 1024 * 1024 + 1]).unwrap_err();
    assert!(error.to_string().starts_with("a.ts:1:1: "), "{error}");
}

/// Whether a node with these statements, in lines of their own, puts a secret into a URL in the last of them.
fn leaks(statements: &str) -> bool {
    let code = format!(
        "export default async (ctx) => {{\nconst api = ctx.dependency('api');\n{statements}\n}};"
    );
    let found = uses(&code);
    let leaks: Vec<_> = found
        .iter()
        .filter(|it| it.ends_with("secret in a URL"))
        .collect();
    let last = format!("{}:", code.lines().count() - 1);
    assert!(leaks.iter().all(|it| it.starts_with(&last)), "{leaks:?}");
    !leaks.is_empty()
}

#[test]
fn a_secret_in_a_url_is_found_however_it_comes_there() {
    for statements in [
        "await api.fetch(`/x?key=${api.secret}`);",
        "await api.fetch('/x?key=' + api.secret!);",
        "await api.fetch?.('/x?key='.concat(api.secret ?? ''));",
        "await fetch(`https://api.example.com/x?key=${encodeURIComponent(api.secret as string)}`);",
        "await globalThis.fetch(new URL('https://api.example.com/' + api.secret));",
        "await api.fetch(ctx.dependency('api').secret);",
        "const { secret } = api;\nawait api.fetch(`/bot${secret}/send`);",
        "const { secret: key = '' } = api;\nconst path = `/x?key=${key.trim()}`;\nawait api.fetch(path);",
        "const { fetch, secret } = api;\nawait fetch(cond ? '/x' : `/x?${secret}`);",
        "const query = new URLSearchParams({ key: api.secret });\nawait api.fetch(`/x?${query}`);",
        "const query = new URLSearchParams([['key', api.secret]]);\nawait api.fetch('/x?' + query.toString());",
        "const query = new URLSearchParams();\nquery.append('key', api.secret);\nawait api.fetch(`/x?${query}`);",
        "const url = new URL('https://api.example.com/x');\nurl.searchParams.set('key', api.secret);\nawait fetch(url);",
        "const url = new URL('https://api.example.com/x');\nurl.searchParams.set('key', api.secret);\nawait api.fetch(url.pathname + url.search);",
        "await ctx.fetch('github', `/x?key=${ctx.secrets.github.token}`);",
        "const s = ctx.secrets;\nawait fetch('https://api.example.com/' + s['github'].token);",
    ] {
        assert!(leaks(statements), "{statements}");
    }
}

#[test]
fn a_secret_elsewhere_than_in_a_url_is_where_it_belongs() {
    for statements in [
        "await api.fetch('/x', { headers: { authorization: `Bearer ${api.secret}` } });",
        "const headers = new Headers();\nheaders.set('x-key', api.secret);\nawait api.fetch('/x', { headers });",
        "const signature = await sign(api.secret, 'body');\nawait api.fetch(`/x?signature=${signature}`);",
        "const db = { host: 'db.example.com', password: api.secret };\nawait fetch(`https://${db.host}/x`);",
        "if (api.secret === undefined) throw new Error('no secret');\nawait api.fetch('/x');",
        "await api.fetch(`/x?host=${api.host}`);",
        "await ctx.fetch('github', '/x', { headers: { key: api.secret } });",
        "await connect(`postgres://u:${api.secret}@db/d`);",
        "await api.fetch(`/x?ok=${api.secret.length > 0}`);",
    ] {
        assert!(!leaks(statements), "{statements}");
    }
}

/// Faults of a node's file as `line:column what`.
fn faults(code: &str) -> Vec<String> {
    let project = Project::from_files([("nodes/a.ts", code)]);
    let closure = closure(&project, "nodes/a.ts").unwrap();
    let faults = closure.faults("nodes/a.ts");
    faults
        .map(|(_, it)| format!("{}:{} {}", it.place.line, it.place.column, it.kind))
        .collect()
}

#[test]
fn a_class_as_default_export_is_a_fault_however_it_is_exported() {
    for code in [
        "export default class {}",
        "export default class Run { x = 1 }",
        "export default (class {});",
        "class Run {}\nexport default Run;",
        "export class Run {}\nexport { Run as default };",
        "const Run = class {};\nexport default Run;",
    ] {
        let found = faults(code);
        assert!(
            found[0].contains("default export is a class"),
            "{code}: {found:?}"
        );
    }
}

#[test]
fn a_generator_as_default_export_is_a_fault() {
    for code in [
        "export default async function* run() { yield 1 }",
        "export default function* () {}",
        "async function* run() {}\nexport default run;",
        "const run = async function* () {};\nexport { run as default };",
    ] {
        let found = faults(code);
        assert!(
            found[0].contains("default export is a generator"),
            "{code}: {found:?}"
        );
    }
}

#[test]
fn what_the_engine_can_call_is_no_fault() {
    for code in [
        "export default async function run() {}",
        "class Helper {}\nfunction* steps() {}\nexport default () => [...steps(), new Helper()];",
        "const run = async () => 1;\nexport default run;",
        "export { default } from './b.ts';",
        "@register\nclass A { @observed x = 1 }\nexport default () => new A();",
    ] {
        assert_eq!(faults(code), Vec::<String>::new(), "{code}");
    }
}

#[test]
fn decorators_of_parameters_and_native_packages_are_faults_with_their_place() {
    let decorated = "class A {\n  constructor(@Inject() x: X) {}\n}\nexport default () => new A();";
    assert!(faults(decorated)[0].starts_with("2:15 decorators of parameters"));
    let native = "import type { Sharp } from 'npm:sharp';\nimport sqlite from 'npm:better-sqlite3@11/lib';\n\
        export default () => sqlite;";
    assert_eq!(
        faults(native),
        ["2:20 better-sqlite3 has native code, which a pod does not load: use node:sqlite"]
    );
}

#[test]
fn other_files_may_export_classes() {
    let files = [
        (
            "nodes/a.ts",
            "import Client from './client.ts';\nexport default () => new Client();",
        ),
        ("nodes/client.ts", "export default class {}"),
    ];
    let closure = closure(&Project::from_files(files), "nodes/a.ts").unwrap();
    assert_eq!(closure.faults("nodes/a.ts").count(), 0);
}
