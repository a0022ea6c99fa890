//! Imports between the files of a crate, from its tokens.
//!
//! Counted is every path that leads to another file, in a `use`, in an expression or in a macro's arguments, and it
//! leads to the file that defines what it names: a face that only re-exports it is passed through. `mod child;` and
//! `pub use child::Thing;` are no imports of the child, and code of `#[cfg(test)]` is left out.

use std::collections::BTreeMap;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::graph::Graph;

type Path = Vec<String>;

/// What one file has.
#[derive(Default)]
struct Module {
    file: String,
    /// Its `mod name;`.
    children: Vec<String>,
    /// Those of them that are tests.
    tests: Vec<String>,
    /// Names that `use` brings in, and what each stands for.
    names: BTreeMap<String, Path>,
    /// Absolute paths that are imported, and whether they are handed on.
    uses: Vec<(Path, bool)>,
    /// Paths in code, from the module that they are in, as written.
    paths: Vec<(Path, Path)>,
}

/// Who imports whom, by paths below the crate's directory.
pub fn imports(files: &BTreeMap<String, String>) -> Graph {
    let modules: BTreeMap<Path, Module> = files
        .iter()
        .filter(|(file, _)| file.as_str() != "main.rs")
        .map(|(file, text)| read(file, text))
        .collect();
    let house = House(modules);
    let mut graph = Graph::default();
    for (path, module) in house.0.iter().filter(|(path, _)| !house.is_test(path)) {
        graph.node(&module.file);
        for target in house.targets(path, module) {
            graph.edge(&module.file, target);
        }
    }
    graph
}

fn read(file: &str, text: &str) -> (Path, Module) {
    let stem = file.strip_suffix(".rs").unwrap_or(file);
    let stem = stem.strip_suffix("/mod").unwrap_or(stem);
    let path: Path = match stem {
        "lib" => Vec::new(),
        _ => stem.split('/').map(str::to_owned).collect(),
    };
    let mut module = Module {
        file: file.to_owned(),
        ..Module::default()
    };
    let tokens: TokenStream = text.parse().expect("Rust");
    module.walk(tokens, &path);
    (path, module)
}

impl Module {
    /// Reads the tokens of a module of this path, whether it is the file's own or one in the file.
    fn walk(&mut self, tokens: TokenStream, at: &Path) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let mut rest = tokens.as_slice();
        while let Some(token) = rest.first() {
            if is_for_tests(rest) {
                self.tests
                    .extend(module_in(&rest[2..]).map(|(name, ..)| name));
                rest = after_item(&rest[2..]);
            } else if let Some((name, body, after)) = module_in(rest) {
                match body {
                    Some(body) => {
                        let inner = at.iter().cloned().chain([name]).collect();
                        self.walk(body, &inner);
                    }
                    None => self.children.push(name),
                }
                rest = after;
            } else if is_use(rest) {
                let end = rest.iter().position(|it| is_punct(it, ';'));
                let end = end.unwrap_or(rest.len());
                let public =
                    tokens.len() > rest.len() && is_public(&tokens[..tokens.len() - rest.len()]);
                self.import(&rest[1..end], &[], at, public);
                rest = &rest[end..];
            } else if let TokenTree::Group(group) = token {
                self.walk(group.stream(), at);
                rest = &rest[1..];
            } else {
                let (path, after) = path_in(rest);
                if path.len() > 1 {
                    self.paths.push((at.clone(), path));
                }
                rest = after;
            }
        }
    }

    /// Reads a tree of `use`.
    fn import(&mut self, tree: &[TokenTree], before: &[String], at: &Path, public: bool) {
        let (mut path, mut alias) = (before.to_vec(), None);
        let mut tokens = tree.iter();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Ident(word) if word == "as" => {
                    alias = tokens.next().map(ToString::to_string);
                }
                TokenTree::Ident(word) => path.push(word.to_string()),
                TokenTree::Group(group) => {
                    let inner: Vec<_> = group.stream().into_iter().collect();
                    for part in inner.split(|it| is_punct(it, ',')) {
                        if !part.is_empty() {
                            self.import(part, &path, at, public);
                        }
                    }
                    return;
                }
                TokenTree::Punct(punct) if punct.as_char() == '*' => path.push("*".to_owned()),
                _ => {}
            }
        }
        if path.last().is_some_and(|last| last == "self") && path.len() > 1 {
            path.pop();
        }
        let Some(target) = absolute(at, &path).or_else(|| self.below(at, &path)) else {
            return;
        };
        if let Some(name) = alias.or_else(|| path.last().cloned()) {
            self.names.insert(name, target.clone());
        }
        self.uses.push((target, public));
    }

    /// A path that begins with a child of the file.
    fn below(&self, at: &Path, path: &[String]) -> Option<Path> {
        let is_child = self.children.contains(path.first()?);
        is_child.then(|| at.iter().chain(path).cloned().collect())
    }
}

/// All modules of a crate.
struct House(BTreeMap<Path, Module>);

impl House {
    /// Whether a module is in one of `#[cfg(test)]`.
    fn is_test(&self, path: &[String]) -> bool {
        (0..path.len()).any(|count| {
            let above = self.0.get(&path[..count]);
            above.is_some_and(|above| above.tests.contains(&path[count]))
        })
    }

    /// The files that a module imports.
    fn targets<'h>(&'h self, path: &'h Path, module: &'h Module) -> Vec<&'h str> {
        let used = module.uses.iter().filter_map(|(target, public)| {
            // A module alone is nothing yet: what is taken from it by its name counts.
            let target = Some(target).filter(|it| !self.0.contains_key(*it))?;
            let (owner, file) = self.owner(target, 0)?;
            let is_shown = *public && owner.starts_with(path);
            (!is_shown).then_some(file)
        });
        let in_code = module.paths.iter().filter_map(|(at, written)| {
            let named = || {
                let known = module.names.get(&written[0])?;
                Some(known.iter().chain(&written[1..]).cloned().collect())
            };
            let target = absolute(at, written)
                .or_else(|| module.below(path, written))
                .or_else(named)?;
            Some(self.owner(&target, 0)?.1)
        });
        used.chain(in_code).collect()
    }

    /// The module that defines what an absolute path names, and its file.
    fn owner<'h>(&'h self, target: &[String], depth: usize) -> Option<(Path, &'h str)> {
        let known = (0..=target.len()).rev();
        let count = known
            .into_iter()
            .find(|count| self.0.contains_key(&target[..*count]))?;
        let module = &self.0[&target[..count]];
        let handed_on = target.get(count).and_then(|name| module.names.get(name));
        if let Some(further) = handed_on.filter(|_| depth < 8) {
            let rest = target[count + 1..].iter();
            let further: Path = further.iter().chain(rest).cloned().collect();
            return self.owner(&further, depth + 1);
        }
        Some((target[..count].to_vec(), &module.file))
    }
}

/// A path from `crate`, `self` or `super`, as one from the crate's root.
fn absolute(at: &Path, path: &[String]) -> Option<Path> {
    let mut base = match path.first()?.as_str() {
        "crate" => return Some(path[1..].to_vec()),
        "self" | "super" => at.clone(),
        _ => return None,
    };
    let mut rest = path;
    while let Some(first) = rest
        .first()
        .filter(|it| matches!(it.as_str(), "self" | "super"))
    {
        if first == "super" {
            base.pop();
        }
        rest = &rest[1..];
    }
    base.extend_from_slice(rest);
    Some(base)
}

fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

fn is_word(token: Option<&TokenTree>, wanted: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(word)) if word == wanted)
}

/// `#[cfg(test)]`
fn is_for_tests(tokens: &[TokenTree]) -> bool {
    let is_hash = tokens.first().is_some_and(|it| is_punct(it, '#'));
    is_hash
        && matches!(tokens.get(1), Some(TokenTree::Group(group)) if group.stream().to_string().replace(' ', "") == "cfg(test)")
}

/// What follows the item that begins here, which ends with a semicolon or with braces.
fn after_item(tokens: &[TokenTree]) -> &[TokenTree] {
    let is_end = |token: &TokenTree| {
        is_punct(token, ';')
            || matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
    };
    let end = tokens.iter().position(is_end);
    end.map_or(&[], |end| &tokens[end + 1..])
}

/// `mod name;` or `mod name { … }`, and what follows.
fn module_in(tokens: &[TokenTree]) -> Option<(String, Option<TokenStream>, &[TokenTree])> {
    match tokens {
        [
            TokenTree::Ident(word),
            TokenTree::Ident(name),
            TokenTree::Group(body),
            rest @ ..,
        ] if word == "mod" => Some((name.to_string(), Some(body.stream()), rest)),
        [
            TokenTree::Ident(word),
            TokenTree::Ident(name),
            end,
            rest @ ..,
        ] if word == "mod" && is_punct(end, ';') => Some((name.to_string(), None, rest)),
        _ => None,
    }
}

/// A `use` declaration, not the bounds of `impl Trait + use<'_>`.
fn is_use(tokens: &[TokenTree]) -> bool {
    is_word(tokens.first(), "use") && tokens.get(1).is_some_and(|it| !is_punct(it, '<'))
}

/// Whether `pub` or `pub(…)` stands at the end.
fn is_public(before: &[TokenTree]) -> bool {
    match before {
        [.., TokenTree::Ident(word), TokenTree::Group(_)] | [.., TokenTree::Ident(word)] => {
            word == "pub"
        }
        _ => false,
    }
}

/// The path that begins here, as far as it is written without type arguments, and what follows. One token at least.
fn path_in(tokens: &[TokenTree]) -> (Path, &[TokenTree]) {
    let TokenTree::Ident(first) = &tokens[0] else {
        return (Vec::new(), &tokens[1..]);
    };
    let mut path = vec![first.to_string()];
    let mut rest = &tokens[1..];
    while let [one, two, TokenTree::Ident(word), after @ ..] = rest {
        if !is_punct(one, ':') || !is_punct(two, ':') {
            break;
        }
        path.push(word.to_string());
        rest = after;
    }
    (path, rest)
}
