//! Progress of long work: a line that moves on a terminal, plain lines elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::output::Printer;

/// One phase of long work; on a terminal its line is gone when the phase is over.
pub struct Phase<'a> {
    printer: &'a Printer,
    bar: Option<ProgressBar>,
}

impl<'a> Phase<'a> {
    /// Begins a phase, such as `building the image`.
    pub fn begin(name: &str, printer: &'a Printer) -> Self {
        let bar = ProgressBar::new_spinner().with_prefix(name.to_owned());
        // Where lines cannot move, on a dumb terminal too, it hides itself.
        if printer.verbose() || bar.is_hidden() {
            printer.note(name);
            return Self { printer, bar: None };
        }
        if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} ({elapsed}) {wide_msg}")
        {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        Self {
            printer,
            bar: Some(bar),
        }
    }

    /// A detail of the phase: the end of its line on a terminal, a line of its own when verbose, nothing otherwise.
    pub fn detail(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(line.trim().to_owned()),
            None if self.printer.verbose() => self.printer.note(line),
            None => {}
        }
    }
}

impl Drop for Phase<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
