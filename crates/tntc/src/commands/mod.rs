//! One command, one file, one function that reads as its table of contents.

mod audit;
mod build;
mod cluster;
mod completions;
mod configure;
mod deploy;
mod dev;
mod init;
mod list;
mod logs;
mod run;
mod schema;
mod secrets;
mod status;
mod test;
mod undeploy;
mod validate;
mod version;
mod visualize;

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use crate::cli::{Cli, Command, Secrets};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::output::{Color, Format, Outcome, Printer};

/// Parses the command line; on failure everything is printed already and the exit status is returned.
pub fn parse(arguments: impl Iterator<Item = OsString>) -> std::result::Result<Cli, u8> {
    let arguments: Vec<_> = arguments.collect();
    let parsed = Cli::try_parse_from(&arguments).and_then(known_output);
    parsed.map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // A reader that went away is no failure of the help text.
            drop(error.print());
            0
        }
        _ => usage_error(&arguments, &error),
    })
}

/// Only `build` writes to a place; to every other command it is a format that does not exist.
fn known_output(cli: Cli) -> std::result::Result<Cli, clap::Error> {
    match cli.global.place() {
        Some(place) if !matches!(cli.command, Command::Build(_)) => {
            let message = format!(
                "invalid value '{}' for '--output <FORMAT>': possible values are text and json",
                place.display()
            );
            Err(Cli::command().error(ErrorKind::InvalidValue, message))
        }
        _ => Ok(cli),
    }
}

/// Runs a command to its exit status.
pub async fn dispatch(cli: Cli) -> u8 {
    let Cli { global, command } = cli;
    let printer = Printer::new(
        global.format(),
        global.color,
        global.verbose,
        command.name(),
    );
    let context = Context {
        global,
        printer,
        home: std::env::home_dir(),
    };
    match execute(command, &context).await {
        Ok(outcome) => context.printer.finish(&outcome),
        Err(error) => context.printer.fail(&error),
    }
}

async fn execute(command: Command, context: &Context) -> Result<Outcome> {
    match command {
        Command::Init(arguments) => init::run(&arguments),
        Command::Validate(arguments) => validate::run(&arguments, context),
        Command::Dev(arguments) => dev::run(arguments, context).await,
        Command::Visualize(arguments) => visualize::run(&arguments, context),
        Command::Test(arguments) => test::run(arguments, context).await,
        Command::Build(arguments) => build::run(arguments, context).await,
        Command::Deploy(arguments) => deploy::run(arguments, context).await,
        Command::Run(arguments) => run::run(arguments, context).await,
        Command::Logs(arguments) => logs::run(&arguments, context).await,
        Command::List(arguments) => list::run(&arguments, context).await,
        Command::Status(arguments) => status::run(&arguments, context).await,
        Command::Undeploy(arguments) => undeploy::run(&arguments, context).await,
        Command::Cluster(arguments) => cluster::run(arguments, context).await,
        Command::Audit(arguments) => audit::run(arguments, context).await,
        Command::Secrets(Secrets::Check(arguments)) => secrets::check(&arguments, context),
        Command::Secrets(Secrets::Init(arguments)) => secrets::init(&arguments, context),
        Command::Configure(arguments) => configure::run(&arguments, context),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Completions(arguments) => Ok(completions::run(&arguments)),
        Command::Version(_) => Ok(version::run()),
    }
}

/// clap knows the flags only after it succeeded, so `-o json` is looked for by hand here.
fn usage_error(arguments: &[OsString], error: &clap::Error) -> u8 {
    let words: Vec<_> = arguments
        .iter()
        .map(|argument| argument.to_string_lossy())
        .collect();
    let json = words
        .windows(2)
        .any(|pair| matches!(pair[0].as_ref(), "-o" | "--output") && pair[1] == "json")
        || words
            .iter()
            .any(|word| matches!(word.as_ref(), "-ojson" | "--output=json"));
    if !json {
        drop(error.print());
        return 2;
    }
    let command = words
        .iter()
        .skip(1)
        .find(|word| !word.starts_with('-'))
        .map_or("tntc", AsRef::as_ref);
    let text = error.to_string();
    let first = text
        .lines()
        .next()
        .unwrap_or_default()
        .trim_start_matches("error: ");
    let error = Error::usage(first).hint("see: tntc --help");
    Printer::new(Format::Json, Color::Never, false, command).fail(&error)
}
