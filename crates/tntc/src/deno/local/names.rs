//! What a process says of the copy that it runs from, as it holds for the user's own directory.

use std::fs;
use std::path::Path;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use crate::outcome::Result;
use crate::outcome::error::io;

/// Replaces the copy's path and URL by those of the workflow's own directory.
#[derive(Debug, Clone)]
pub struct Names {
    copy: [String; 2],
    own: [String; 2],
}

impl Names {
    /// `copy` is absolute.
    ///
    /// # Errors
    /// The workflow's directory is gone.
    pub fn new(copy: &Path, own: &Path) -> Result<Self> {
        let own = fs::canonicalize(own).map_err(io("open", own))?;
        // The URL first: the path is a part of it, but for what is escaped.
        Ok(Self {
            copy: [url(copy), copy.display().to_string()],
            own: [url(&own), own.display().to_string()],
        })
    }

    /// A text of the process.
    pub fn in_text(&self, text: &str) -> String {
        self.replaced(text, &self.own)
    }

    /// The text of a JSON value of the process.
    pub fn in_json(&self, json: &str) -> String {
        self.replaced(json, &self.own.each_ref().map(|own| escaped(own)))
    }

    fn replaced(&self, text: &str, own: &[String; 2]) -> String {
        let pairs = self.copy.iter().zip(own);
        pairs.fold(text.to_owned(), |text, (copy, own)| text.replace(copy, own))
    }
}

fn escaped(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    json[1..json.len() - 1].to_owned()
}

/// What the engine escapes in the URL of a directory: everything but letters, digits and these.
const ESCAPED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// As the engine writes the URL of a directory.
fn url(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes();
    format!("file://{}", percent_encode(bytes, &ESCAPED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_users_files() {
        let own = tempfile::Builder::new().prefix("a \"b").tempdir().unwrap();
        let names = Names::new(Path::new("/cache/copies/x-0"), own.path()).unwrap();
        let own = fs::canonicalize(own.path()).unwrap();
        let text = "at file:///cache/copies/x-0/n.ts:1:2, /cache/copies/x-0/n.ts";
        let expected = format!("at {}/n.ts:1:2, {}/n.ts", url(&own), own.display());
        assert_eq!(names.in_text(text), expected);
        let json = serde_json::Value::from(text).to_string();
        let read: String = serde_json::from_str(&names.in_json(&json)).unwrap();
        assert_eq!(read, expected);
    }
}
