//! All commands: what each is called, what it answers, and what runs it.

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use super::schema::MakeSchema;
use super::{
    audit, build, cluster, completions, configure, deploy, dev, init, list, logs, run, schema,
    secrets, status, test, undeploy, validate, version, visualize,
};
use crate::cli::{self, Global};
use crate::context::Context;
use crate::outcome::envelope::{Nothing, schema as of};
use crate::outcome::{Error, Outcome, Result};

/// Validate, test, build, deploy, run and audit sealed workflows on Kubernetes.
#[derive(Debug, Parser)]
#[command(name = "tntc", version, disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// One command, one file in `commands/`.
#[derive(Debug, Subcommand)]
pub enum Command {
    Init(init::Init),
    Validate(validate::Validate),
    Visualize(visualize::Visualize),
    Test(test::Test),
    Dev(dev::Dev),
    Build(build::Build),
    Deploy(deploy::Deploy),
    Run(run::Run),
    Logs(logs::Logs),
    List(list::List),
    Status(status::Status),
    Undeploy(undeploy::Undeploy),
    Cluster(cluster::Group),
    Audit(audit::Audit),
    #[command(subcommand)]
    Secrets(secrets::Secrets),
    Configure(configure::Configure),
    Completions(completions::Completions),
    Schema(schema::Schema),
    Version(version::Version),
}

/// From one row a command: its name in the JSON envelope, the fields of its answer, and what runs it.
macro_rules! registry {
    ($context:ident: $($command:pat => $name:literal, $answer:ty, $run:expr;)+) => {
        impl Command {
            /// The name that the JSON envelope carries.
            #[allow(unused_variables, reason = "the arguments are for what runs it")]
            pub fn name(&self) -> &'static str {
                match self {
                    $($command => $name,)+
                }
            }

            /// Runs it.
            pub fn run(self, $context: &Context) -> Result<Outcome> {
                match self {
                    $($command => $run,)+
                }
            }
        }

        /// Each command as its answer's envelope names it, with the schema of that answer.
        const ANSWERS: &[(&str, MakeSchema)] = &[
            $(($name, of::<$answer>),)+
            // A command line that no command could be read from.
            ("failure", of::<Nothing>),
        ];
    };
}

registry! { context:
    Command::Audit(arguments) => "audit", audit::Answer, awaited(audit::run(arguments, context));
    Command::Build(arguments) => "build", build::Answer, awaited(build::run(arguments, context));
    Command::Cluster(arguments) => "cluster check", cluster::Answer, awaited(cluster::run(arguments, context));
    Command::Completions(arguments) => "completions", completions::Answer, Ok(completions::run(&arguments, command()));
    Command::Configure(arguments) => "configure", configure::Answer, configure::run(&arguments, context);
    Command::Deploy(arguments) => "deploy", deploy::Answer, awaited(deploy::run(arguments, context));
    Command::Dev(arguments) => "dev", Nothing, awaited(dev::run(arguments, context));
    Command::Init(arguments) => "init", init::Answer, init::run(&arguments);
    Command::List(arguments) => "list", list::Answer, awaited(list::run(&arguments, context));
    Command::Logs(arguments) => "logs", logs::Answer, awaited(logs::run(&arguments, context));
    Command::Run(arguments) => "run", run::Answer, awaited(run::run(arguments, context));
    Command::Schema(arguments) => "schema", schema::Answer, schema::run(&arguments, ANSWERS);
    Command::Secrets(secrets::Secrets::Check(arguments)) => "secrets check", secrets::Checked, awaited(secrets::check(&arguments, context));
    Command::Secrets(secrets::Secrets::Init(arguments)) => "secrets init", secrets::Written, secrets::init(&arguments, context);
    Command::Status(arguments) => "status", status::Answer, awaited(status::run(&arguments, context));
    Command::Test(arguments) => "test", test::Answer, awaited(test::run(arguments, context));
    Command::Undeploy(arguments) => "undeploy", undeploy::Answer, awaited(undeploy::run(&arguments, context));
    Command::Validate(arguments) => "validate", validate::Answer, if arguments.bundle {
        awaited(validate::run_bundling(&arguments, context))
    } else {
        validate::run(&arguments, context)
    };
    Command::Version(_) => "version", version::Answer, Ok(version::run());
    Command::Visualize(arguments) => "visualize", visualize::Answer, visualize::run(&arguments, context);
}

/// Runs what waits for others. What only reads and writes files is done before a runtime would have started.
fn awaited(work: impl Future<Output = Result<Outcome>>) -> Result<Outcome> {
    // Fails only when a provider is there already, and then it is this one.
    drop(rustls::crypto::ring::default_provider().install_default());
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|cause| Error::surroundings(format!("cannot start threads: {cause}")))?;
    runtime.block_on(work)
}

/// All that can be typed; in the help of each command, only what means something to it.
pub fn command() -> clap::Command {
    cli::tailored(Cli::command())
}

/// Parses the words of a command line.
///
/// # Errors
/// They are no command, or ask for help or the version.
pub fn parsed<W: Into<OsString> + Clone>(
    words: impl IntoIterator<Item = W>,
) -> std::result::Result<Cli, clap::Error> {
    let matches = command().try_get_matches_from(words)?;
    let mut parsed = Cli::from_arg_matches(&matches)?;
    parsed.global.without_effect = cli::without_effect(parsed.command.name(), &matches);
    Ok(parsed)
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
