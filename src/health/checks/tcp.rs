//! Something listens on a TCP port.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Instant;

use serde::{Deserialize, Deserializer, Serialize, de::Error};

use super::{Check, Context, Finding, Keyed};

/// `{tcp: "host:port"}`
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tcp {
    tcp: Address,
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Address(String);

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        match text.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(Self(text)),
            _ => Err(D::Error::custom(format!("{text:?} is no address such as 127.0.0.1:5432"))),
        }
    }
}

impl Keyed for Tcp {
    const KEY: &'static str = "tcp";
}

impl Check for Tcp {
    fn required(&self) -> bool {
        self.tcp.0.rsplit_once(':').is_some_and(|(host, _)| is_loopback(host))
    }

    fn look(&self, context: &Context) -> Finding {
        let address = &self.tcp.0;
        let end = Instant::now() + context.timeout;
        let addresses = match self.addresses() {
            Ok(addresses) => addresses,
            Err(e) => return Finding::fail(format!("cannot resolve {address}: {e}")),
        };
        let mut last = Finding::fail(format!("{address} has no address"));
        for one in addresses {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Finding::timeout(last.message);
            }
            match TcpStream::connect_timeout(&one, left) {
                Ok(_) => return Finding::pass(format!("{one} accepts connections")),
                Err(e) => last = Finding::fail(format!("{one}: {e}")),
            }
        }
        last
    }
}

impl Tcp {
    /// The name of this machine itself needs nobody to resolve it (RFC 6761):
    /// what may still be on its way at this time of a boot.
    fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        match self.tcp.0.rsplit_once(':') {
            Some((host, port)) if is_localhost(host) => {
                let port = port.parse().map_err(io::Error::other)?;
                Ok(vec![(Ipv4Addr::LOCALHOST, port).into(), (Ipv6Addr::LOCALHOST, port).into()])
            }
            _ => Ok(self.tcp.0.to_socket_addrs()?.collect()),
        }
    }
}

/// Whether a host is this machine itself: then what answers is its own doing.
pub(super) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    is_localhost(host) || address.parse::<IpAddr>().is_ok_and(|it| it.is_loopback())
}

fn is_localhost(host: &str) -> bool {
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::files::Root;
    use std::net::TcpListener;

    #[test]
    fn a_listener_passes_and_a_closed_port_does_not() {
        let context = Context::new(&Root::new("/"));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let check = Tcp { tcp: Address(listener.local_addr().unwrap().to_string()) };
        assert!(check.required());
        assert!(check.look(&context).message.ends_with("accepts connections"));
        drop(listener);
        assert!(check.look(&context).message.contains("refused"));
    }

    #[test]
    fn this_machine_and_others() {
        for host in ["localhost", "db.localhost", "127.0.0.2", "[::1]", "LOCALHOST."] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["example.com", "10.0.0.1", "localhost.example.com", "[fe80::1]", "0.0.0.0"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
