//! Progress of long work: a line that moves on a terminal, plain lines elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tntc_core::terminal::shown;

use super::Printer;

/// One phase of long work; on a terminal its line is gone when the phase is over.
pub struct Phase<'a> {
    printer: &'a Printer,
    bar: Option<ProgressBar>,
}

impl<'a> Phase<'a> {
    /// Begins a phase, such as `building the image`.
    pub fn begin(name: &str, printer: &'a Printer) -> Self {
        let bar = moving(name).filter(|_| !printer.verbose());
        if bar.is_none() {
            printer.note(name);
        }
        Self { printer, bar }
    }

    /// Begins a phase whose end the caller tells: where lines cannot move, nothing is printed of its beginning.
    pub fn begin_quietly(name: &str, printer: &'a Printer) -> Self {
        let bar = moving(name);
        Self { printer, bar }
    }

    /// A detail of the phase: the end of its line on a terminal, a line of its own when verbose, nothing otherwise.
    pub fn detail(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(shown(line.trim()).into_owned()),
            None if self.printer.verbose() => self.printer.note(line),
            None => {}
        }
    }
}

/// Nothing where lines cannot move, as on a dumb terminal: the bar hides itself there.
fn moving(name: &str) -> Option<ProgressBar> {
    let bar = ProgressBar::new_spinner().with_prefix(shown(name).into_owned());
    let bar = super::screen::show(bar).filter(|bar| !bar.is_hidden())?;
    if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} ({elapsed}) {wide_msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    Some(bar)
}

impl Drop for Phase<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
