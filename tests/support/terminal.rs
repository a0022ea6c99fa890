//! `tntc` on a terminal of its own.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use super::{Tntc, wait_for};

/// A terminal by `script` of util-linux, with what is shown on it and somebody who types.
pub struct Terminal {
    process: Child,
    keyboard: ChildStdin,
    shown: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Terminal {
    pub fn start(tntc: Tntc) -> Self {
        let tntc = tntc.command();
        let words = std::iter::once(tntc.get_program()).chain(tntc.get_args());
        let words: Vec<_> = words
            .map(|word| format!("'{}'", word.to_string_lossy()))
            .collect();
        // Found before PATH is that of the command.
        let mut script = Command::new("/usr/bin/script");
        // Without a shell in between, which would end by the signal of a Ctrl-C itself.
        let command = format!("exec {}", words.join(" "));
        script.args(["--quiet", "--return", "--command", &command]);
        script.arg("/dev/null").env("SHELL", "/bin/sh");
        for (name, value) in tntc.get_envs() {
            match value {
                Some(value) => script.env(name, value),
                None => script.env_remove(name),
            };
        }
        script.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = script
            .spawn()
            .expect("script, of Debian's bsdutils, starts");
        let keyboard = process.stdin.take().expect("a pipe");
        let mut screen = process.stdout.take().expect("a pipe");
        let shown = Arc::new(Mutex::new(String::new()));
        let seen = Arc::clone(&shown);
        let reader = thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(read @ 1..) = screen.read(&mut piece) {
                let text = String::from_utf8_lossy(&piece[..read]).into_owned();
                seen.lock().expect("no panic").push_str(&text);
            }
        });
        Self {
            process,
            keyboard,
            shown,
            reader: Some(reader),
        }
    }

    /// Waits until a text is on the screen.
    #[track_caller]
    pub fn shows(&self, text: &str) {
        wait_for(text, || self.shown().contains(text).then_some(()));
    }

    /// Everything that has been on the screen.
    pub fn shown(&self) -> String {
        self.shown.lock().expect("no panic").clone()
    }

    /// Types, such as `y` or the Ctrl-C of `\u{3}`.
    pub fn types(&mut self, keys: &str) {
        self.keyboard
            .write_all(keys.as_bytes())
            .expect("somebody reads");
    }

    /// Waits for the end; the exit status, and everything that has been on the screen.
    pub fn ends(mut self) -> (i32, String) {
        let status = self.process.wait().expect("script ends");
        if let Some(reader) = self.reader.take() {
            reader.join().expect("no panic");
        }
        (status.code().unwrap_or(-1), self.shown())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
