//! Why a request did not reach an API server, in terms of the situation: which server, by whose kubeconfig, and what to
//! look at. Libraries name their own types there instead.

use std::error::Error as Cause;
use std::io;

use tntc_core::proxy::Proxy;

use crate::outcome::Error;
use crate::outcome::error::chain;

/// Where requests go, for messages.
#[derive(Debug, Clone)]
pub struct Place {
    /// The server's URL.
    pub server: String,
    /// The context; none in a pod.
    pub context: Option<String>,
    /// The user; empty when there is none.
    pub user: String,
    /// The proxy on the way.
    pub proxy: Option<Proxy>,
}

/// Nothing came in time.
#[derive(Debug, thiserror::Error)]
#[error("no answer within {0} s")]
pub struct Silent(pub u64);

/// The certificate or key of the kubeconfig's user is refused, or asked for.
const CLIENT_ALERTS: [rustls::AlertDescription; 5] = [
    rustls::AlertDescription::CertificateRequired,
    rustls::AlertDescription::BadCertificate,
    rustls::AlertDescription::CertificateExpired,
    rustls::AlertDescription::CertificateUnknown,
    rustls::AlertDescription::UnknownCA,
];

impl Place {
    /// `https://…:6443 (context `a`, user `b`)`.
    pub fn told(&self) -> String {
        let who = match (&self.context, self.user.as_str()) {
            (Some(context), "") => format!("context `{context}`"),
            (Some(context), user) => format!("context `{context}`, user `{user}`"),
            (None, _) => "this pod's service account".to_owned(),
        };
        format!("{} ({who})", self.server)
    }

    /// The error of a request that was not answered.
    pub fn unreachable(&self, why: &str, hint: &str) -> Error {
        let by = self
            .proxy
            .as_ref()
            .map(|proxy| format!(" by the proxy {proxy}"));
        Error::surroundings(format!(
            "cannot reach the Kubernetes API at {}{}: {why}",
            self.told(),
            by.unwrap_or_default()
        ))
        .hint(hint)
    }

    /// What a failed connection or request means.
    pub fn explain(&self, cause: &(dyn Cause + 'static)) -> Error {
        if let Some(silent) = find::<Silent>(cause) {
            return self.unreachable(
                &silent.to_string(),
                "check that the server is up and that a firewall lets you through (VPN?)",
            );
        }
        if let Some(tls) = find::<rustls::Error>(cause) {
            return self.of_tls(tls);
        }
        let text = chain(cause);
        if self.proxy.is_some()
            && let Some(error) = self.of_proxy(&text)
        {
            return error;
        }
        let is_cut = find::<hyper::Error>(cause).is_some_and(hyper::Error::is_incomplete_message);
        let usual = "check that the cluster is up and that --context names the one you mean";
        match find::<io::Error>(cause).map(io::Error::kind) {
            _ if is_cut => self.unreachable("the server has closed the connection", usual),
            Some(io::ErrorKind::ConnectionRefused) => self.unreachable("connection refused", usual),
            Some(
                io::ErrorKind::ConnectionReset
                | io::ErrorKind::UnexpectedEof
                | io::ErrorKind::BrokenPipe,
            ) => self.unreachable("the server has closed the connection", usual),
            _ if text.contains("dns error") => self.unreachable(
                "its host name is not known",
                "check the server's name in the kubeconfig, and the network (VPN?)",
            ),
            _ => self.unreachable(&root(cause), usual),
        }
    }

    fn of_proxy(&self, text: &str) -> Option<Error> {
        let hint =
            "check proxy-url in the kubeconfig, and HTTPS_PROXY and NO_PROXY in the environment";
        let why = if text.contains("authorization required")
            || text.contains("credentials")
            || text.contains("AuthError")
            || text.contains("authentication")
        {
            "the proxy wants other credentials"
        } else if text.contains("tunnel error: unsuccessful")
            || text.contains("SOCKS") && !text.contains("underlying")
        {
            "the proxy does not let the connection through"
        } else if text.contains("underlying connection") {
            "the proxy does not answer"
        } else {
            return None;
        };
        Some(self.unreachable(why, hint))
    }

    fn of_tls(&self, cause: &rustls::Error) -> Error {
        use rustls::CertificateError as Certificate;
        let authority =
            "check certificate-authority-data in the kubeconfig, or fetch the kubeconfig again";
        match cause {
            rustls::Error::InvalidMessage(_) => self.unreachable(
                "the server does not speak TLS",
                "check the port; a server that speaks plain HTTP is written http:// in the kubeconfig",
            ),
            rustls::Error::InvalidCertificate(Certificate::UnknownIssuer) => self.unreachable(
                "the server's certificate is signed by an authority that the kubeconfig does not name",
                authority,
            ),
            rustls::Error::InvalidCertificate(
                Certificate::NotValidForName | Certificate::NotValidForNameContext { .. },
            ) => self.unreachable(
                "the server's certificate is for another name",
                "check the server's name, or write the certificate's as tls-server-name in the kubeconfig",
            ),
            rustls::Error::InvalidCertificate(Certificate::Expired | Certificate::ExpiredContext { .. }) => {
                self.unreachable("the server's certificate has expired", "ask whoever runs the cluster to renew it, and check this machine's clock")
            }
            rustls::Error::InvalidCertificate(other) => {
                self.unreachable(&format!("the server's certificate cannot be trusted: {other}"), authority)
            }
            rustls::Error::AlertReceived(alert) if CLIENT_ALERTS.contains(alert) => self.unreachable(
                "the server refuses the client certificate of this user",
                "log in again, or fetch the kubeconfig again",
            ),
            other => self.unreachable(&format!("TLS failed: {other}"), authority),
        }
    }
}

/// The first cause of a type, also one inside an I/O error, where TLS errors are.
fn find<'a, T: Cause + 'static>(error: &'a (dyn Cause + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        let inner = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        if let Some(found) = inner.and_then(|inner| find(inner)) {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// The innermost cause, which is the one that says something.
fn root(error: &dyn Cause) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    innermost.to_string()
}
