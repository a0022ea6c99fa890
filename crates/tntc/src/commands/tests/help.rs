//! What `--help` says, of every command that there is.

use clap::Command;

use crate::commands::registry::command;

const COLUMNS: usize = 80;

/// Every command by the words that lead to it; the program itself has none.
fn paths(command: &Command, above: &[String]) -> Vec<Vec<String>> {
    let subcommands = command.get_subcommands().filter(|it| !it.is_hide_set());
    let below = subcommands.flat_map(|subcommand| {
        let path = [above, &[subcommand.get_name().to_owned()]].concat();
        paths(subcommand, &path)
    });
    std::iter::once(above.to_vec()).chain(below).collect()
}

fn help(path: &[String]) -> String {
    let words = std::iter::once("tntc").chain(path.iter().map(String::as_str));
    let shown = command()
        .term_width(COLUMNS)
        .try_get_matches_from(words.chain(["--help"]));
    shown.expect_err("the help").to_string()
}

#[test]
fn the_help_of_every_command_fits_into_80_columns() {
    for path in paths(&command(), &[]) {
        let help = help(&path);
        let long = help.lines().find(|line| line.chars().count() > COLUMNS);
        assert_eq!(long, None, "tntc {}", path.join(" "));
        let name = ["help"].into_iter().chain(path.iter().map(String::as_str));
        insta::assert_snapshot!(name.collect::<Vec<_>>().join("-"), help);
    }
}
