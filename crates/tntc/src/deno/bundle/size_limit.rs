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

/// Room for the source map of a bundle, which knows the workflow's own files alone, and for its stub.
const MAP_BYTES: usize = 8 * 1024;

/// Makes the bundles fit beside `others` bytes: those that do not are compressed, the largest first. So what fits stays
/// text that anybody can read in the cluster.
///
/// # Errors
/// They do not fit; here it can still be said where the bytes come from.
pub async fn fit(
    deno: &Bundler<'_>,
    others: usize,
    bundles: &mut BTreeMap<String, Bundle>,
) -> Result<()> {
    while total(others, bundles) > MAX_BYTES {
        let as_they_are = bundles.values_mut().filter(|it| !it.is_compressed());
        let Some(largest) = as_they_are.max_by_key(|it| it.code.len()) else {
            return Err(too_large(deno, others, bundles).await);
        };
        largest
            .compress()
            .map_err(|cause| Error::failed(format!("cannot compress a bundle: {cause}")))?;
    }
    Ok(())
}

fn total(others: usize, bundles: &BTreeMap<String, Bundle>) -> usize {
    let delivered = bundles.values().map(|it| it.bytes().len() + MAP_BYTES);
    others + delivered.sum::<usize>()
}

async fn too_large(deno: &Bundler<'_>, others: usize, bundles: &BTreeMap<String, Bundle>) -> Error {
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
    Error::failed(format!(
        "with the bundle of {} the workflow has {} bytes after compression, more than the {MAX_BYTES} that fit a \
         ConfigMap; before it, the largest imports are {}",
        nodes.join(", "),
        total(others, bundles),
        largest(sizes).join("; ")
    ))
    .hint("import a smaller library, or only the part of it that is used; or make a workflow of its own of a node")
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
