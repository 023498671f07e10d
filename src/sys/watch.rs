//! Waiting for what happens to files and processes, with a time limit, and
//! without a word to any service: inotify(7) and `pidfd_open(2)`.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};
use nix::time::{ClockId, clock_gettime};
use rustix::process::{PidfdFlags, pidfd_open};

/// A process, and no other that later gets its number.
#[derive(Debug)]
pub struct Process(OwnedFd);

impl Process {
    /// The process with this number; `None` if there is none.
    ///
    /// # Errors
    /// As `pidfd_open(2)`.
    pub fn find(id: i32) -> Result<Option<Self>> {
        let Some(pid) = rustix::process::Pid::from_raw(id) else { return Ok(None) };
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(fd) => Ok(Some(Self(fd))),
            Err(rustix::io::Errno::SRCH) => Ok(None),
            Err(e) => Err(e).with_context(|| format!("process {id}")),
        }
    }

    /// Whether it has ended. One that nobody has waited for has.
    pub fn has_ended(&self) -> bool {
        let mut fds = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
        poll(&mut fds, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
    }
}

/// Directories and files under watch.
#[derive(Debug)]
pub struct Watch {
    inotify: Inotify,
    known: BTreeSet<WatchDescriptor>,
}

impl Watch {
    /// Watches nothing yet.
    ///
    /// # Errors
    /// As `inotify_init1(2)`.
    pub fn new() -> Result<Self> {
        let flags = InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK;
        let inotify = Inotify::init(flags).context("inotify")?;
        Ok(Self { inotify, known: BTreeSet::new() })
    }

    /// Watches this too: what a directory lists, what a file holds. Returns
    /// whether it was not watched before; `false` also where it is not there.
    ///
    /// # Errors
    /// As `inotify_add_watch(2)`.
    pub fn add(&mut self, path: &Path) -> Result<bool> {
        let flags = AddWatchFlags::IN_CREATE
            | AddWatchFlags::IN_MOVE
            | AddWatchFlags::IN_DELETE
            | AddWatchFlags::IN_MODIFY
            | AddWatchFlags::IN_DELETE_SELF;
        match self.inotify.add_watch(path, flags) {
            Ok(watch) => Ok(self.known.insert(watch)),
            Err(Errno::ENOENT | Errno::ENOTDIR) => Ok(false),
            Err(e) => Err(e).with_context(|| path.display().to_string()),
        }
    }

    /// Until something of it changes, one of `processes` ends, or the time is over.
    ///
    /// # Errors
    /// As `poll(2)` and `read(2)`.
    pub fn wait(&self, processes: &[&Process], limit: Duration) -> Result<()> {
        let mut fds = vec![PollFd::new(self.inotify.as_fd(), PollFlags::POLLIN)];
        fds.extend(processes.iter().map(|it| PollFd::new(it.0.as_fd(), PollFlags::POLLIN)));
        // Rounded up: what is a moment too early would be asked again and again.
        let limit = limit.saturating_add(Duration::from_millis(1));
        let limit = PollTimeout::try_from(limit).unwrap_or(PollTimeout::MAX);
        match poll(&mut fds, limit) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(e) => return Err(e).context("poll"),
        }
        loop {
            match self.inotify.read_events() {
                Ok(_) => {}
                Err(Errno::EAGAIN) => return Ok(()),
                Err(e) => return Err(e).context("inotify"),
            }
        }
    }
}

/// The monotonic clock, in which systemd dates what happens to units.
///
/// # Errors
/// As `clock_gettime(2)`.
pub fn monotonic() -> Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_MONOTONIC).context("the monotonic clock")?.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    const LONG: Duration = Duration::from_secs(30);

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a process to watch, which is killed")]
    fn a_file_that_comes_and_a_process_that_ends_end_the_wait() {
        let dir = tempfile::tempdir().unwrap();
        let mut watch = Watch::new().unwrap();
        assert!(!watch.add(&dir.path().join("none")).unwrap());
        assert!(watch.add(dir.path()).unwrap());
        assert!(!watch.add(dir.path()).unwrap());
        let started = Instant::now();
        watch.wait(&[], Duration::from_millis(20)).unwrap();
        assert!(started.elapsed() >= Duration::from_millis(20));

        std::fs::write(dir.path().join("ask.1"), "").unwrap();
        watch.wait(&[], LONG).unwrap();

        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let process = Process::find(child.id().try_into().unwrap()).unwrap().unwrap();
        assert!(!process.has_ended());
        child.kill().unwrap();
        watch.wait(&[&process], LONG).unwrap();
        // Nobody has waited for it yet: its number is still taken.
        assert!(process.has_ended());
        child.wait().unwrap();
        assert!(started.elapsed() < LONG);
    }
}
