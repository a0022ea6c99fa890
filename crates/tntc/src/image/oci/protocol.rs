//! Which protocol a registry speaks: HTTPS, but for those on this machine that speak plain HTTP, as Docker does it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::image::reference;

/// How a registry is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// In the clear.
    Http,
    /// In TLS.
    Https,
}

impl Protocol {
    /// As a URL begins.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// How long a registry on this machine may take to answer a greeting.
const GREETING: Duration = Duration::from_secs(2);

/// First bytes of an answer in TLS: an alert, or the handshake going on (RFC 8446, 5.1).
const TLS_RECORDS: [u8; 2] = [21, 22];

/// The protocol for a registry, such as `localhost:5000`.
///
/// One on this machine is asked, without the certificates of the system: reading them takes longer than the rest of a
/// build that finds nothing to do.
pub async fn of(registry: &str, plain_http: bool) -> Protocol {
    if plain_http {
        return Protocol::Http;
    }
    if !reference::is_local(registry) {
        return Protocol::Https;
    }
    match timeout(GREETING, speaks_tls(registry)).await {
        Ok(Ok(true)) => Protocol::Https,
        _ => Protocol::Http,
    }
}

/// Whether a server answers a TLS greeting in TLS.
async fn speaks_tls(registry: &str) -> io::Result<bool> {
    let mut stream = match registry.rsplit_once(':') {
        Some((_, port)) if !port.ends_with(']') => TcpStream::connect(registry).await?,
        _ => TcpStream::connect((registry.trim_matches(['[', ']']), 443)).await?,
    };
    stream.write_all(&greeting()?).await?;
    Ok(TLS_RECORDS.contains(&stream.read_u8().await?))
}

/// What a TLS client says first, and the end of a line for servers that wait for one.
fn greeting() -> io::Result<Vec<u8>> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
    let mut connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    let mut greeting = Vec::new();
    connection.write_tls(&mut greeting)?;
    greeting.extend(b"\r\n\r\n");
    Ok(greeting)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// The protocol for a server that reads a first line and answers with these bytes.
    async fn asked(answer: &'static [u8]) -> Protocol {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let serve = async {
            let (mut stream, _) = listener.accept().await.expect("a client");
            while stream.read_u8().await.expect("a line") != b'\n' {}
            stream.write_all(answer).await.expect("to answer");
        };
        tokio::join!(of(&address, false), serve).0
    }

    #[tokio::test]
    async fn a_registry_of_this_machine_is_asked() {
        for answer in [&[22, 3, 3], &[21, 3, 3]] {
            assert!(matches!(asked(answer).await, Protocol::Https));
        }
        let refusal = b"HTTP/1.1 400 Bad Request\r\n\r\n";
        assert!(matches!(asked(refusal).await, Protocol::Http));
    }

    #[tokio::test]
    async fn another_speaks_plain_http_only_when_that_is_asked_for() {
        let protocol = of("reg.example.com", false).await;
        assert!(matches!(protocol, Protocol::Https));
        let protocol = of("reg.example.com", true).await;
        assert!(matches!(protocol, Protocol::Http));
    }
}
