//! Processes that end with this one, however it ends.
//!
//! A process that is killed can end nobody else, so the system has to: Linux sends a signal of its choice to a process
//! whose parent has died (`PR_SET_PDEATHSIG` in prctl(2)). A process can only ask this for itself, and it holds across
//! execve(2). Hence `tntc` starts itself, asks, and becomes the program.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::Path;

use rustix::process::{Signal, getppid, set_parent_process_death_signal};
use tokio::process::Command;

/// First argument of a `tntc` that is to become another program. No command's name begins like an option.
const BECOME: &str = "--become";
/// This very file, also when a newer `tntc` has taken its place meanwhile.
const SELF: &str = "/proc/self/exe";
/// Exit status when the program could not be run, as shells have it.
const NOT_RUN: u8 = 127;

/// A command that runs the program, killed when this process dies.
pub fn bound(program: &Path) -> Command {
    let mut command = Command::new(SELF);
    command
        .arg(BECOME)
        .arg(std::process::id().to_string())
        .arg(program);
    command
}

/// Becomes the program that the arguments name, when they are those of [`bound`]; returns only when they are not, or
/// with the exit status of a failure.
pub fn become_other(mut arguments: impl Iterator<Item = OsString>) -> Option<u8> {
    if arguments.nth(1).as_deref() != Some(OsStr::new(BECOME)) {
        return None;
    }
    let (Some(parent), Some(program)) = (arguments.next(), arguments.next()) else {
        return Some(NOT_RUN);
    };
    // Refused by no kernel that has it; without it the program is what it would be anyway.
    set_parent_process_death_signal(Some(Signal::KILL)).ok();
    if !is_parent(&parent) {
        // Died before the signal was asked for.
        return Some(NOT_RUN);
    }
    let cause = std::process::Command::new(&program).args(arguments).exec();
    crate::terminal::printer::pass_on(&format!("cannot run {}: {cause}\n", program.display()));
    Some(NOT_RUN)
}

fn is_parent(named: &OsStr) -> bool {
    let parent = getppid().map(|process| process.as_raw_nonzero().to_string());
    // In another namespace of processes the parent has no number.
    parent.is_none_or(|parent| OsStr::new(&parent) == named)
}
