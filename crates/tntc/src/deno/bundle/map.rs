//! Source maps as far as bundles need them: which source each part of a bundle is from, and a map that is small because
//! it knows the workflow's own files alone.

use std::borrow::Cow;
use std::collections::BTreeMap;

use oxc_sourcemap::Token;

/// A source map.
pub struct SourceMap(oxc_sourcemap::OwnedSourceMap);

impl SourceMap {
    /// Reads a map.
    ///
    /// # Errors
    /// It is not a source map of version 3.
    pub fn from_json(text: &str) -> Result<Self, oxc_sourcemap::Error> {
        oxc_sourcemap::OwnedSourceMap::from_json_string(text).map(Self)
    }

    /// The map as it stands in a comment of the bundle.
    pub fn to_json(&self) -> String {
        self.0.to_json_string()
    }

    /// How much of the bundle each source is, in UTF-16 code units, which are bytes for nearly all code.
    pub fn sizes(&self, bundle: &str) -> BTreeMap<&str, usize> {
        let lines: Vec<_> = bundle.lines().map(str::len).collect();
        let tokens: Vec<_> = self.0.get_tokens().collect();
        let mut sizes = BTreeMap::new();
        for (at, token) in tokens.iter().enumerate() {
            let next = tokens.get(at + 1);
            let next = next.filter(|next| next.get_dst_line() == token.get_dst_line());
            let line = usize::try_from(token.get_dst_line()).ok();
            let length = line.and_then(|line| lines.get(line)).copied();
            let end = next.map_or(length, |next| usize::try_from(next.get_dst_col()).ok());
            let begin = usize::try_from(token.get_dst_col()).unwrap_or(usize::MAX);
            let source = token.get_source_id().and_then(|id| self.0.get_source(id));
            *sizes.entry(source.unwrap_or_default()).or_default() +=
                end.unwrap_or_default().saturating_sub(begin);
        }
        sizes
    }

    /// The same map with only those sources that `keep` gives a name, and without the texts of any.
    pub fn only(&self, keep: impl Fn(&str) -> Option<String>) -> Self {
        let mut kept = Vec::new();
        let positions: Vec<_> = self
            .sources()
            .map(|source| {
                kept.push(Cow::Owned(keep(source)?));
                u32::try_from(kept.len() - 1).ok()
            })
            .collect();
        let position = |source: u32| *positions.get(usize::try_from(source).ok()?)?;
        let tokens = self.0.get_tokens().map(|token| {
            let source = token.get_source_id().and_then(position);
            let (line, column) = (token.get_dst_line(), token.get_dst_col());
            Token::new(
                line,
                column,
                token.get_src_line(),
                token.get_src_col(),
                source,
                None,
            )
        });
        let tokens = without_repeats(tokens.collect()).into_boxed_slice();
        let map =
            oxc_sourcemap::SourceMap::new(None, Vec::new(), None, kept, Vec::new(), tokens, None);
        Self(map.into())
    }

    /// Everything that is in the bundle, relative to its directory or as a URL.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.0.get_sources()
    }
}

/// Several stretches of dependencies in a row are one stretch of nothing.
fn without_repeats(mut tokens: Vec<Token>) -> Vec<Token> {
    tokens.dedup_by(|next, before| {
        let same_line = next.get_dst_line() == before.get_dst_line();
        same_line && next.get_source_id().is_none() && before.get_source_id().is_none()
    });
    tokens
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
        let token = |line, column, source, from| Token::new(line, column, from, 4, source, None);
        let tokens = [
            token(0, 0, Some(0), 7),
            token(0, 10, Some(2), 0),
            token(0, 20, Some(1), 3),
            token(1, 0, Some(1), 90),
            token(1, 5, None, 0),
        ];
        let sources = ["lib/a.js", "own.ts", "lib/b.js"].map(Cow::Borrowed);
        let map = oxc_sourcemap::SourceMap::new(
            None,
            Vec::new(),
            None,
            sources.to_vec(),
            Vec::new(),
            Box::new(tokens),
            None,
        );
        SourceMap::from_json(&map.to_json_string()).unwrap()
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
        let own = SourceMap::from_json(&own.to_json()).unwrap();
        assert_eq!(own.sources().collect::<Vec<_>>(), ["own.ts"]);
        let tokens: Vec<_> = own
            .0
            .get_tokens()
            .map(|token| {
                let origin = token.get_source_id().map(|_| token.get_src_line());
                (token.get_dst_line(), token.get_dst_col(), origin)
            })
            .collect();
        assert_eq!(
            tokens,
            [
                (0, 0, None),
                (0, 20, Some(3)),
                (1, 0, Some(90)),
                (1, 5, None)
            ]
        );
    }
}
