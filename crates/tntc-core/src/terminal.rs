//! Text of strangers on a terminal. A log line, a file's name or an answer of a server may hold sequences that a terminal
//! obeys (a title, the clipboard, a cleared screen) or characters that make one line look like two, or like another.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a terminal would do something else with a character than show it.
///
/// C0 but the line feed and the tab, DEL, C1 (ECMA-48), the separators U+2028 and U+2029, and what changes the direction
/// of text (Unicode Technical Report 36, bidirectional spoofing).
#[must_use]
pub fn is_active(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        '\u{61c}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{feff}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' => true,
        other => other.is_control(),
    }
}

/// The text with each active character written as its number, such as `\u{1b}`.
///
/// A carriage return before a line feed is dropped: programs of other systems end lines so.
#[must_use]
pub fn shown(text: &str) -> Cow<'_, str> {
    if !text.contains(is_active) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' if characters.peek() == Some(&'\n') => {}
            active if is_active(active) => {
                // Writing to a string cannot fail.
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(active));
            }
            plain => shown.push(plain),
        }
    }
    Cow::Owned(shown)
}

/// JSON text with each active character escaped as JSON does it, so that it means what it meant.
#[must_use]
pub fn shown_json(text: &str) -> Cow<'_, str> {
    if !text.contains(is_active) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            // Outside of a string, where it is white space: in one, JSON has escaped it already.
            '\r' => {}
            active if is_active(active) => {
                let _ = write!(shown, "\\u{:04x}", u32::from(active));
            }
            plain => shown.push(plain),
        }
    }
    Cow::Owned(shown)
}

/// As [`shown`], but for colours: the sequences that select them (`ESC [ … m`) stay as they are.
///
/// Only for text that this program made itself, out of parts that went through [`shown`].
#[must_use]
pub fn shown_but_colours(text: &str) -> Cow<'_, str> {
    if !text.contains(is_active) {
        return Cow::Borrowed(text);
    }
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("\u{1b}[") {
        let (before, sequence) = rest.split_at(start);
        result.push_str(&shown(before));
        let parameters = &sequence[2..];
        let end = parameters.find(|it: char| !it.is_ascii_digit() && it != ';');
        let end = end.filter(|end| parameters[*end..].starts_with('m'));
        let length = end.map_or(2, |end| end + 3);
        match end {
            Some(_) => result.push_str(&sequence[..length]),
            None => result.push_str(&shown(&sequence[..length])),
        }
        rest = &sequence[length..];
    }
    result.push_str(&shown(rest));
    Cow::Owned(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_written_as_its_number() {
        for (text, expected) in [
            ("plain\n\ttext", "plain\n\ttext"),
            ("\u{1b}[2J", "\\u{1b}[2J"),
            ("\u{1b}]52;c;aGk=\u{7}", "\\u{1b}]52;c;aGk=\\u{7}"),
            ("a\u{9b}31mb", "a\\u{9b}31mb"),
            ("a\u{202e}b\u{2066}c", "a\\u{202e}b\\u{2066}c"),
            ("one\u{2028}two\u{85}three", "one\\u{2028}two\\u{85}three"),
            ("over\rwritten", "over\\u{d}written"),
            ("dos\r\nline", "dos\nline"),
            ("back\u{8}space\u{7f}", "back\\u{8}space\\u{7f}"),
            ("ümlaut 漢字 🎉", "ümlaut 漢字 🎉"),
        ] {
            assert_eq!(shown(text), expected);
        }
    }

    #[test]
    fn no_active_character_is_left_of_any_text() {
        for number in 0..0x3000 {
            let Some(character) = char::from_u32(number) else {
                continue;
            };
            let text = format!("a{character}b");
            assert!(!shown(&text).contains(is_active), "U+{number:04X}");
        }
    }

    #[test]
    fn json_means_what_it_meant() {
        let value = serde_json::json!({"a": "\u{9b}31m \u{202e} \u{2028} \u{1b}[2J \u{feff}"});
        let text = serde_json::to_string_pretty(&value).expect("JSON");
        let shown = shown_json(&text);
        assert!(!shown.contains(is_active), "{shown}");
        let read: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
        assert_eq!(read, value);
    }

    #[test]
    fn colours_stay_and_nothing_else() {
        let coloured = "\u{1b}[1;31merror:\u{1b}[0m text";
        assert_eq!(shown_but_colours(coloured), coloured);
        for (text, expected) in [
            ("\u{1b}[2J", "\\u{1b}[2J"),
            ("\u{1b}[31", "\\u{1b}[31"),
            ("\u{1b}[\u{1b}[0m", "\\u{1b}[\u{1b}[0m"),
            ("\u{1b}]0;t\u{7}\u{1b}[0m", "\\u{1b}]0;t\\u{7}\u{1b}[0m"),
            ("\u{1b}[1Am", "\\u{1b}[1Am"),
        ] {
            assert_eq!(shown_but_colours(text), expected);
        }
    }
}
