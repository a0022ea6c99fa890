//! Which global options mean something to which command: its help shows no others.

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

use crate::terminal::Format;

/// The options by which a cluster is reached.
const CLUSTER: [&str; 4] = ["namespace", "environment", "kubeconfig", "context"];

/// The global options that change what a command does, apart from `--output` and `--color`, which every command has.
fn options_of(command: &str) -> Vec<&'static str> {
    let own: &[&str] = match command {
        "init" | "completions" | "schema" | "version" => return Vec::new(),
        "visualize" | "dev" | "secrets init" => &[],
        "validate" | "test" => &["environment"],
        "build" => &["registry", "environment", "kubeconfig", "context"],
        "configure" => &[
            "registry",
            "namespace",
            "environment",
            "kubeconfig",
            "context",
        ],
        _ => &CLUSTER,
    };
    own.iter().copied().chain(["verbose"]).collect()
}

/// The formats that a command answers in. Beside `text` and `json` they are those that kubectl has for the like.
pub fn formats_of(command: &str) -> &'static [Format] {
    use Format::{Json, Name, Text, Wide, Yaml};
    match command {
        "list" => &[Text, Wide, Json, Yaml, Name],
        "deploy" => &[Text, Json, Yaml, Name],
        "undeploy" => &[Text, Json, Name],
        "status" | "configure" | "version" => &[Text, Json, Yaml],
        _ => &[Text, Json],
    }
}

/// The names of formats, for a person: `text, wide or json`.
pub fn listed(formats: &[Format]) -> String {
    let names: Vec<_> = formats.iter().map(|format| format.name()).collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

/// The same, with the help of each command showing only what means something to it.
pub fn tailored(root: Command) -> Command {
    let globals: Vec<Arg> = root
        .get_arguments()
        .filter(|argument| argument.is_global_set())
        .cloned()
        .collect();
    with_copies(root, &globals, "")
}

/// A subcommand's own copy of a global option takes the place of the one that clap would hand down.
fn with_copies(mut command: Command, globals: &[Arg], parent: &str) -> Command {
    let names: Vec<_> = command
        .get_subcommands()
        .map(|it| it.get_name().to_owned())
        .collect();
    for name in names {
        let path = format!("{parent} {name}").trim_start().to_owned();
        command = command.mut_subcommand(&name, |sub| {
            let copies = globals.iter().map(|global| copy(global, &path));
            let sub = sub.args(copies);
            with_copies(sub, globals, &path)
        });
    }
    command
}

fn copy(global: &Arg, command: &str) -> Arg {
    let copy = global.clone();
    match global.get_id().as_str() {
        "output" => copy.help(format!("Output format: {}", listed(formats_of(command)))),
        "color" => copy,
        id => copy.hide(!options_of(command).contains(&id)),
    }
}

/// The global options that were typed for a command which they mean nothing to.
pub fn without_effect(command: &str, matches: &ArgMatches) -> Vec<String> {
    let used = options_of(command);
    let cluster = CLUSTER.iter().chain(["registry"].iter());
    let typed = cluster.filter(|id| matches.value_source(id) == Some(ValueSource::CommandLine));
    typed
        .filter(|id| !used.contains(id))
        .map(|id| match *id {
            "environment" => "--env".to_owned(),
            id => format!("--{id}"),
        })
        .collect()
}
