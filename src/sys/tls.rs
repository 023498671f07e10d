//! TLS for what is asked of servers.

use std::sync::Arc;

use anyhow::{Result, bail};
use rustls::CertificateError;
use ureq::http::Uri;
use ureq::http::uri::Scheme;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use super::files::{self, Root};

/// The certificates that the system trusts, as openSUSE, Debian and Fedora have
/// them. None are built in: what an administrator distrusts must not be trusted.
const TRUSTED: [&str; 3] = [
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
];

/// For a request of this address that trusts what the system trusts.
///
/// # Errors
/// As [`config_of`].
pub fn config(uri: &Uri) -> Result<TlsConfig> {
    config_of(uri, &[Root::new("/")])
}

/// For a request of this address that trusts what the first of these systems trusts that trusts
/// anybody. Every agent must have one, whatever it asks for: one that comes to TLS without, by a
/// redirection or a proxy, panics in ureq, which has neither certificates nor cryptography here.
///
/// # Errors
/// The address is of https, and their certificates cannot be read, or there are none. For any
/// other address there is then nobody to trust, and TLS fails if it comes to that.
pub fn config_of(uri: &Uri, systems: &[Root]) -> Result<TlsConfig> {
    // An error means that there is a provider already, which does as well.
    let _was_there = rustls::crypto::ring::default_provider().install_default();
    let trusted = match trusted(systems) {
        Err(e) if uri.scheme() != Some(&Scheme::HTTPS) => {
            log::debug!("nobody is trusted if it comes to https: {e:#}");
            Vec::new()
        }
        trusted => trusted?,
    };
    let roots = RootCerts::Specific(Arc::new(trusted));
    Ok(TlsConfig::builder().root_certs(roots).build())
}

/// What is wrong with the server's TLS, if that is what is wrong. A handshake is part of
/// reading and writing, and so is its error.
pub fn problem(e: &ureq::Error) -> Option<&rustls::Error> {
    match e {
        ureq::Error::Rustls(e) => Some(e),
        ureq::Error::Io(e) => e.get_ref()?.downcast_ref(),
        _ => None,
    }
}

/// Whether it may be the machine's clock that is wrong: then it passes as soon as that is set.
pub fn is_of_the_clock(e: &rustls::Error) -> bool {
    use CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext};
    let rustls::Error::InvalidCertificate(e) = e else { return false };
    matches!(e, Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. })
}

fn trusted(systems: &[Root]) -> Result<Vec<Certificate<'static>>> {
    let places = systems.iter().flat_map(|root| TRUSTED.map(|path| root.join(path)));
    for path in places {
        let Some(pem) = files::read(&path)? else { continue };
        let certificates: Vec<_> = parse_pem(&pem)
            .filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            })
            .collect();
        if !certificates.is_empty() {
            return Ok(certificates);
        }
    }
    bail!("no trusted certificates: none of {} holds any", TRUSTED.join(", "))
}
