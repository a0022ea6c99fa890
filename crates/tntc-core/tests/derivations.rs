//! Everything that is derived from a contract, reviewed as snapshots.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde_json::{Value, json};
use tntc_core::contract::{Endpoint, Host, endpoints};
use tntc_core::derive::network::{
    Backend, Service, ServiceRef, Services, Surroundings, intended_hosts, outside, policy, services,
};
use tntc_core::derive::{permissions, secrets};
use tntc_core::project::Project;
use tntc_core::workflow::{Port, Workflow, parse};

/// A workflow with these triggers, this config and this contract, each as one line of YAML.
fn workflow(triggers: &str, config: &str, contract: &str) -> Workflow {
    let yaml = format!(
        "name: sealed\nversion: \"1.0\"\ntriggers: {triggers}\nnodes: {{a: {{path: a.ts}}}}\nconfig: {config}\ncontract: {contract}\n"
    );
    parse(&Project::from_files([
        ("workflow.yaml", yaml.as_str()),
        ("a.ts", ""),
    ]))
    .unwrap()
    .workflow
}

fn sealed(dependencies: &str) -> Workflow {
    workflow(
        "[{type: manual}]",
        "{}",
        &format!("{{version: \"1\", dependencies: {{{dependencies}}}}}"),
    )
}

fn derived(workflow: &Workflow, surroundings: &Surroundings<'_>) -> Value {
    let policy = policy(workflow, surroundings).unwrap();
    let extra = surroundings.endpoints;
    json!({
        "secrets": secrets::inventory(workflow),
        "flags": permissions::deno_flags(workflow, extra, surroundings.metrics_namespace),
        "hosts": intended_hosts(workflow, extra),
        "services": services::needed(workflow, extra).iter().map(ToString::to_string).collect::<Vec<_>>(),
        "warnings": policy.warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "policy": policy.spec,
    })
}

/// What is derived without knowing any Service, the long lists of excluded blocks shortened.
fn alone(workflow: &Workflow) -> Value {
    with(workflow, &Services::default())
}

fn with(workflow: &Workflow, services: &Services) -> Value {
    shortened(derived(
        workflow,
        &Surroundings {
            services,
            metrics_namespace: None,
            endpoints: &[],
        },
    ))
}

fn shortened(mut value: Value) -> Value {
    for rule in value["policy"]["egress"].as_array_mut().unwrap() {
        for peer in rule["to"].as_array_mut().unwrap() {
            if let Some(except) = peer.pointer_mut("/ipBlock/except") {
                *except = format!("{} blocks", except.as_array().unwrap().len()).into();
            }
        }
    }
    value
}

fn service(
    namespace: Option<&str>,
    name: &str,
    backend: Backend,
    ports: &[(u16, &[u16])],
) -> (ServiceRef, Service) {
    let port = |number: u16| Port::new(number).unwrap();
    let ports = ports
        .iter()
        .map(|(from, to)| (port(*from), to.iter().map(|to| port(*to)).collect()));
    let namespace = namespace.map(|namespace| namespace.parse().unwrap());
    (
        ServiceRef {
            namespace,
            name: name.to_owned(),
        },
        Service {
            backend,
            ports: ports.collect(),
        },
    )
}

fn pods(app: &str) -> Backend {
    Backend::Pods(BTreeMap::from([("app".to_owned(), app.to_owned())]))
}

#[test]
fn a_contract_without_dependencies_seals_the_pod() {
    insta::assert_yaml_snapshot!(alone(&sealed("")));
}

#[test]
fn an_external_host_opens_its_port_to_what_is_globally_reachable() {
    let workflow = sealed(
        "api: {protocol: https, host: api.github.com, auth: {type: bearer-token, secret: github.token}}",
    );
    let services = Services::default();
    let surroundings = Surroundings {
        services: &services,
        metrics_namespace: None,
        endpoints: &[],
    };
    insta::assert_yaml_snapshot!(derived(&workflow, &surroundings));
}

#[test]
fn without_a_contract_there_is_no_policy_and_no_flag() {
    let yaml = "name: open\nversion: \"1.0\"\ntriggers: [{type: queue, subject: a}]\nnodes: {a: {path: a.ts}}\n";
    let workflow = parse(&Project::from_files([
        ("workflow.yaml", yaml),
        ("a.ts", ""),
    ]))
    .unwrap()
    .workflow;
    let services = Services::default();
    let surroundings = Surroundings {
        services: &services,
        metrics_namespace: None,
        endpoints: &[],
    };
    assert_eq!(policy(&workflow, &surroundings), None);
    assert_eq!(permissions::deno_flags(&workflow, &[], None), None);
    assert_eq!(
        secrets::inventory(&workflow)
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        ["nats.token"]
    );
}

#[test]
fn addresses_open_themselves_only_in_either_family() {
    insta::assert_yaml_snapshot!(alone(&sealed(
        "four: {protocol: https, host: 10.1.2.3}, six: {protocol: https, host: \"2001:db8::1\", port: 8443}, \
         mapped: {protocol: http, host: \"::ffff:10.1.2.3\"}, bracketed: {protocol: nats, host: \"[fd00::1]\", subject: a}"
    )));
}

#[test]
fn several_dependencies_on_one_host_and_port_share_a_rule() {
    insta::assert_yaml_snapshot!(alone(&sealed(
        "a: {protocol: https, host: api.example.com, auth: {type: t, secret: s.a}}, \
         b: {protocol: blob, host: API.example.com, container: c, auth: {type: t, secret: s.b}}, \
         c: {protocol: https, host: other.example.com, auth: {type: t, secret: s.a}}, \
         d: {protocol: postgresql, host: db.example.com, database: d, user: u}"
    )));
}

#[test]
fn services_that_cannot_be_read_open_their_declared_port_with_a_warning() {
    insta::assert_yaml_snapshot!(alone(&sealed(
        "short: {protocol: http, host: cache, port: 8080}, full: {protocol: postgresql, host: db.data.svc, database: d, user: u}, \
         longest: {protocol: postgresql, host: db.data.svc.cluster.local, database: d, user: u}, \
         pod: {protocol: redis, host: redis-0.redis.data.svc, port: 6379}, two: {protocol: https, host: db.data}"
    )));
}

#[test]
fn services_that_can_be_read_open_the_ports_behind_them() {
    let workflow = sealed(
        "short: {protocol: http, host: cache}, named: {protocol: postgresql, host: db.data.svc, database: d, user: u}, \
         addresses: {protocol: https, host: legacy.data.svc}, alias: {protocol: https, host: alias.data.svc}, \
         nothing: {protocol: https, host: nothing.data.svc}, wrong: {protocol: http, host: wrong.data.svc}",
    );
    let addresses = BTreeSet::from(["192.168.1.7".parse().unwrap(), "fd00::7".parse().unwrap()]);
    let services = Services(BTreeMap::from([
        service(None, "cache", pods("cache"), &[(80, &[8080])]),
        service(Some("data"), "db", pods("db"), &[(5432, &[5432, 6432])]),
        service(
            Some("data"),
            "legacy",
            Backend::Addresses(addresses),
            &[(443, &[8443])],
        ),
        service(
            Some("data"),
            "alias",
            Backend::Alias("api.example.com".parse().unwrap()),
            &[],
        ),
        service(
            Some("data"),
            "nothing",
            Backend::Addresses(BTreeSet::new()),
            &[(443, &[443])],
        ),
        service(Some("data"), "wrong", pods("wrong"), &[(8080, &[8080])]),
    ]));
    insta::assert_yaml_snapshot!(with(&workflow, &services));
}

#[test]
fn dynamic_targets_and_additional_egress_open_their_blocks_as_written() {
    let contract = "{version: \"1\", dependencies: {\
        meta: {type: dynamic-target, cidr: 169.254.169.254/32, dynPorts: [\"80/TCP\"], reason: r}, \
        range: {type: dynamic-target, cidr: 10.0.0.0/8, dynPorts: [\"443/TCP\", {port: 53, protocol: UDP}], reason: r}}, \
        networkPolicy: {additionalEgress: [\
        {toCIDR: 10.0.0.0/8, ports: [\"8080/TCP\"]}, {toCIDR: \"fd00::/8\"}, {toCIDR: 192.168.0.0/16}, \
        {toCIDR: 192.168.0.0/16, ports: [\"9/SCTP\"]}]}}";
    insta::assert_yaml_snapshot!(alone(&workflow("[{type: manual}]", "{}", contract)));
}

#[test]
fn dynamic_targets_that_deno_cannot_express_open_the_broad_flag_when_asked_to() {
    for cidr in ["0.0.0.0/0", "::/0", "fd00::/8"] {
        let workflow = sealed(&format!(
            "any: {{type: dynamic-target, cidr: \"{cidr}\", dynPorts: [\"443/TCP\"], reason: r, allowAllHosts: true}}"
        ));
        let flags = permissions::deno_flags(&workflow, &[], None).unwrap();
        assert!(
            flags.contains(&"--allow-net".to_owned()),
            "{cidr}: {flags:?}"
        );
    }
}

#[test]
fn dynamic_targets_that_deno_can_express_open_nothing_else() {
    for (cidr, entry) in [("10.0.0.0/8", "10.0.0.0/8"), ("fd00::1/128", "[fd00::1]")] {
        let workflow = sealed(&format!(
            "any: {{type: dynamic-target, cidr: \"{cidr}\", dynPorts: [\"443/TCP\"], reason: r, allowAllHosts: true}}"
        ));
        let flags = permissions::deno_flags(&workflow, &[], None).unwrap();
        let expected = format!("--allow-net=0.0.0.0:8080,{entry}:443");
        assert!(flags.contains(&expected), "{cidr}: {flags:?}");
    }
}

#[test]
fn a_queue_needs_its_server_and_its_token() {
    let queue = "[{type: queue, subject: events.>}]";
    let contract = "{version: \"1\"}";
    let external = workflow(
        queue,
        "{nats_url: \"tls://nats.example.com:18453\"}",
        contract,
    );
    let internal = workflow(queue, "{nats_url: nats.messaging.svc}", contract);
    let unused = workflow("[{type: manual}]", "{nats_url: nats.example.com}", contract);
    insta::assert_yaml_snapshot!([alone(&external), alone(&internal), alone(&unused)]);
}

#[test]
fn webhooks_open_a_port_of_their_own_and_no_other() {
    let own = workflow("[{type: webhook, path: /hook}]", "{}", "{version: \"1\"}");
    let github = workflow(
        "[{type: webhook, provider: github}]",
        "{}",
        "{version: \"1\"}",
    );
    let ingress = |workflow: &Workflow| alone(workflow)["policy"]["ingress"].clone();
    assert_eq!(
        ingress(&own),
        json!([
            {"from": [{"podSelector": {"matchLabels": {"tentacular.dev/role": "trigger"}}}],
             "ports": [{"port": 8080, "protocol": "TCP"}]},
            {"ports": [{"port": 8081, "protocol": "TCP"}]},
        ])
    );
    let listening = "--allow-net=0.0.0.0:8080,0.0.0.0:8081";
    assert!(alone(&own)["flags"].to_string().contains(listening));
    assert_eq!(ingress(&own), ingress(&github));
    assert_eq!(alone(&github)["secrets"], json!(["github.webhook_secret"]));
}

#[test]
fn a_webhook_needs_the_secret_that_it_is_verified_with_and_opens_no_more_for_it() {
    let triggers = "[{type: queue, subject: a}, \
        {type: webhook, path: /a, verify: {hmac: sha256, header: X-S, secret: shop.key}}, \
        {type: webhook, path: /b, verify: {type: stripe, secret: shop.signing}}, \
        {type: webhook, path: /c, verify: {type: bearer, secret: shop.key}}]";
    let verified = workflow(triggers, "{nats_url: n}", "{version: \"1\"}");
    let open = workflow(
        "[{type: queue, subject: a}, {type: webhook, path: /a}]",
        "{nats_url: n}",
        "{version: \"1\"}",
    );
    let needs: Vec<_> = secrets::needs(&verified).into_iter().collect();
    let need = |secret: &str, need| (secret.parse().unwrap(), need);
    assert_eq!(
        needs,
        [
            need("nats.token", secrets::Need::Useful),
            need("shop.key", secrets::Need::Required),
            need("shop.signing", secrets::Need::Required),
        ]
    );
    let [mut verified, open] = [alone(&verified), alone(&open)];
    verified["secrets"] = open["secrets"].clone();
    assert_eq!(verified, open);
    let shared = triggers.replace("shop.signing", "nats.token");
    let shared = workflow(&shared, "{nats_url: n}", "{version: \"1\"}");
    let token = "nats.token".parse().unwrap();
    assert_eq!(secrets::needs(&shared)[&token], secrets::Need::Required);
}

#[test]
fn the_environment_adds_its_metrics_namespace_and_its_collector() {
    let services = Services::default();
    let namespace = "monitoring".parse().unwrap();
    let collector = Endpoint {
        host: "otel.observe.svc".parse().unwrap(),
        port: Port::known(4318),
    };
    let surroundings = Surroundings {
        services: &services,
        metrics_namespace: Some(&namespace),
        endpoints: &[collector],
    };
    insta::assert_yaml_snapshot!(shortened(derived(&sealed(""), &surroundings)));
}

#[test]
fn the_pod_itself_needs_no_rule() {
    let workflow = sealed("self: {protocol: http, host: localhost, port: 9000}");
    let derived = alone(&workflow);
    assert_eq!(derived["policy"]["egress"].as_array().unwrap().len(), 1);
    assert!(
        derived["flags"]
            .to_string()
            .contains("--allow-net=0.0.0.0:8080,localhost:9000")
    );
}

/// What stays closed when `git.example.com` has these addresses.
fn closed(contract: &str, addresses: &[&str]) -> Vec<(String, String)> {
    let surroundings = Surroundings {
        services: &Services::default(),
        metrics_namespace: None,
        endpoints: &[],
    };
    let outside = outside(&workflow("[{type: manual}]", "{}", contract), &surroundings);
    let host: Host = "git.example.com".parse().unwrap();
    let addresses: BTreeSet<IpAddr> = addresses.iter().map(|it| it.parse().unwrap()).collect();
    let excluded = outside.excluded(&BTreeMap::from([(host, addresses)]));
    excluded
        .iter()
        .map(|it| (it.to_string(), it.additional_egress()))
        .collect()
}

#[test]
fn a_host_with_a_private_address_is_told_with_the_line_that_opens_it() {
    let contract =
        "{version: \"1\", dependencies: {git: {protocol: https, host: git.example.com}}}";
    assert_eq!(
        closed(contract, &["140.82.121.4", "2606:50c0:8000::153"]),
        []
    );
    let [(told, line)] = &closed(contract, &["140.82.121.4", "10.1.2.3"])[..] else {
        panic!("one address is closed");
    };
    assert_eq!(
        told,
        "git.example.com resolves to 10.1.2.3, which the network policy does not let through: 10.0.0.0/8 is not part of the \
         public Internet"
    );
    assert_eq!(
        line,
        "{toCIDR: \"10.1.2.3/32\", ports: [\"443/TCP\"], reason: git.example.com}"
    );
    let opened = contract.replace(
        "}}}",
        &format!("}}}}, networkPolicy: {{additionalEgress: [{line}]}}}}"),
    );
    assert_eq!(closed(&opened, &["10.1.2.3"]), [], "the line opens it");
}

#[test]
fn a_private_address_is_open_only_on_the_ports_that_the_contract_opens() {
    let contract = |egress: &str| {
        format!(
            "{{version: \"1\", dependencies: {{git: {{protocol: https, host: git.example.com}}}}, networkPolicy: \
             {{additionalEgress: [{egress}]}}}}"
        )
    };
    let open = |egress: &str| closed(&contract(egress), &["fd00::1"]).is_empty();
    assert!(open("{toCIDR: \"fd00::/8\"}"));
    assert!(open("{toCIDR: \"fd00::/8\", ports: [\"443/TCP\"]}"));
    assert!(!open("{toCIDR: \"fd00::/8\", ports: [\"443/UDP\"]}"));
    assert!(!open("{toCIDR: \"fd01::/16\"}"));
    assert!(!open("{toCIDR: 10.0.0.0/8}"));
}

#[test]
fn only_hosts_outside_the_cluster_are_resolved() {
    let surroundings = Surroundings {
        services: &Services::default(),
        metrics_namespace: None,
        endpoints: &[endpoints::parse_url("otel.example.com:4318").unwrap()],
    };
    let workflow = sealed(
        "a: {protocol: https, host: a.example.com}, b: {protocol: https, host: a.example.com, port: 8443}, \
         c: {protocol: https, host: 10.0.0.1}, d: {protocol: https, host: d.team.svc}, e: {protocol: https, host: localhost}",
    );
    let outside = outside(&workflow, &surroundings);
    let hosts: Vec<_> = outside.hosts().iter().map(ToString::to_string).collect();
    assert_eq!(hosts, ["a.example.com", "otel.example.com"]);
}
