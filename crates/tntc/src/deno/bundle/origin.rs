//! Where everything in a bundle comes from: the workflow, Deno's cache of packages, or a host. A bundle is deployed, so
//! that a file of this machine or an answer of its network in it would be published.

use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use tntc_core::contract::Cidr;
use tntc_core::derive::network::reserved;
use tntc_core::project::Project;

/// What Deno calls a module that it has loaded itself, in source maps.
const LOADED: &str = "deno:";

/// What names this machine beside blocks of IPv4: Deno's flags take no others, and names as they are.
const THIS_MACHINE: [&str; 3] = ["localhost", "[::]", "[::1]"];

/// What may be in the bundles of a workflow.
pub struct Origins<'a> {
    /// The copy that is bundled, without links.
    pub copy: PathBuf,
    /// Its files.
    pub project: &'a Project,
    /// Deno's cache of packages, without links.
    pub packages: PathBuf,
    /// Hosts that the user, not the workflow, takes modules from.
    pub own_hosts: BTreeSet<String>,
    /// Whether the user trusts the workflow's directory.
    pub trusted: bool,
}

impl Origins<'_> {
    /// The first source of a bundle that may not be in it, as it is named to the user.
    pub fn foreign<'s>(&self, sources: impl IntoIterator<Item = &'s str>) -> Option<String> {
        sources.into_iter().find_map(|source| self.refused(source))
    }

    fn refused(&self, source: &str) -> Option<String> {
        let source = source.strip_prefix(LOADED).unwrap_or(source);
        if let Some(rest) = source.strip_prefix("https://") {
            return (!self.is_allowed(rest, true)).then(|| source.to_owned());
        }
        if let Some(rest) = source.strip_prefix("http://") {
            return (!self.is_allowed(rest, false)).then(|| source.to_owned());
        }
        let path = source.strip_prefix("file://").unwrap_or(source);
        // A package's own source map may name what is not here; then it is not in the bundle either.
        let path = fs::canonicalize(self.copy.join(path)).ok()?;
        (!self.is_own(&path)).then(|| path.display().to_string())
    }

    fn is_own(&self, path: &Path) -> bool {
        let name = path.strip_prefix(&self.copy).ok().and_then(Path::to_str);
        let is_file = name.is_some_and(|name| self.project.files.contains_key(name));
        is_file || path.starts_with(&self.packages)
    }

    /// Of a URL behind its scheme.
    fn is_allowed(&self, rest: &str, secure: bool) -> bool {
        let authority = rest.split('/').next().unwrap_or_default();
        let public = secure && !is_internal(authority);
        public || self.trusted || self.own_hosts.contains(authority)
    }

    /// Hosts to deny to Deno, so that nothing is asked of them; none in a trusted directory. A block with a host of the
    /// user's own in it stays open: what comes from there is looked at afterwards.
    pub fn denied(&self) -> Vec<&'static str> {
        if self.trusted {
            return Vec::new();
        }
        let ours: Vec<_> = self.own_hosts.iter().map(|it| host(it)).collect();
        let holds_ours = |block: &&str| {
            let block: Option<Cidr> = block.parse().ok();
            let inside = |address: IpAddr| block.as_ref().is_some_and(|it| it.contains(address));
            ours.iter().any(|name| name.parse().is_ok_and(inside))
        };
        let blocks = reserved::IPV4.into_iter().filter(|it| !holds_ours(it));
        let names = THIS_MACHINE.into_iter();
        blocks
            .chain(names.filter(|it| !ours.contains(&host(it))))
            .collect()
    }
}

/// Whether a host and port is one of this machine or of a private network, by its name or its address.
fn is_internal(authority: &str) -> bool {
    let host = host(authority);
    if let Ok(address) = host.parse::<IpAddr>() {
        return reserved::block_of(address.to_canonical()).is_some();
    }
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    let inside = ["localhost", "local", "internal"];
    !name.contains('.') || inside.iter().any(|it| name.ends_with(&format!(".{it}")))
}

/// Without user, port and brackets.
fn host(authority: &str) -> &str {
    let authority = authority.rsplit('@').next().unwrap_or_default();
    match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(source: &str, own: &[&str], trusted: bool) -> bool {
        let project = Project::from_files([("nodes/a.ts", "")]);
        let own_hosts = own.iter().map(|&it| it.to_owned()).collect();
        let (copy, packages) = (PathBuf::from("/copy"), PathBuf::from("/cache/npm"));
        let origins = Origins {
            copy,
            project: &project,
            packages,
            own_hosts,
            trusted,
        };
        origins.foreign([source]).is_some()
    }

    #[test]
    fn only_public_hosts_and_those_of_the_user_are_taken_from() {
        for source in [
            "https://esm.sh/x",
            "deno:https://[2606:4700::1]/x",
            "dataurl:data:text/javascript,1",
            "webpack://lib/src/x.js",
        ] {
            assert!(!refused(source, &[], false), "{source}");
        }
        for source in [
            "deno:http://esm.sh/x",
            "https://127.0.0.1:8443/x",
            "https://user@10.0.0.1/x",
            "https://169.254.169.254/latest",
            "https://[::1]/x",
            "https://[::ffff:10.0.0.1]/x",
            "https://localhost:1/",
            "https://wiki/x",
            "https://metadata.google.internal/x",
        ] {
            assert!(refused(source, &[], false), "{source}");
            assert!(
                !refused(source, &[], true),
                "{source} in a trusted directory"
            );
        }
        assert!(!refused(
            "https://127.0.0.1:8443/x",
            &["127.0.0.1:8443"],
            false
        ));
        assert!(refused(
            "https://127.0.0.1:8444/x",
            &["127.0.0.1:8443"],
            false
        ));
    }

    #[test]
    fn only_files_of_the_workflow_and_of_packages_are_taken() {
        let home = tempfile::tempdir().unwrap();
        let home = fs::canonicalize(home.path()).unwrap();
        for name in ["copy/a.ts", "copy/.npmrc", "npm/x/1/i.js", "key.txt"] {
            crate::workspace::scratch::write(&home, name, b"").unwrap();
        }
        std::os::unix::fs::symlink(home.join("key.txt"), home.join("npm/link")).unwrap();
        let project = Project::from_files([("a.ts", "")]);
        let origins = Origins {
            copy: home.join("copy"),
            project: &project,
            packages: home.join("npm"),
            own_hosts: BTreeSet::new(),
            trusted: true,
        };
        let key = home.join("key.txt").display().to_string();
        for source in ["a.ts", "../npm/x/1/i.js", "../npm/x/src/i.ts"] {
            assert_eq!(origins.foreign([source]), None, "{source}");
        }
        for source in ["../key.txt", &key, &format!("file://{key}"), "../npm/link"] {
            assert_eq!(
                origins.foreign(["a.ts", source]),
                Some(key.clone()),
                "{source}"
            );
        }
        assert!(
            origins.foreign([".npmrc"]).is_some(),
            "tokens are no module"
        );
    }

    #[test]
    fn no_host_of_the_user_is_denied() {
        let project = Project::default();
        let mut origins = Origins {
            copy: PathBuf::new(),
            project: &project,
            packages: PathBuf::new(),
            own_hosts: BTreeSet::from(["127.0.0.1:8443".to_owned()]),
            trusted: false,
        };
        let denied = origins.denied();
        assert!(denied.contains(&"10.0.0.0/8") && denied.contains(&"localhost"));
        assert!(!denied.contains(&"127.0.0.0/8"), "{denied:?}");
        origins.trusted = true;
        assert!(origins.denied().is_empty());
    }
}
