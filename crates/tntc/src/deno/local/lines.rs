//! Lines of a process that may print without end: each is bounded, so that this program's memory is.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// One line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// The text, or its beginning.
    pub text: String,
    /// Whether there was more than fits.
    pub cut: bool,
}

/// The next line, of which at most `most` bytes are kept; `None` at the end.
///
/// # Errors
/// The pipe cannot be read.
pub async fn next(from: &mut (impl AsyncBufRead + Unpin), most: usize) -> io::Result<Option<Line>> {
    let mut kept = Vec::new();
    let mut cut = false;
    loop {
        let chunk = from.fill_buf().await?;
        if chunk.is_empty() && kept.is_empty() && !cut {
            return Ok(None);
        }
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let part = &chunk[..end.unwrap_or(chunk.len())];
        let room = most.saturating_sub(kept.len()).min(part.len());
        kept.extend_from_slice(&part[..room]);
        cut |= room < part.len();
        let ended = end.is_some() || chunk.is_empty();
        let used = part.len() + usize::from(end.is_some());
        from.consume(used);
        if ended {
            let text = String::from_utf8_lossy(&kept).into_owned();
            return Ok(Some(Line { text, cut }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn all(text: &str) -> Vec<(String, bool)> {
        let mut reader = tokio::io::BufReader::with_capacity(3, text.as_bytes());
        let mut lines = Vec::new();
        while let Some(Line { text, cut }) = next(&mut reader, 5).await.unwrap() {
            lines.push((text, cut));
        }
        lines
    }

    #[tokio::test]
    async fn lines_are_cut_where_they_are_too_long_and_nothing_else_is_lost() {
        let found = all("ab\n\n12345\n123456789\nend").await;
        let expected = [
            ("ab", false),
            ("", false),
            ("12345", false),
            ("12345", true),
            ("end", false),
        ];
        assert_eq!(found, expected.map(|(text, cut)| (text.to_owned(), cut)));
        assert!(all("").await.is_empty());
        assert_eq!(all("\n").await.len(), 1);
    }
}
