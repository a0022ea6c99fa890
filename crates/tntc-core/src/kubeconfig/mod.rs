//! Kubeconfigs as kubectl reads them: several files merged, one context picked, and what client-go's validation refuses
//! refused here (`k8s.io/client-go/tools/clientcmd`). Reading files and running plugins is the caller's.
//!
//! No error shows content of a file: a value in the wrong place may be a secret.

mod mistake;
mod section;
mod selected;
mod server;
#[cfg(test)]
mod tests;
mod user;

use std::path::{Path, PathBuf};

use serde_json::Value;
use serde_saphyr::DuplicateKeyPolicy;

pub use mistake::Mistake;
use section::Section;
pub use selected::{Cluster, Selected};
pub use server::{Address, UnusableServer, parse_server};
pub use user::{Exec, Identity, Impersonation, Source, User};

/// One or several kubeconfig files.
#[derive(Default)]
pub struct Kubeconfig {
    current: Option<String>,
    clusters: Vec<Entry>,
    users: Vec<Entry>,
    contexts: Vec<Entry>,
}

/// A named entry, and the file that its relative paths start at.
struct Entry {
    name: String,
    place: String,
    value: Value,
    file: PathBuf,
}

impl Entry {
    fn section(&self) -> Section<'_> {
        Section {
            file: &self.file,
            place: self.place.clone(),
            value: &self.value,
        }
    }
}

impl Kubeconfig {
    /// Reads one file's text.
    ///
    /// # Errors
    /// It is no YAML or JSON, something else than a kubeconfig, or has two entries of one name.
    pub fn parse(text: &str, file: &Path) -> Result<Self, Mistake> {
        // As kubectl: of a key that stands twice the last counts, and of several documents the first.
        let options = serde_saphyr::options! {
            duplicate_keys: DuplicateKeyPolicy::LastWins,
            with_snippet: false,
        };
        let parsed: Result<Vec<Value>, _> =
            serde_saphyr::from_multiple_with_options(text.trim_start_matches('\u{feff}'), options);
        let value = parsed
            .map_err(|cause| Mistake::not_yaml(file, &cause))?
            .into_iter()
            .next()
            .unwrap_or(Value::Null);
        let top = Section {
            file,
            place: String::new(),
            value: &value,
        };
        top.expect_kubeconfig()?;
        Ok(Self {
            current: top.text("current-context")?,
            clusters: entries(&top, "clusters", "cluster")?,
            users: entries(&top, "users", "user")?,
            contexts: entries(&top, "contexts", "context")?,
        })
    }

    /// Adds what a later file has and this one lacks; an entry comes from one file as a whole.
    #[must_use]
    pub fn merge(mut self, later: Self) -> Self {
        self.current = self.current.or(later.current);
        for (mine, more) in [
            (&mut self.clusters, later.clusters),
            (&mut self.users, later.users),
            (&mut self.contexts, later.contexts),
        ] {
            for entry in more {
                if mine.iter().all(|known| known.name != entry.name) {
                    mine.push(entry);
                }
            }
        }
        self
    }

    /// Whether it decides for a cluster by itself; one that does not leaves that to the pod it may be in.
    #[must_use]
    pub fn names_a_context(&self) -> bool {
        self.current.is_some()
    }

    /// The context asked for, else the current one.
    ///
    /// # Errors
    /// There is no such context, what it refers to is missing, or client-go would refuse its cluster or user.
    pub fn select(&self, wanted: Option<&str>) -> Result<Selected, Mistake> {
        let wanted = wanted.filter(|name| !name.is_empty());
        let known = || {
            self.contexts
                .iter()
                .map(|context| context.name.clone())
                .collect()
        };
        let Some(name) = wanted.or(self.current.as_deref()) else {
            return Err(Mistake::NoCurrentContext { known: known() });
        };
        let context = find(&self.contexts, name).ok_or_else(|| Mistake::NoContext {
            name: name.to_owned(),
            known: known(),
        })?;
        let context = context.section();
        let named = |key: &str| Ok::<_, Mistake>(context.text(key)?.unwrap_or_default());
        let (cluster, user) = (named("cluster")?, named("user")?);
        Selected::new(
            name,
            &self.cluster(name, &cluster)?,
            &cluster,
            self.user(name, &user)?,
            &user,
        )
    }

    /// Name of the context that is wanted, or else of the current one, and the namespace that it names.
    #[must_use]
    pub fn namespace(&self, wanted: Option<&str>) -> Option<(String, String)> {
        let wanted = wanted.filter(|name| !name.is_empty());
        let name = wanted.or(self.current.as_deref())?;
        let namespace = find(&self.contexts, name)?.section().text("namespace");
        let namespace = namespace.ok()?.filter(|namespace| !namespace.is_empty())?;
        Some((name.to_owned(), namespace))
    }

    fn cluster(&self, context: &str, name: &str) -> Result<Section<'_>, Mistake> {
        let found = find(&self.clusters, name).map(Entry::section);
        found.ok_or_else(|| Mistake::NoCluster {
            context: context.to_owned(),
            cluster: name.to_owned(),
        })
    }

    /// A context without a user has no credentials, which is no mistake.
    fn user(&self, context: &str, name: &str) -> Result<Option<Section<'_>>, Mistake> {
        match find(&self.users, name) {
            Some(entry) => Ok(Some(entry.section())),
            None if name.is_empty() => Ok(None),
            None => Err(Mistake::NoUser {
                context: context.to_owned(),
                user: name.to_owned(),
            }),
        }
    }
}

fn find<'a>(entries: &'a [Entry], name: &str) -> Option<&'a Entry> {
    entries.iter().find(|entry| entry.name == name)
}

/// A list of `{name, <key>: {…}}`.
fn entries(top: &Section<'_>, list: &str, key: &str) -> Result<Vec<Entry>, Mistake> {
    let mut found: Vec<Entry> = Vec::new();
    for item in top.list(list)? {
        let name = item.text("name")?.unwrap_or_default();
        if find(&found, &name).is_some() {
            return Err(Mistake::Twice {
                file: top.file.to_owned(),
                list: list.to_owned(),
                name,
            });
        }
        let section = item.section(key)?;
        found.push(Entry {
            name,
            place: section.place.clone(),
            value: section.value.clone(),
            file: top.file.to_owned(),
        });
    }
    Ok(found)
}
