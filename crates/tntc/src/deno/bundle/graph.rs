//! Which import of a node's own files brings each module: the answer of `deno info --json`, with the project's files by
//! their paths.

use std::collections::{BTreeMap, VecDeque};

use serde::Deserialize;

/// What a module loads, and what that loads.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Graph {
    roots: Vec<String>,
    modules: Vec<Module>,
    redirects: BTreeMap<String, String>,
    /// By their name, version and peers.
    npm_packages: BTreeMap<String, Package>,
}

#[derive(Debug, Deserialize)]
struct Module {
    specifier: String,
    #[serde(default)]
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dependency {
    /// As written.
    specifier: String,
    /// Absent where only a type is imported.
    code: Option<Resolved>,
    npm_package: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Resolved {
    specifier: Option<String>,
    span: Span,
}

#[derive(Debug, Deserialize)]
struct Span {
    start: Position,
}

/// Counted from 0.
#[derive(Debug, Deserialize)]
struct Position {
    line: usize,
    character: usize,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    version: String,
    dependencies: Vec<String>,
}

/// Something that is loaded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part<'a> {
    /// By its specifier.
    Module(&'a str),
    /// By its key.
    Package(&'a str),
}

impl Graph {
    /// The own import by which each module from outside is reached in the fewest steps, as it is told: what it says and
    /// where it stands. A package of npm is `npm:name@version`.
    pub fn origins(&self) -> BTreeMap<String, String> {
        let roots = self.roots.iter().map(|root| (Part::Module(root), None));
        let mut found: VecDeque<(Part<'_>, Option<String>)> = roots.collect();
        let mut origins = BTreeMap::new();
        while let Some((part, origin)) = found.pop_front() {
            if origins.contains_key(&part) {
                continue;
            }
            for (next, dependency) in self.loads(part) {
                let origin = origin.clone().or_else(|| match (part, dependency) {
                    (Part::Module(file), Some(import)) if !is_own(next) => Some(import.told(file)),
                    _ => None,
                });
                found.push_back((next, origin));
            }
            origins.insert(part, origin);
        }
        let told = origins
            .into_iter()
            .filter_map(|(part, origin)| Some((self.name(part)?, origin?)));
        told.collect()
    }

    /// What a part loads, with the import that says so where a module does.
    fn loads<'a>(&'a self, part: Part<'a>) -> Vec<(Part<'a>, Option<&'a Dependency>)> {
        match part {
            Part::Module(specifier) => self
                .modules
                .iter()
                .filter(|module| module.specifier == specifier)
                .flat_map(|module| &module.dependencies)
                .filter_map(|import| Some((self.target(import)?, Some(import))))
                .collect(),
            Part::Package(key) => {
                let package = self.npm_packages.get(key);
                let dependencies = package.into_iter().flat_map(|it| &it.dependencies);
                dependencies.map(|key| (Part::Package(key), None)).collect()
            }
        }
    }

    fn target<'a>(&'a self, import: &'a Dependency) -> Option<Part<'a>> {
        let specifier = import.code.as_ref()?.specifier.as_ref()?;
        Some(match &import.npm_package {
            Some(key) => Part::Package(key),
            None => Part::Module(self.redirects.get(specifier).unwrap_or(specifier)),
        })
    }

    fn name(&self, part: Part<'_>) -> Option<String> {
        match part {
            Part::Module(specifier) => Some(specifier.to_owned()),
            Part::Package(key) => {
                let Package { name, version, .. } = self.npm_packages.get(key)?;
                Some(format!("npm:{name}@{version}"))
            }
        }
    }
}

impl Dependency {
    fn told(&self, file: &str) -> String {
        let start = self.code.as_ref().map(|code| &code.span.start);
        let place = start.map_or_else(String::new, |at| {
            format!(":{}:{}", at.line + 1, at.character + 1)
        });
        format!("{} at {file}{place}", self.specifier)
    }
}

/// Files of the project are told by their paths, everything else by a URL.
fn is_own(part: Part<'_>) -> bool {
    matches!(part, Part::Module(specifier) if !specifier.contains(':'))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn import(written: &str, resolved: &str, line: usize) -> Value {
        let span =
            json!({"start": {"line": line, "character": 8}, "end": {"line": line, "character": 9}});
        json!({"specifier": written, "code": {"specifier": resolved, "span": span}})
    }

    fn package(written: &str, key: &str, line: usize) -> Value {
        let mut import = import(written, written, line);
        import["npmPackage"] = json!(key);
        import
    }

    fn origins(modules: &Value, packages: &Value) -> BTreeMap<String, String> {
        let graph = json!({
            "roots": ["nodes/only.ts"],
            "modules": modules,
            "redirects": {"https://h/a": "https://h/a@1.ts"},
            "npmPackages": packages,
        });
        let graph: Graph = serde_json::from_value(graph).expect("a graph");
        graph.origins()
    }

    #[test]
    fn a_package_of_a_package_belongs_to_the_import_of_the_first() {
        let only = [
            package("pg", "pg@8.1.0", 0),
            package("npm:small", "small@1.0.0", 1),
        ];
        let found = origins(
            &json!([{"specifier": "nodes/only.ts", "dependencies": only}]),
            &json!({
                "pg@8.1.0": {"name": "pg", "version": "8.1.0", "dependencies": ["pool@3.0.0_pg@8.1.0"]},
                "pool@3.0.0_pg@8.1.0": {"name": "pool", "version": "3.0.0", "dependencies": ["pg@8.1.0", "small@1.0.0"]},
                "small@1.0.0": {"name": "small", "version": "1.0.0", "dependencies": []},
            }),
        );
        assert_eq!(found["npm:pg@8.1.0"], "pg at nodes/only.ts:1:9");
        assert_eq!(found["npm:pool@3.0.0"], "pg at nodes/only.ts:1:9");
        assert_eq!(found["npm:small@1.0.0"], "npm:small at nodes/only.ts:2:9");
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn a_module_belongs_to_the_own_file_that_imports_it_first() {
        let only = import("./own.ts", "nodes/own.ts", 0);
        let own = [
            import("https://h/a", "https://h/a", 4),
            json!({"specifier": "https://h/types.ts"}),
        ];
        let outside = import("./b.ts", "https://h/b.ts", 0);
        let found = origins(
            &json!([
                {"specifier": "nodes/only.ts", "dependencies": [only]},
                {"specifier": "nodes/own.ts", "dependencies": own},
                {"specifier": "https://h/a@1.ts", "dependencies": [outside]},
                {"specifier": "https://h/b.ts", "error": "not found"},
            ]),
            &json!({}),
        );
        let origin = "https://h/a at nodes/own.ts:5:9";
        assert_eq!(found["https://h/a@1.ts"], origin);
        assert_eq!(found["https://h/b.ts"], origin);
        assert_eq!(found.len(), 2);
    }
}
