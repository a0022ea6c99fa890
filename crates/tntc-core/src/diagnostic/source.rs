//! The text of a file with its lines, for turning byte offsets into what people count.

/// A file's text and where its lines begin.
#[derive(Debug)]
pub(crate) struct Source<'s> {
    pub(crate) text: &'s str,
    /// Byte offset of the first byte of every line. YAML ends a line with LF, CR or CR LF (YAML 1.2.2, 5.4).
    starts: Vec<usize>,
}

impl<'s> Source<'s> {
    pub(crate) fn new(text: &'s str) -> Self {
        // A byte-order mark is no character of the first line: editors do not show it and do not count it.
        let first = if text.starts_with('\u{feff}') {
            '\u{feff}'.len_utf8()
        } else {
            0
        };
        let bytes = text.as_bytes();
        let breaks = (0..bytes.len())
            .filter(|&at| ends_line(bytes, at))
            .map(|at| at + 1);
        Self {
            text,
            starts: std::iter::once(first).chain(breaks).collect(),
        }
    }

    /// Line and column of a byte offset, both from 1, the column in characters.
    pub(crate) fn position(&self, offset: usize) -> (usize, usize) {
        let offset = self.floor(offset);
        let line = self.starts.partition_point(|&start| start <= offset).max(1);
        let start = self.starts[line - 1].min(offset);
        (line, self.text[start..offset].chars().count() + 1)
    }

    /// The bytes of a line that is counted from 1, without its line break.
    pub(crate) fn line(&self, line: usize) -> (usize, &'s str) {
        let start = self.starts[line - 1];
        let end = self.starts.get(line).copied().unwrap_or(self.text.len());
        (start, self.text[start..end].trim_end_matches(['\r', '\n']))
    }

    /// Number of lines, at least one.
    pub(crate) fn lines(&self) -> usize {
        self.starts.len()
    }

    /// The nearest start of a character at or before `offset`.
    pub(crate) fn floor(&self, offset: usize) -> usize {
        self.text.floor_char_boundary(offset)
    }
}

fn ends_line(bytes: &[u8], at: usize) -> bool {
    bytes[at] == b'\n' || (bytes[at] == b'\r' && bytes.get(at + 1) != Some(&b'\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_end_at_any_of_the_three_breaks() {
        let source = Source::new("äb\rc\r\nd\ne");
        assert_eq!(source.position(2), (1, 2));
        assert_eq!(source.position(4), (2, 1));
        assert_eq!(source.position(7), (3, 1));
        assert_eq!(source.position(9), (4, 1));
        assert_eq!(source.line(2), (4, "c"));
    }

    #[test]
    fn a_byte_order_mark_has_no_column() {
        assert_eq!(Source::new("\u{feff}ab").position(4), (1, 2));
    }
}
