//! What a person sees of a bug in this program: what to report, instead of a library's stack.

use std::panic::{self, PanicHookInfo};
use std::process;

use super::{Color, Format, Printer};
use crate::outcome::Error;

/// The exit status of a bug, as that of every Rust program. The release profile would abort (134) otherwise.
pub const EXIT_STATUS: i32 = 101;

/// From here on a panic is reported as one of this command and ends the process.
pub fn report_as(command: &'static str, format: Format, color: Color) {
    panic::set_hook(Box::new(move |panic| {
        let printer = Printer::new(format, color, false, command);
        printer.fail(&error(command, &place(panic)));
        process::exit(EXIT_STATUS);
    }));
}

/// Where it happened. What the panic itself says is left out: it may quote a value, which may be a secret.
fn place(panic: &PanicHookInfo<'_>) -> String {
    panic.location().map_or_else(
        || "an unknown place".to_owned(),
        |at| {
            let file = at.file().rsplit_once("/src/index.");
            // Of a library's path on the machine that built this, only what is the same everywhere.
            let file = file
                .and_then(|(_, rest)| rest.split_once('/'))
                .map_or(at.file(), |(_, file)| file);
            format!("{file}:{}:{}", at.line(), at.column())
        },
    )
}

fn error(command: &str, place: &str) -> Error {
    let version = env!("CARGO_PKG_VERSION");
    let (os, architecture) = (std::env::consts::OS, std::env::consts::ARCH);
    Error::failed(format!("this is a bug in tntc: `{command}` stopped at {place}"))
        .hint(format!(
            "report it with this line: tntc {version} {os}/{architecture}, command {command}, at {place}"
        ))
        .hint("what was being done may be half done: run the command again, or look with tntc status")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bug_is_told_with_what_to_report() {
        let error = error("deploy", "crates/tntc/src/x.rs:1:2");
        let report = &error.hints[0];
        for part in [
            env!("CARGO_PKG_VERSION"),
            "command deploy",
            "at crates/tntc/src/x.rs:1:2",
        ] {
            assert!(report.contains(part), "{report}");
        }
    }

    #[test]
    fn what_a_panic_says_is_not_repeated() {
        let told = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
        let before = panic::take_hook();
        let kept = std::sync::Arc::clone(&told);
        panic::set_hook(Box::new(move |panic| {
            if let Ok(mut kept) = kept.lock() {
                *kept = format!("{:?}", error("run", &place(panic)));
            }
        }));
        let caught = panic::catch_unwind(|| panic!("hunter2"));
        panic::set_hook(before);
        assert!(caught.is_err());
        let told = told.lock().expect("a report");
        assert!(
            told.contains("crash.rs") && !told.contains("hunter2"),
            "{told}"
        );
    }
}
