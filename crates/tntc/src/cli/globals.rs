//! Which global options mean something to which command: its help shows no others.

use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, CommandFactory, FromArgMatches};

use super::command::Cli;
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

/// Parses the words of a command line.
///
/// # Errors
/// They are no command, or ask for help or the version.
pub fn parsed<W: Into<OsString> + Clone>(
    words: impl IntoIterator<Item = W>,
) -> Result<Cli, clap::Error> {
    let matches = command().try_get_matches_from(words)?;
    let mut cli = Cli::from_arg_matches(&matches)?;
    cli.global.without_effect = without_effect(cli.command.name(), &matches);
    Ok(cli)
}

/// All that can be typed; in the help of each command, only what means something to it.
pub fn command() -> Command {
    let root = Cli::command();
    let globals: Vec<Arg> = root
        .get_arguments()
        .filter(|argument| argument.is_global_set())
        .cloned()
        .collect();
    tailored(root, &globals, "")
}

/// A subcommand's own copy of a global option takes the place of the one that clap would hand down.
fn tailored(mut command: Command, globals: &[Arg], parent: &str) -> Command {
    let names: Vec<_> = command
        .get_subcommands()
        .map(|it| it.get_name().to_owned())
        .collect();
    for name in names {
        let path = format!("{parent} {name}").trim_start().to_owned();
        command = command.mut_subcommand(&name, |sub| {
            let copies = globals.iter().map(|global| copy(global, &path));
            let sub = sub.args(copies);
            tailored(sub, globals, &path)
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
fn without_effect(command: &str, matches: &ArgMatches) -> Vec<String> {
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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn help(path: &[&str]) -> String {
        let words = ["tntc"].iter().chain(path).chain(["--help"].iter());
        let shown = command().try_get_matches_from(words);
        shown.expect_err("the help").to_string()
    }

    #[test]
    fn help_shows_the_options_of_a_cluster_where_there_is_one() {
        let local: [&[&str]; 6] = [
            &["init"],
            &["visualize"],
            &["dev"],
            &["secrets", "init"],
            &["schema"],
            &["version"],
        ];
        for path in local {
            let help = help(path);
            for option in [
                "--context",
                "--kubeconfig",
                "--namespace",
                "--env",
                "--registry",
            ] {
                assert!(!help.contains(option), "{path:?}: {option}\n{help}");
            }
            assert!(help.contains("--output"), "{path:?}: {help}");
        }
        let remote: [&[&str]; 9] = [
            &["deploy"],
            &["run"],
            &["logs"],
            &["list"],
            &["status"],
            &["undeploy"],
            &["audit"],
            &["cluster", "check"],
            &["secrets", "check"],
        ];
        for path in remote {
            let help = help(path);
            for option in ["--context", "--kubeconfig", "--namespace", "--env"] {
                assert!(help.contains(option), "{path:?}: {option}\n{help}");
            }
            assert!(!help.contains("--registry <"), "{path:?}: {help}");
        }
        let build = help(&["build"]);
        assert!(build.contains("--registry"), "{build}");
        assert!(!build.contains("--namespace"), "{build}");
    }

    #[test]
    fn each_help_names_the_formats_that_its_command_has() {
        assert!(help(&["list"]).contains("Output format: text, wide, json, yaml or name"));
        assert!(help(&["validate"]).contains("Output format: text or json"));
        assert!(help(&["cluster", "check"]).contains("Output format: text or json"));
    }

    #[test]
    fn a_global_option_counts_wherever_it_stands() {
        for words in [
            &["tntc", "--context", "a", "list"][..],
            &["tntc", "list", "--context", "a"],
        ] {
            let cli = parsed(words).expect("valid");
            assert_eq!(cli.global.context.as_deref(), Some("a"), "{words:?}");
        }
        let words = ["tntc", "cluster", "check", "-n", "b"];
        let cli = parsed(words).expect("valid");
        assert_eq!(cli.global.namespace.as_deref(), Some("b"));
        // The derived parser and the tailored one take the same.
        Cli::try_parse_from(words).expect("valid");
    }

    #[test]
    fn what_has_no_effect_is_known() {
        let cli = parsed(["tntc", "-r", "reg.example", "deploy"]).expect("valid");
        assert_eq!(cli.global.without_effect, ["--registry"]);
        let words = ["tntc", "secrets", "init", "--env", "prod"];
        let cli = parsed(words).expect("valid");
        assert_eq!(cli.global.without_effect, ["--env"]);
        let cli = parsed(["tntc", "-r", "a", "build"]).expect("valid");
        assert_eq!(cli.global.without_effect, Vec::<String>::new());
    }
}
