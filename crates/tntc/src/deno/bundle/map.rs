//! Source maps (ECMA-426) as far as bundles need them: which source each part of a bundle is from, and a map that is
//! small because it knows the workflow's own files alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The digits of a VLQ, of six bits each.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A source map, without the names and the texts of sources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceMap {
    version: u8,
    sources: Vec<String>,
    #[serde(default)]
    names: Vec<String>,
    mappings: String,
}

/// Where a stretch of a line comes from; it reaches to the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Segment {
    column: i64,
    /// Source, line and column there.
    origin: Option<[i64; 3]>,
}

impl SourceMap {
    /// How much of the bundle each source is, in UTF-16 code units, which are bytes for nearly all code.
    pub fn sizes(&self, bundle: &str) -> BTreeMap<&str, usize> {
        let mut sizes = BTreeMap::new();
        for (segments, line) in self.segments().iter().zip(bundle.lines()) {
            for (at, segment) in segments.iter().enumerate() {
                let length = i64::try_from(line.len()).unwrap_or(i64::MAX);
                let end = segments.get(at + 1).map_or(length, |next| next.column);
                let size = usize::try_from(end - segment.column).unwrap_or(0);
                let source = segment.origin.and_then(|[source, ..]| self.source(source));
                *sizes.entry(source.unwrap_or_default()).or_default() += size;
            }
        }
        sizes
    }

    /// The same map with only those sources that `keep` gives a name.
    pub fn only(&self, keep: impl Fn(&str) -> Option<String>) -> Self {
        let names: Vec<_> = self.sources.iter().map(|source| keep(source)).collect();
        let kept: Vec<_> = names.iter().flatten().cloned().collect();
        let position = |source: i64| {
            let name = names.get(usize::try_from(source).ok()?)?.as_ref()?;
            let found = kept.iter().position(|other| other == name)?;
            i64::try_from(found).ok()
        };
        let renumbered = self.segments().into_iter().map(|line| {
            let segments = line.into_iter().map(|segment| Segment {
                origin: segment
                    .origin
                    .and_then(|[source, line, column]| Some([position(source)?, line, column])),
                ..segment
            });
            without_repeats(segments.collect())
        });
        Self {
            version: self.version,
            mappings: encode(&renumbered.collect::<Vec<_>>()),
            sources: kept,
            names: Vec::new(),
        }
    }

    /// Everything that is in the bundle, relative to its directory or as a URL.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.sources.iter().map(String::as_str)
    }

    fn source(&self, index: i64) -> Option<&str> {
        let index = usize::try_from(index).ok()?;
        self.sources.get(index).map(String::as_str)
    }

    fn segments(&self) -> Vec<Vec<Segment>> {
        let mut origin = [0; 3];
        self.mappings
            .split(';')
            .map(|line| {
                let mut column = 0;
                let fields = line
                    .split(',')
                    .map(decode)
                    .filter(|fields| !fields.is_empty());
                fields
                    .map(|fields| segment(&fields, &mut column, &mut origin))
                    .collect()
            })
            .collect()
    }
}

/// All fields but the column go on from the segment before, across lines.
fn segment(fields: &[i64], column: &mut i64, origin: &mut [i64; 3]) -> Segment {
    *column += fields[0];
    if fields.len() < 4 {
        return Segment {
            column: *column,
            origin: None,
        };
    }
    for (total, step) in origin.iter_mut().zip(&fields[1..4]) {
        *total += step;
    }
    Segment {
        column: *column,
        origin: Some(*origin),
    }
}

/// Several stretches of dependencies in a row are one stretch of nothing.
fn without_repeats(mut segments: Vec<Segment>) -> Vec<Segment> {
    segments.dedup_by(|next, before| next.origin.is_none() && before.origin.is_none());
    segments
}

fn decode(text: &str) -> Vec<i64> {
    let mut fields = Vec::new();
    let (mut value, mut shift) = (0_i64, 0);
    for byte in text.bytes() {
        let Some(digit) = DIGITS.iter().position(|known| *known == byte) else {
            continue;
        };
        let digit = i64::try_from(digit).unwrap_or_default();
        value |= (digit & 31) << shift;
        shift = (shift + 5).min(55);
        if digit & 32 == 0 {
            fields.push(if value & 1 == 1 {
                -(value >> 1)
            } else {
                value >> 1
            });
            (value, shift) = (0, 0);
        }
    }
    fields
}

fn encode(lines: &[Vec<Segment>]) -> String {
    let mut before = [0; 3];
    let lines = lines.iter().map(|segments| {
        let mut column = 0;
        let texts = segments.iter().map(|segment| {
            let mut text = digits(segment.column - column);
            column = segment.column;
            if let Some(origin) = segment.origin {
                for (now, was) in origin.iter().zip(&before) {
                    text += &digits(now - was);
                }
                before = origin;
            }
            text
        });
        texts.collect::<Vec<_>>().join(",")
    });
    lines.collect::<Vec<_>>().join(";")
}

fn digits(value: i64) -> String {
    let mut rest = (value.unsigned_abs() << 1) | u64::from(value < 0);
    let mut text = String::new();
    loop {
        let more = if rest > 31 { 32 } else { 0 };
        let digit = usize::try_from((rest & 31) | more).unwrap_or_default();
        text.push(char::from(DIGITS[digit]));
        rest >>= 5;
        if rest == 0 {
            return text;
        }
    }
}

/// The module that a source of a bundle belongs to: a package with its version, a URL, or a file. A package's own source
/// map may lead to a file that the package does not hold.
pub fn module_of(source: &str) -> String {
    let Some((_, inside)) = source.rsplit_once("/npm/") else {
        return source.to_owned();
    };
    let path: Vec<_> = inside.split('/').skip(1).collect();
    let scoped = path.first().is_some_and(|part| part.starts_with('@'));
    let (name, rest) = path.split_at(path.len().min(1 + usize::from(scoped)));
    match rest.first() {
        Some(version) if version.starts_with(|first: char| first.is_ascii_digit()) => {
            format!("npm:{}@{version}", name.join("/"))
        }
        _ => path.join("/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_of_a_package_belongs_to_the_package() {
        let source = "../cache/npm/registry.npmjs.org/pg-types/2.2.0/lib/text.js";
        assert_eq!(module_of(source), "npm:pg-types@2.2.0");
        let source = "../cache/npm/registry.npmjs.org/@scope/x/1.0.0/index.js";
        assert_eq!(module_of(source), "npm:@scope/x@1.0.0");
        let source = "../cache/npm/registry.npmjs.org/src/saxes.ts";
        assert_eq!(module_of(source), "src/saxes.ts");
        assert_eq!(module_of("nodes/db.ts"), "nodes/db.ts");
    }

    fn map() -> SourceMap {
        let line = |segments: &[(i64, Option<[i64; 3]>)]| {
            segments
                .iter()
                .map(|(column, origin)| Segment {
                    column: *column,
                    origin: *origin,
                })
                .collect::<Vec<_>>()
        };
        SourceMap {
            version: 3,
            sources: vec![
                "lib/a.js".to_owned(),
                "own.ts".to_owned(),
                "lib/b.js".to_owned(),
            ],
            names: Vec::new(),
            mappings: encode(&[
                line(&[
                    (0, Some([0, 7, 1])),
                    (10, Some([2, 0, 0])),
                    (20, Some([1, 3, 4])),
                ]),
                line(&[(0, Some([1, 90, 0])), (5, None)]),
            ]),
        }
    }

    #[test]
    fn numbers_are_read_as_they_are_written() {
        for value in [0, 1, -1, 15, 16, -16, 31, 1000, -123_456] {
            assert_eq!(decode(&digits(value)), [value]);
        }
        assert_eq!(decode("AAgBC"), [0, 0, 16, 1]);
    }

    #[test]
    fn each_source_has_the_bytes_from_its_segments_to_the_next() {
        let bundle = format!("{}\n{}", "x".repeat(50), "y".repeat(8));
        let map = map();
        let sizes = map.sizes(&bundle);
        assert_eq!(sizes["lib/a.js"], 10);
        assert_eq!(sizes["lib/b.js"], 10);
        assert_eq!(sizes["own.ts"], 35);
    }

    #[test]
    fn a_map_of_own_files_keeps_their_lines_and_nothing_of_others() {
        let own = map().only(|source| (source == "own.ts").then(|| source.to_owned()));
        assert_eq!(own.sources, ["own.ts"]);
        let origins: Vec<Vec<_>> = own
            .segments()
            .iter()
            .map(|line| line.iter().map(|it| (it.column, it.origin)).collect())
            .collect();
        assert_eq!(origins[0], [(0, None), (20, Some([0, 3, 4]))]);
        assert_eq!(origins[1], [(0, Some([0, 90, 0])), (5, None)]);
    }
}
