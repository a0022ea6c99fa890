//! Whether the bundles fit a ConfigMap, and which import is the large one when they do not.

use std::collections::BTreeMap;

use tntc_core::manifests::code::MAX_BYTES;

use super::bundler::Bundler;
use super::map::module_of;
use super::node::Bundle;
use crate::outcome::{Error, Result};

/// How many of the largest imports are named.
const LARGEST: usize = 3;

/// What each import brings, by the source that it comes from, in bytes.
type Sizes = BTreeMap<String, BTreeMap<String, usize>>;

/// The whole code must fit; here it can still be said where it comes from.
///
/// # Errors
/// It does not fit.
pub async fn require(deno: &Bundler<'_>, bundles: &BTreeMap<String, Bundle>) -> Result<()> {
    let total: usize = bundles.values().map(|bundle| bundle.code.len()).sum();
    if total <= MAX_BYTES {
        return Ok(());
    }
    let mut sizes = Sizes::new();
    for (path, bundle) in bundles {
        let origins = deno.graph(path).await.unwrap_or_default().origins();
        for (source, size) in bundle.map.sizes(&bundle.code) {
            let module = module_of(source);
            let import = origins.get(&module).unwrap_or(&module).clone();
            *sizes.entry(import).or_default().entry(module).or_default() += size;
        }
    }
    let nodes: Vec<_> = bundles.keys().map(String::as_str).collect();
    Err(Error::failed(format!(
        "the bundle of {} has {total} bytes, more than the {MAX_BYTES} that fit a ConfigMap; the largest imports are {}",
        nodes.join(", "),
        largest(sizes).join("; ")
    ))
    .hint("import a smaller library, or only the part of it that is used"))
}

/// The largest imports first, each with its largest module where it brings several.
fn largest(sizes: Sizes) -> Vec<String> {
    let mut sizes: Vec<_> = sizes
        .into_iter()
        .map(|(import, modules)| (modules.values().sum::<usize>(), import, modules))
        .collect();
    sizes.sort_by_key(|(total, ..)| std::cmp::Reverse(*total));
    let told = sizes.iter().take(LARGEST).map(|(total, import, modules)| {
        let part = modules.iter().max_by_key(|(_, size)| **size);
        match part.filter(|_| modules.len() > 1) {
            Some((module, size)) => format!("{import} with {total}, of which {module} has {size}"),
            None => format!("{import} with {total}"),
        }
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_import_comes_first_with_its_largest_module() {
        let modules = |sizes: &[(&str, usize)]| {
            let sizes = sizes.iter().map(|(name, size)| ((*name).to_owned(), *size));
            sizes.collect::<BTreeMap<_, _>>()
        };
        let sizes = Sizes::from([
            ("npm:a at n.ts:1:1".to_owned(), modules(&[("npm:a@1", 70)])),
            (
                "npm:b at n.ts:2:1".to_owned(),
                modules(&[("npm:b@1", 40), ("npm:c@1", 50)]),
            ),
        ]);
        assert_eq!(
            largest(sizes),
            [
                "npm:b at n.ts:2:1 with 90, of which npm:c@1 has 50",
                "npm:a at n.ts:1:1 with 70"
            ]
        );
    }
}
