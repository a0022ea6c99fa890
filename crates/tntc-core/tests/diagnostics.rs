//! What a faulty workflow file is told, as its author sees it.

use tntc_core::project::Project;
use tntc_core::workflow::parse;

fn told(yaml: &str) -> String {
    let files = [
        ("workflow.yaml", yaml),
        ("nodes/a.ts", ""),
        ("nodes/b.ts", ""),
    ];
    match parse(&Project::from_files(files)) {
        Ok(checked) => checked
            .warnings
            .render("workflow.yaml", yaml.as_bytes(), false),
        Err(report) => report.render("workflow.yaml", yaml.as_bytes(), false),
    }
}

#[test]
fn every_mistake_of_a_file_is_told_in_one_run_and_in_its_order() {
    let yaml = r#"
name: My Workflow
verison: 1.10
triggers:
  - type: corn
  - type: cron
    schedule: "0 9 * * 7"
    timezone: Europe/Berln
  - {type: queue, subject: "a..b"}
  - {type: webhook, path: /run}
nodes:
  a: {path: ./nodes/a.ts, timeout: 30}
  B: {path: nodes/bb.ts, retries: 11}
edges:
  - {from: a, to: bb}
  - {from: a, to: a}
  - {frm: a}
config: [1]
deployment: {namespace: A, replicas: -1}
contract:
  version: 1
  dependencies:
    x: {protocol: https, host: "https://api.github.com/x", auth: {type: t, secret: token}}
    y: {protocol: postgres, host: db}
    z: {type: dynamic-target, cidr: 10.0.0.1, dynPorts: [443]}
"#;
    insta::assert_snapshot!(told(yaml));
}

#[test]
fn files_that_are_no_workflow_at_all_are_told_what_they_are() {
    let told: Vec<String> = [
        "",
        "# nothing\n",
        "[]",
        "name: [a\n",
        "name: a\n\tversion: 1\n",
        "a: *b\nc: &c 1\nd: !x 1\n",
        "name: a\u{7}\n",
        "---\na: 1\n---\nb: 1\n",
        "%YAML 1.1\n---\n[]\n",
        "%YAML 2.0\n---\n[]\n",
    ]
    .map(told)
    .to_vec();
    insta::assert_snapshot!(told.join("──────\n"));
}

#[test]
fn a_file_that_is_not_utf8_is_told_where() {
    let bytes = b"name: a\ndescription: caf\xe9\n";
    let report = parse(&Project::from_files([("workflow.yaml", bytes)])).unwrap_err();
    insta::assert_snapshot!(report.render("workflow.yaml", bytes, false));
}

/// A workflow that is right but for the piece in place of `with`.
fn file_with(piece: &str) -> String {
    let base = [
        ("name", "name: a"),
        ("version", "version: \"1.0\""),
        ("triggers", "triggers: [{type: manual}]"),
        (
            "nodes",
            "nodes: {a: {path: nodes/a.ts}, b: {path: nodes/b.ts}}",
        ),
        ("contract", "contract: {version: \"1\"}"),
    ];
    let kept = base.iter().filter(|(key, _)| {
        !piece
            .split('\n')
            .any(|line| line.starts_with(&format!("{key}:")))
    });
    let lines: Vec<&str> = kept.map(|(_, line)| *line).chain([piece]).collect();
    lines.join("\n") + "\n"
}

/// One line a finding: place, code, message and help.
fn short(yaml: &str) -> String {
    let files = [
        ("workflow.yaml", yaml),
        ("nodes/a.ts", ""),
        ("nodes/b.ts", ""),
    ];
    let report = match parse(&Project::from_files(files)) {
        Ok(checked) => checked.warnings,
        Err(report) => report,
    };
    let line = |it: &tntc_core::diagnostic::Diagnostic| {
        let help = it.help.as_deref().unwrap_or("NO HELP");
        format!(
            "{}:{} {} {}: {} — {help}\n",
            it.line, it.column, it.path, it.code, it.message
        )
    };
    report.iter().map(line).collect()
}

/// Every rule once, each in a file that is right otherwise.
const MISTAKES: &[&str] = &[
    "name: 1",
    "name: ~",
    "name: a-very-long-name-that-goes-on-and-on-and-on-to-forty-nine\ntriggers: [{type: cron, schedule: '@daily'}]",
    "name: a-very-long-name-that-goes-on-and-on-and-on-and-on-and-on-to-sixty-four-c",
    "version: 1.10",
    "version: v2",
    "version: [1]",
    "description: [a]",
    "description: 1",
    "triggers: []",
    "triggers: {type: manual}",
    "triggers: [{tpye: manual}]",
    "triggers: [{type: manual, name: a}, {type: manual, name: a}]",
    "triggers: [{type: manual, schedule: '@daily'}]",
    "triggers: [{type: cron}]",
    "triggers: [{type: cron, schedule: '61 * * * *'}]",
    "triggers: [{type: cron, schedule: '@daily', timezone: utc}]",
    "triggers: [{type: queue, subject: a, durable: yes, max_deliver: 0, concurrency: many, dlq: 'a.*', deliver: news}]",
    "triggers: [{type: queue, subject: '>', durable: true}]",
    "triggers: [{type: queue, subject: a.>, durable: true, dlq: b}, {type: queue, subject: b.>, durable: true, dlq: a}]",
    "triggers: [{type: queue, subject: a, reply_prefix: 'r.>'}, {type: queue, subject: b, reply_prefix: $JS.API}]",
    "triggers: [{type: queue, subject: a}]",
    "triggers: [{type: queue, subject: a}]\nconfig: {nats_url: 'http://x'}",
    "triggers: [{type: queue, subject: a}]\nconfig: {nats_url: 'x:y'}",
    "triggers: [{type: webhook}]",
    "triggers: [{type: webhook, path: /a, provider: github}]",
    "triggers: [{type: webhook, path: /a, event: push}]",
    "triggers: [{type: webhook, provider: gitlab}]",
    "triggers: [{type: webhook, path: /a}, {type: webhook, path: /a}]",
    "triggers: [{type: webhook, path: /webhook/github}, {type: webhook, provider: github}]",
    "triggers: [{type: webhook, path: /a}]",
    "triggers: [{type: webhook, path: /a, verify: stripe}]",
    "triggers: [{type: webhook, path: /a, verify: sha256}]",
    "triggers: [{type: webhook, path: /a, verify: [stripe]}]",
    "triggers: [{type: webhook, path: /a, verify: {secret: a.b}}]",
    "triggers: [{type: webhook, path: /a, verify: {type: stirpe, secret: a.b}}]",
    "triggers: [{type: webhook, path: /a, verify: {type: hmac, secret: a.b}}]",
    "triggers: [{type: webhook, path: /a, verify: {type: github, secret: a.b}}]",
    "triggers: [{type: webhook, path: /a, verify: {type: slack}}]",
    "triggers: [{type: webhook, path: /a, verify: {type: stripe, secret: a, tolerance: 2h}}]",
    "triggers: [{type: webhook, path: /a, verify: {type: stripe, secret: a.b, tolerance: 300}}]",
    "triggers: [{type: webhook, path: /a, verify: {type: bearer, secret: a.b, tolerance: 5m, heder: X-T}}]",
    "triggers: [{type: webhook, path: /a, verify: {hmac: sha256, type: stripe, header: X-S, secret: a.b}}]",
    "triggers: [{type: webhook, path: /a, verify: {hmac: md5, secret: a.b}}]",
    "triggers: [{type: webhook, path: /a, verify: {hmac: sha256, header: 'X-S:', prefix: ' a', encoding: hexx, secret: a.b}}]",
    "triggers: [{type: webhook, path: /a, verfy: {hmac: sha256, header: X-S, secret: a.b}}]",
    "triggers: [{type: webhook, path: /a, hmac: sha256, header: X-S, secret: a.b}]",
    "triggers: [{type: webhook, path: /a, provder: }]",
    "triggers: [{type: webhook, path: /a, verify: {type: slack, secret: a.b}, secret: a.b, method: POST}]",
    "triggers: [{type: webhook, provider: github, verify: {type: stripe, secret: a.b}}]",
    "triggers: [{type: webhook, path: /a, verify: {type: slack, secret: a.b}}, {type: webhook, path: /a}]",
    "nodes: {a: {path: nodes/a.ts, uses: api}}",
    "nodes: {a: {path: nodes/a.ts, uses: [api, 1, {b: c}]}}\ncontract: {version: '1', dependencies: {apis: {protocol: https, host: a.b}}}",
    "nodes: {a: {path: nodes/a.ts, uses: [cache, d, d]}}\ncontract: {version: '1', dependencies: {d: {protocol: https, host: a.b}}}",
    "nodes: {a: {path: nodes/a.ts, uses: [B]}}\ncontract: {version: '1', dependencies: {B: {protocol: https, host: a.b}}}",
    "nodes: {}",
    "nodes: [a]",
    "nodes: {a: }",
    "nodes: {a: {path: /etc/passwd.ts}}",
    "nodes: {a: {path: ../a.ts}}",
    "nodes: {a: {path: 'nodes\\a.ts'}}",
    "nodes: {a: {path: nodes/a.py}}",
    "nodes: {a: {path: .hidden/a.ts}}",
    "nodes: {a: {path: nodes/a.ts, timeout: 0s, retries: 1.5, capabilities: x}}",
    "nodes: {a: {path: nodes/a.ts, timout: 1s}}",
    "edges: [{from: a, to: b}, {from: a, to: b}]",
    "edges: [{from: a, to: b}, {from: b, to: a}]",
    "edges: [a]",
    "config: {timeout: 1d, retries: -1}",
    "config: {a: .nan}",
    "deployment: {serviceAcount: x, serviceAccount: A_b}",
    "contract: {dependencies: {}}",
    "contract: {version: '2'}",
    "contract: {version: '1', dependencies: {A: {protocol: https, host: a.b}}}",
    "contract: {version: '1', dependencies: {a: {protcol: https, host: 'a b'}}}",
    "contract: {version: '1', dependencies: {a: {type: dynamic, protocol: https, host: a.b}}}",
    "contract: {version: '1', dependencies: {a: {type: dynamic-target, protocol: https, cidr: 10.1.2.3/8, dynPorts: []}}}",
    "contract: {version: '1', dependencies: {a: {type: dynamic-target, cidr: 0.0.0.0/0, dynPorts: [443/TCP], reason: r}}}",
    "contract: {version: '1', dependencies: {a: {type: dynamic-target, cidr: 'fd00::/8', dynPorts: [443/TCP], reason: r, allowAllHosts: false}}}",
    "contract: {version: '1', dependencies: {a: {type: dynamic-target, cidr: '::/0', dynPorts: [443/TCP], reason: r, allowAllHosts: true}}}",
    "contract: {version: '1', dependencies: {a: {type: dynamic-target, cidr: 10.0.0.0/8, dynPorts: [443/TCP], reason: r, allowAllHosts: true}}}",
    "contract: {version: '1', dependencies: {a: {protocol: http, host: a.b}}}",
    "contract: {version: '1', dependencies: {a: {protocol: http, host: localhost}}}",
    "contract: {version: '1', dependencies: {a: {protocol: postgresql, host: a.b, database: '', port: 70000}}}",
    "contract: {version: '1', dependencies: {a: {protocol: https, host: a.b, database: x, auth: {secret: a.b.c}}}}",
    "contract: {version: '1', dependencies: {a: {protocol: grpc, host: a.b}}}",
    "contract: {version: '1', networkPolicy: {additionalEgress: [{toCIDR: 10.0.0.0/33, ports: [{port: 0, protocol: tcp}]}]}}",
    "contract: {version: '1', dependencies: {a: {type: dynamic-target, protocol: https, cidr: 10.0.0.0/8, dynPorts: [443/TCP]}}}",
    "contract: {version: '1', dependencies: {a: {protocol: npm}, b: {protocol: jsr, host: '@std/path', version: 1.0, port: 443}}}",
    "contract: {version: '1', dependencies: {a: {protocol: s3}, b: {protocol: postgres, host: a.b}}}",
    "contract: {version: '1', dependencies: {a: {protocol: redis, host: a.b, port: 6379}}}",
    "contract:",
    "metadata: [a]",
    "metadata: {owner: 1, teem: a, tags: a}",
    "metadata: {tags: [a b, ok, 1, 'ends-', zürich]}",
    "nodes: {a: {path: nodes/a.ts}, b: {path: nodes/b.ts, depends_on: [a]}}",
    "nodes: {a: {path: nodes/a.ts}, b: {path: nodes/b.ts, dependsOn: a}}",
    "nodes: {a: {path: nodes/a.ts}, b: {path: nodes/b.ts, depends-on: [{node: a}]}}",
    "nodes: {a: {path: nodes/a.ts}, b: {path: nodes/b.ts, needs: }}",
    "nodes: {a: {path: nodes/a.ts}, b: {path: nodes/b.ts, source: a}}",
    "nodes: {a: {source: nodes/a.ts}}",
    "nodes: {a: {path: nodes/a.ts, next: [b]}, b: {path: nodes/b.ts}}",
    "nodes: {a: {path: nodes/a.ts}, b: {path: nodes/b.ts, when: '${{ a.success }} == true'}}",
    "nodes: {a: {path: nodes/a.ts, description: 1}}",
    "steps: [{name: fetch, run: x}, {id: store}, {name: tell}]",
    "steps: fetch",
    "sidecars: [{name: proxy, image: x}]",
    "deployment: {sidecars: []}",
    "triggers: [{type: queue, subject: a, durable: true, max_deliver: 1001, concurrency: 1001}]\nconfig: {nats_url: n}",
    "config: {id: 12345678901234567890, fine: 9007199254740992, hex: 0x20000000000001, 9007199254740993: 1}",
    "config: {True: 1}",
    "triggers: [{type: cron, schedule: */5 * * * *}]",
    "triggers:\n  - type: cron\n    schedule: * * * * *\n  - type: manual",
    "triggers:\n  - type: cron\n    schedule: @daily # each day\n",
    "triggers:\n  - {type: cron, schedule: *,5 * * * *, timezone: UTC}\n",
    "triggers:\n  - type: cron\n    schedule: */5 * * * * *\n",
    "config: *none",
    "config: &a {b: *a, c: [*a]}\nx-again: *a",
    "config: {<<: 1}",
    "config: {<<: [{a: 1}, b]}",
    "config: {<<: {a: 1}, <<: {b: 1}}",
    "x-t: &t soon\nconfig: {timeout: *t}",
    "x-d: &d {timeout: soon, retrys: 1}\nnodes: {a: {path: nodes/a.ts, <<: *d}, b: {path: nodes/b.ts, <<: *d}}",
    "x: 1\nx-mine: 1",
    "name: a\nname: b",
];

#[test]
fn every_rule_has_a_message_and_says_what_to_write_instead() {
    let told: Vec<String> = MISTAKES
        .iter()
        .map(|piece| {
            let told = short(&file_with(piece));
            assert!(!told.is_empty(), "{piece} is accepted without a word");
            assert!(!told.contains("NO HELP"), "{piece}: {told}");
            format!("{piece}\n{told}")
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn refused_paths_are_told_why() {
    use tntc_core::project::Refusal;
    let yaml = "name: a\nversion: \"1.0\"\ntriggers: [{type: manual}]\nnodes: {a: {path: link.ts}, b: {path: dir/x.ts}, c: {path: d.ts}}\n";
    let mut project = Project::from_files([("workflow.yaml", yaml)]);
    project
        .refused
        .insert("link.ts".into(), Refusal::LeadsOutside);
    project.refused.insert(
        "dir".into(),
        Refusal::Unreadable("permission denied".into()),
    );
    project.refused.insert("d.ts".into(), Refusal::NotAFile);
    let report = parse(&project).unwrap_err();
    let messages: Vec<&str> = report.errors().map(|it| it.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "the file `link.ts` leads out of the workflow's directory",
            "the file `dir/x.ts` cannot be read: permission denied",
            "the file `d.ts` is not a regular file",
        ]
    );
}

#[test]
fn a_report_as_json_has_pointers_and_places() {
    let yaml =
        file_with("nodes: {a: {path: nodes/a.ts, 'x/~y': {path: 1}}}\nedges: [{from: a, to: zz}]");
    let report = parse(&Project::from_files([
        ("workflow.yaml", yaml.as_str()),
        ("nodes/a.ts", ""),
    ]))
    .unwrap_err();
    insta::assert_json_snapshot!(report.iter().collect::<Vec<_>>());
}

#[test]
fn a_key_that_parsers_would_name_differently_must_be_quoted() {
    for key in [
        "1.0",
        "null",
        "~",
        "0x1f",
        ".inf",
        "1e3",
        "007",
        "True",
        "9007199254740993",
    ] {
        let told = short(&file_with(&format!("config: {{{key}: 1}}")));
        assert!(told.contains("put it in quotes"), "{key}: {told}");
    }
    for key in ["404", "true", "-1", "\"1.0\"", "a.b"] {
        assert_eq!(
            short(&file_with(&format!("config: {{{key}: 1}}"))),
            "",
            "{key}"
        );
    }
}
