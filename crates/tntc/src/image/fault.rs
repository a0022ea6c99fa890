//! What usually goes wrong between an image and a registry, told alike by every builder.

use std::fmt;

use tntc_core::values::ImageReference;

use crate::outcome::Error;
use crate::process::program::Failure;

/// What something was done with.
#[derive(Debug, Clone, Copy)]
pub enum Subject<'a> {
    /// An image, and so its registry.
    Image(&'a ImageReference),
    /// A registry.
    Registry(&'a str),
}

impl<'a> Subject<'a> {
    fn registry(self) -> &'a str {
        match self {
            Self::Image(image) => image.registry(),
            Self::Registry(registry) => registry,
        }
    }
}

impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image(image) => image.fmt(f),
            Self::Registry(registry) => f.write_str(registry),
        }
    }
}

/// A cause that has its own message and its own way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The runtime that podman starts containers with is not there, or not made for this machine's control groups.
    Runtime,
    /// No space left, here or where the container program stores images.
    DiskFull,
    /// The registry wants other credentials, or any.
    Refused,
    /// The image exists, but not for this platform.
    NoPlatform,
    /// There is no such image.
    NoImage,
    /// The registry speaks plain HTTP.
    NoTls,
    /// The connection broke on the way.
    Broken,
    /// The registry does not answer.
    Unreachable,
}

/// What the texts of Docker (legacy and `BuildKit`), containerd, podman and registries say of each fault. The order
/// counts: Docker says "access denied" of an image that does not exist.
const SYMPTOMS: [(Fault, &[&str]); 8] = [
    (
        Fault::Runtime,
        &[
            "cgroups in hybrid mode not supported",
            "default oci runtime",
            "no valid executable found for oci runtime",
        ],
    ),
    (
        Fault::DiskFull,
        &["no space left on device", "disk quota exceeded"],
    ),
    (
        Fault::NoPlatform,
        &[
            "no matching manifest",
            "no match for platform",
            "does not match the specified platform",
            "no image found in manifest list for architecture",
            "no image found in image index for architecture",
        ],
    ),
    (
        Fault::NoImage,
        &[
            "pull access denied",
            "manifest unknown",
            "name unknown",
            "repository name not known",
            "not found: manifest",
            "does not exist",
        ],
    ),
    (
        Fault::Refused,
        &[
            "unauthorized",
            "authentication required",
            "no basic auth credentials",
            "authorization failed",
            "denied",
            "403 forbidden",
        ],
    ),
    (Fault::NoTls, &["http response to https client"]),
    (
        Fault::Broken,
        &[
            "use of closed network connection",
            "connection reset",
            "broken pipe",
            "unexpected eof",
            "transport connection broken",
            "server closed idle connection",
            ": eof",
            "\neof\n",
        ],
    ),
    (
        Fault::Unreachable,
        &[
            "connection refused",
            "no such host",
            "i/o timeout",
            "tls handshake timeout",
            "no route to host",
            "network is unreachable",
            "deadline exceeded",
            "server misbehaving",
        ],
    ),
];

/// The way out that is always there.
pub const WITHOUT: &str =
    "or build without it: tntc build --builder oci --push, or with --to FILE.tar";

impl Fault {
    /// Reads the output of a program that failed.
    pub fn of(failure: &Failure) -> Option<Self> {
        SYMPTOMS
            .iter()
            .find(|(_, texts)| failure.says(texts))
            .map(|(fault, _)| *fault)
    }

    /// The error of something that was done to an image, such as `docker push of reg.io/e:v1`.
    pub fn error(self, doing: &str, subject: Subject<'_>) -> Error {
        let registry = subject.registry();
        let error = Error::surroundings(format!("{doing} failed: {}", self.reason(subject)));
        match self {
            Self::Runtime => error
                .hint("install runc, and put runtime = \"runc\" under [engine] in /etc/containers/containers.conf")
                .hint(WITHOUT),
            Self::DiskFull => {
                error.hint("free some space; `docker system df` shows what Docker holds")
            }
            Self::Refused => error.hint(format!("log in to it: docker login {registry}")),
            Self::NoPlatform => error
                .hint("leave out --platform, or name a base that has the platform with --base"),
            Self::NoImage => error.hint(format!(
                "check the name {subject}; a mirror of the base is named with --base, or base_image in a config file"
            )),
            Self::NoTls => error
                .hint("where the network can be trusted, --plain-http speaks without it (podman and --builder oci)")
                .hint("Docker wants the registry in insecure-registries of its daemon.json"),
            Self::Broken => {
                error.hint("run the same command again; what has arrived is not sent twice")
            }
            Self::Unreachable => error.hint(format!(
                "check that {registry} is up and can be reached from here"
            )),
        }
    }

    fn reason(self, subject: Subject<'_>) -> String {
        let registry = subject.registry();
        match self {
            Self::Runtime => {
                "podman's container runtime cannot start containers on this machine".to_owned()
            }
            Self::DiskFull => "no space is left on the disk".to_owned(),
            Self::Refused => {
                format!("the registry {registry} refuses these credentials, or wants some")
            }
            Self::NoPlatform => format!("{subject} does not have this platform"),
            Self::NoImage => format!("there is no image {subject}"),
            Self::NoTls => format!("the registry {registry} does not speak TLS"),
            Self::Broken => format!("the connection to {registry} broke, again and again"),
            Self::Unreachable => format!("the registry {registry} does not answer"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(tail: &str) -> Option<Fault> {
        Fault::of(&Failure {
            tail: tail.to_owned(),
        })
    }

    #[test]
    fn each_text_of_docker_and_podman_leads_to_its_fault() {
        let table = [
            (
                "write /var/lib/docker/tmp: no space left on device",
                Fault::DiskFull,
            ),
            (
                "no matching manifest for linux/arm64 in the manifest list entries",
                Fault::NoPlatform,
            ),
            (
                "Error response from daemon: manifest for x:y not found: manifest unknown: manifest unknown",
                Fault::NoImage,
            ),
            (
                "pull access denied for nobody/none, repository does not exist or may require 'docker login': denied",
                Fault::NoImage,
            ),
            ("unauthorized: authentication required", Fault::Refused),
            ("no basic auth credentials", Fault::Refused),
            (
                "Get \"http://127.0.0.1:9/v2/\": dial tcp 127.0.0.1:9: connect: connection refused",
                Fault::Unreachable,
            ),
            (
                "write tcp 127.0.0.1:48800->127.0.0.1:33223: use of closed network connection",
                Fault::Broken,
            ),
            ("74956fb5e4a2: Pushed\nEOF\nexit status: 1", Fault::Broken),
            (
                "Get \"https://10.0.0.9:5000/v2/\": http: server gave HTTP response to HTTPS client",
                Fault::NoTls,
            ),
        ];
        for (text, fault) in table {
            assert_eq!(of(text), Some(fault), "{text}");
        }
        assert_eq!(of("error: Uncaught SyntaxError"), None);
    }

    #[test]
    fn what_podman_says_of_its_runtime_is_no_fault_of_an_image() {
        for text in [
            "cgroups in hybrid mode not supported, drop all controllers from cgroupv2",
            "Error: default OCI runtime \"crun\" not found: invalid argument",
            "Error: no valid executable found for OCI runtime crun: invalid argument",
        ] {
            assert_eq!(of(text), Some(Fault::Runtime), "{text}");
        }
    }
}
