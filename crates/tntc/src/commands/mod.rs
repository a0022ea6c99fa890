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
mod registry;
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

use clap::CommandFactory;
use clap::error::ErrorKind;

use self::registry::{Cli, Command};
use crate::cli;
use crate::context::Context;
use crate::outcome::Error;
use crate::terminal::{Color, Format, Printer, crash};

/// Parses the command line; on failure everything is printed already and the exit status is returned.
pub fn parse(arguments: impl Iterator<Item = OsString>) -> std::result::Result<Cli, u8> {
    let arguments: Vec<_> = arguments.collect();
    let parsed = registry::parsed(&arguments).and_then(known_output);
    parsed.map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // A reader that went away is no failure of the help text.
            drop(error.print());
            0
        }
        _ => usage_error(&arguments, &error),
    })
}

/// Only `build` writes to a place, and not every command has every format.
fn known_output(cli: Cli) -> std::result::Result<Cli, clap::Error> {
    let formats = cli::formats_of(cli.command.name());
    let format = cli.global.format();
    let unknown = match cli.global.place() {
        Some(place) if !matches!(cli.command, Command::Build(_)) => place.display().to_string(),
        _ if !formats.contains(&format) => format.name().to_owned(),
        _ => return Ok(cli),
    };
    let message = format!(
        "invalid value '{unknown}' for '--output <FORMAT>': `{}` answers in {}",
        cli.command.name(),
        cli::listed(formats)
    );
    Err(Cli::command().error(ErrorKind::InvalidValue, message))
}

/// Manifests are YAML whether that was asked for or not: other programs read them, not the envelope of an answer.
fn format_of(command: &Command, asked: Format) -> Format {
    match command {
        Command::Deploy(deploy) if deploy.dry_run && asked == Format::Yaml => Format::Text,
        _ => asked,
    }
}

/// Runs a command to its exit status.
pub fn dispatch(cli: Cli) -> u8 {
    let Cli { global, command } = cli;
    let format = format_of(&command, global.format());
    crash::report_as(command.name(), format, global.color);
    let printer = Printer::new(format, global.color, global.verbose, command.name());
    for option in &global.without_effect {
        printer.warn(format!("{option} has no effect on `{}`", command.name()));
    }
    let context = Context {
        global,
        printer,
        home: std::env::home_dir(),
        #[cfg(test)]
        cluster: None,
    };
    match command.run(&context) {
        Ok(outcome) => context.printer.finish(&outcome),
        Err(error) => context.printer.fail(&error),
    }
}

/// clap knows the flags only after it succeeded, so `-o json` and `-o yaml` are looked for by hand here.
fn usage_error(arguments: &[OsString], error: &clap::Error) -> u8 {
    let words: Vec<_> = arguments
        .iter()
        .map(|argument| argument.to_string_lossy())
        .collect();
    let command = named(words.iter().map(AsRef::as_ref));
    let asks = |format: &Format| {
        let name = format.name();
        let parted = words
            .windows(2)
            .any(|pair| matches!(pair[0].as_ref(), "-o" | "--output") && pair[1] == name);
        let joined = [format!("-o{name}"), format!("--output={name}")];
        let asked = parted || words.iter().any(|word| joined.contains(&word.to_string()));
        asked && cli::formats_of(&command).contains(format)
    };
    let Some(format) = [Format::Json, Format::Yaml].into_iter().find(asks) else {
        drop(error.print());
        return 2;
    };
    let text = error.to_string();
    let first = text
        .lines()
        .next()
        .unwrap_or_default()
        .trim_start_matches("error: ");
    let error = Error::usage(first).hint("see: tntc --help");
    Printer::new(format, Color::Never, false, &command).fail(&error)
}

/// The command that the words name, such as `cluster check`, as far as there is one.
fn named<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut command = Cli::command();
    let mut path: Vec<String> = Vec::new();
    for word in words.skip(1) {
        if let Some(found) = command.find_subcommand(word).cloned() {
            path.push(found.get_name().to_owned());
            command = found;
        }
    }
    if path.is_empty() {
        return "tntc".to_owned();
    }
    path.join(" ")
}

#[cfg(test)]
mod tests;
