//! The consoles: `/dev/console` and whatever else the kernel's messages go to.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::Message;
use crate::sys::files::{self, Root};

/// The kernel's consoles, by name (sysfs-tty).
const ACTIVE: &str = "/sys/class/tty/console/active";
/// How long one console may take: a serial line that nobody reads takes for ever.
const LIMIT: Duration = Duration::from_secs(2);

/// Writes on every console.
pub(super) fn tell(root: &Root, message: &Message) -> Result<()> {
    say(root, &message.text)
}

pub(super) fn say(root: &Root, text: &str) -> Result<()> {
    if !root.is_live() {
        return Ok(());
    }
    let active = files::read_text(Path::new(ACTIVE)).unwrap_or_else(|e| {
        log::debug!("only /dev/console: {e:#}");
        None
    });
    // A terminal wants carriage returns.
    let text = format!("\n{text}").replace('\n', "\r\n");
    let results = targets(&active.unwrap_or_default())
        .into_iter()
        .map(|path| write(&path, text.as_bytes()).with_context(|| path.display().to_string()));
    let failed: Vec<_> = results.filter_map(Result::err).map(|e| format!("{e:#}")).collect();
    if failed.is_empty() { Ok(()) } else { Err(anyhow!(failed.join(", "))) }
}

/// The last of the active ones is what `/dev/console` stands for.
fn targets(active: &str) -> Vec<PathBuf> {
    let names: Vec<_> = active.split_whitespace().collect();
    let others = names.split_last().map_or(&[][..], |(_, others)| others);
    let path = |name: &&str| Path::new("/dev").join(name);
    std::iter::once("/dev/console".into()).chain(others.iter().map(path)).collect()
}

fn write(path: &Path, mut rest: &[u8]) -> Result<()> {
    let deadline = Instant::now() + LIMIT;
    let open = OpenOptions::new()
        .write(true)
        .custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits())
        .open(path);
    let mut console = match open {
        Ok(console) => console,
        // A container has the names of the host's consoles, and none of them.
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e).context("cannot open"),
    };
    while !rest.is_empty() {
        match console.write(rest) {
            Ok(n) => rest = &rest[n..],
            Err(e) if e.kind() == ErrorKind::WouldBlock => wait(&console, deadline)?,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e).context("cannot write"),
        }
    }
    Ok(())
}

fn wait(console: &File, deadline: Instant) -> Result<()> {
    let left = deadline.saturating_duration_since(Instant::now());
    let mut fds = [PollFd::new(console.as_fd(), PollFlags::POLLOUT)];
    let ready = poll(&mut fds, PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO))?;
    if ready == 0 {
        bail!("nobody takes what is written");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_console_is_told_once() {
        for (active, expected) in [
            ("", &["/dev/console"][..]),
            ("ttyS0\n", &["/dev/console"]),
            ("tty0 ttyS0 hvc0\n", &["/dev/console", "/dev/tty0", "/dev/ttyS0"]),
        ] {
            let expected: Vec<PathBuf> = expected.iter().map(PathBuf::from).collect();
            assert_eq!(targets(active), expected);
        }
    }

    #[test]
    fn a_line_that_nobody_reads_is_given_up() {
        let dir = tempfile::tempdir().unwrap();
        let line = dir.path().join("line");
        nix::unistd::mkfifo(&line, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let reader = OpenOptions::new()
            .read(true)
            .custom_flags(OFlag::O_NONBLOCK.bits())
            .open(&line)
            .unwrap();
        let error = write(&line, &vec![b'x'; 1 << 20]).unwrap_err();
        assert_eq!(error.to_string(), "nobody takes what is written");
        drop(reader);
        write(&dir.path().join("none"), b"x").unwrap();
    }
}
