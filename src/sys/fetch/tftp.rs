//! TFTP (RFC 1350), with larger blocks where the server has them (RFC 2348).

use std::io::ErrorKind;
use std::net::{ToSocketAddrs, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

const PORT: u16 = 69;
/// Fits into an Ethernet frame with its headers.
const BLOCK: usize = 1428;
/// What a server sends that does not know the option.
const PLAIN: usize = 512;
/// After this the last packet is sent again.
const RESEND: Duration = Duration::from_secs(1);

const DATA: u16 = 3;
const ERROR: u16 = 5;
const OPTIONS: u16 = 6;

/// `None` if the server has no such file.
pub(super) fn fetch(rest: &str, most: u64, deadline: Instant) -> Result<Option<Vec<u8>>> {
    let (server, path) = rest.split_once('/').context("it names no file: tftp://server/file")?;
    ensure!(!path.contains('\0'), "there is a zero byte in its path");
    let at = match server.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => {
            (host.to_owned(), port.parse().with_context(|| format!("{port:?} is no port"))?)
        }
        _ => (server.to_owned(), PORT),
    };
    let at = (at.0.trim_start_matches('[').trim_end_matches(']'), at.1);
    let address =
        at.to_socket_addrs().context("no such server")?.next().context("no such server")?;
    let any = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any).context("cannot make a socket")?;
    let request = format!("\0\x01{path}\0octet\0blksize\0{BLOCK}\0");
    let transfer = Transfer {
        socket,
        // The first answer comes from another port, which is the transfer's (RFC 1350, 4).
        peer: None,
        last: request.into_bytes(),
        size: PLAIN,
        expected: 1,
        bytes: Vec::new(),
    };
    transfer.socket.send_to(&transfer.last, address).context("cannot send")?;
    transfer.run(address, most, deadline)
}

struct Transfer {
    socket: UdpSocket,
    peer: Option<std::net::SocketAddr>,
    /// What was sent last, for when its answer is lost.
    last: Vec<u8>,
    size: usize,
    expected: u16,
    bytes: Vec<u8>,
}

impl Transfer {
    fn run(
        mut self,
        first: std::net::SocketAddr,
        most: u64,
        deadline: Instant,
    ) -> Result<Option<Vec<u8>>> {
        let mut packet = [0; BLOCK + 4];
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            ensure!(!left.is_zero(), "no end in time, after {} bytes", self.bytes.len());
            self.socket.set_read_timeout(Some(RESEND.min(left)))?;
            let (length, from) = match self.socket.recv_from(&mut packet) {
                Ok(received) => received,
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    self.socket.send_to(&self.last, self.peer.unwrap_or(first))?;
                    continue;
                }
                Err(e) => return Err(e).context("cannot receive"),
            };
            if from.ip() != first.ip() || self.peer.is_some_and(|peer| peer != from) {
                continue; // somebody else's
            }
            self.peer = Some(from);
            let (Some(code), Some(number)) = (word(&packet, length, 0), word(&packet, length, 2))
            else {
                bail!("a packet of {length} bytes is none of TFTP's");
            };
            match code {
                // File not found.
                ERROR if number == 1 => return Ok(None),
                ERROR => bail!("the server says: {}", text(packet.get(4..length))),
                OPTIONS if self.bytes.is_empty() && self.expected == 1 => {
                    self.size = block_size(packet.get(2..length))?;
                    self.acknowledge(0)?;
                }
                DATA if number == self.expected => {
                    let data = packet.get(4..length).unwrap_or_default();
                    self.bytes.extend_from_slice(data);
                    ensure!(
                        self.bytes.len() as u64 <= most,
                        "it is larger than {} MiB",
                        most >> 20
                    );
                    self.acknowledge(number)?;
                    // The number wraps around: files are larger than 65,535 blocks.
                    self.expected = number.wrapping_add(1);
                    if data.len() < self.size {
                        return Ok(Some(self.bytes));
                    }
                }
                // A repetition: the acknowledgement was lost, and is sent again in time.
                DATA | OPTIONS => {}
                other => bail!("a packet of type {other} is none that a server sends"),
            }
        }
    }

    fn acknowledge(&mut self, number: u16) -> Result<()> {
        self.last = [[0, 4], number.to_be_bytes()].concat();
        if let Some(peer) = self.peer {
            self.socket.send_to(&self.last, peer).context("cannot send")?;
        }
        Ok(())
    }
}

fn word(packet: &[u8], length: usize, at: usize) -> Option<u16> {
    let bytes = packet.get(..length)?.get(at..at + 2)?;
    Some(u16::from_be_bytes([bytes[0], bytes[1]]))
}

fn text(bytes: Option<&[u8]>) -> String {
    String::from_utf8_lossy(bytes.unwrap_or_default()).trim_end_matches('\0').to_owned()
}

/// What the server made of the option.
fn block_size(options: Option<&[u8]>) -> Result<usize> {
    let text = text(options);
    let mut words = text.split('\0');
    while let (Some(name), Some(value)) = (words.next(), words.next()) {
        if name.eq_ignore_ascii_case("blksize") {
            let size = value.parse().with_context(|| format!("blocks of {value:?} bytes"))?;
            ensure!((8..=BLOCK).contains(&size), "blocks of {size} bytes were not asked for");
            return Ok(size);
        }
    }
    Ok(PLAIN)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// A server for one file, which loses its first answer if it is `lossy`.
    fn server(content: Vec<u8>, knows_options: bool, lossy: bool) -> String {
        let listening = UdpSocket::bind("127.0.0.1:0").unwrap();
        let at = listening.local_addr().unwrap();
        thread::spawn(move || {
            let mut packet = [0; 2048];
            let (length, mut peer) = listening.recv_from(&mut packet).unwrap();
            if lossy {
                peer = listening.recv_from(&mut packet).unwrap().1;
            }
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            if text(packet.get(2..length)).starts_with("none") {
                socket.send_to(b"\0\x05\0\x01no such file\0", peer).unwrap();
                return;
            }
            let size = if knows_options { BLOCK } else { PLAIN };
            if knows_options {
                socket.send_to(b"\0\x06blksize\x001428\0", peer).unwrap();
                socket.recv_from(&mut packet).unwrap();
            }
            let blocks = content.len() / size + 1;
            for block in 0..blocks {
                let end = content.len().min((block + 1) * size);
                let number = (u16::try_from(block + 1).unwrap()).to_be_bytes();
                let data = [&[0, 3], &number[..], &content[block * size..end]].concat();
                socket.send_to(&data, peer).unwrap();
                socket.recv_from(&mut packet).unwrap();
            }
        });
        format!("{at}")
    }

    fn fetch_from(server: &str, file: &str) -> Result<Option<Vec<u8>>> {
        fetch(&format!("{server}/{file}"), 10_000, Instant::now() + Duration::from_secs(10))
    }

    #[test]
    fn files_of_all_sizes_come_whole() {
        for size in [0, 100, PLAIN, BLOCK, 2 * BLOCK, 5000] {
            let content: Vec<u8> = (0..=255).cycle().take(size).collect();
            for knows_options in [false, true] {
                let at = server(content.clone(), knows_options, size == 100);
                assert_eq!(
                    fetch_from(&at, "a/b").unwrap().as_deref(),
                    Some(&content[..]),
                    "{size}"
                );
            }
        }
    }

    #[test]
    fn what_is_not_there_too_large_or_silent() {
        assert_eq!(fetch_from(&server(Vec::new(), true, false), "none").unwrap(), None);
        let error = fetch_from(&server(vec![0; 20_000], true, false), "big").unwrap_err();
        assert!(error.to_string().contains("larger"), "{error}");
        let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
        let at = format!("{}/x", silent.local_addr().unwrap());
        let error = fetch(&at, 10, Instant::now() + Duration::from_millis(300)).unwrap_err();
        assert!(error.to_string().contains("no end in time"), "{error}");
        assert!(fetch("server", 10, Instant::now()).unwrap_err().to_string().contains("no file"));
    }
}
