//! The wait for drives, for as long as there is evidence that one is coming: [`coming`]
//! looks, [`rule`] decides, and what is here waits, for udev's events and for a key.

mod coming;
mod controllers;
mod rule;

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use udev::MonitorSocket;

use super::machine::Machine;
use crate::sys::cmdline::Cmdline;
use crate::sys::files::Root;
use crate::sys::keys::Keys;
use coming::{Lookout, Seen};
use rule::{Circumstances, Next};

/// Between two lines of the countdown.
const COUNT: Duration = Duration::from_secs(1);

pub(super) struct Waiting<'a> {
    root: &'a Root,
    here: Circumstances,
    begun: Instant,
    lookout: Lookout,
    /// Since when nothing was coming any more.
    quiet: Option<Instant>,
    /// What people were told is coming.
    told: Option<String>,
    /// Open as long as a key may end the wait; `None` where nobody can type.
    keys: Option<Keys>,
    lingers: bool,
    /// Whether drivers were asked for.
    has_hurried: bool,
}

impl<'a> Waiting<'a> {
    pub(super) fn begin(machine: &'a Machine) -> Self {
        let root = &machine.root;
        let here = Circumstances {
            forced: forced(&machine.cmdline),
            is_virtual: machine.virtualization().is_some(),
            has_usb: coming::has_usb(root),
            is_arm: cfg!(target_arch = "aarch64"),
        };
        log::debug!("waiting for drives: {here:?}");
        Self {
            root,
            here,
            begun: Instant::now(),
            lookout: Lookout::default(),
            quiet: None,
            told: None,
            keys: None,
            lingers: false,
            has_hurried: false,
        }
    }

    /// Waits for an event of udev; false when there is nothing more to wait for.
    pub(super) fn for_event(&mut self, monitor: &MonitorSocket) -> Result<bool> {
        if !std::mem::replace(&mut self.has_hurried, true) {
            controllers::load_drivers(self.root);
        }
        loop {
            let limit = match self.next() {
                Next::Over => return Ok(false),
                Next::Look => rule::LOOK,
                Next::Linger(left) => {
                    self.count_down(left);
                    // The next look may show that something is coming after all.
                    left.min(COUNT)
                }
            };
            if self.pause(monitor, limit)? {
                // What it is about may be looked at by more than one worker of udev's.
                self.quiet = None;
                return Ok(true);
            }
            if self.keys.as_mut().is_some_and(Keys::pressed) {
                log::info!("a key was pressed: no longer waiting for drives");
                return Ok(false);
            }
        }
    }

    fn next(&mut self) -> Next {
        // Where a time is forced, nothing is looked at.
        let seen =
            if self.here.forced.is_some() { Seen::Nothing } else { self.lookout.look(self.root) };
        match &seen {
            Seen::Nothing => {
                self.quiet.get_or_insert_with(Instant::now);
            }
            Seen::More(what) | Seen::Unknown(what) => {
                self.quiet = None;
                if self.told.as_ref() != Some(what) {
                    log::debug!("{what}");
                    self.told = Some(what.clone());
                }
            }
        }
        let quiet = self.quiet.map(|since| since.elapsed());
        let next = rule::next(self.here, &seen, self.begun.elapsed(), quiet);
        if let (Next::Over, Seen::More(what)) = (next, &seen) {
            log::warn!("no longer waiting for what never came: {what}");
        }
        next
    }

    /// Told each second, where somebody could be sitting who knows better.
    fn count_down(&mut self, left: Duration) {
        let seconds = left.as_secs_f32().ceil();
        if !self.lingers {
            self.lingers = true;
            log::info!("no configuration yet: waiting {seconds:.0} s more for drives");
            self.keys = Keys::listen().inspect_err(|e| log::debug!("no keys: {e:#}")).ok();
        }
        if let Some(keys) = &mut self.keys {
            keys.show(&format!("Waiting {seconds:.0} s for drives; any key goes on."));
        }
    }

    /// Whether there was an event of udev within this time.
    fn pause(&self, monitor: &MonitorSocket, limit: Duration) -> Result<bool> {
        // Rounded up, or the last millisecond would be spent going round.
        let limit = PollTimeout::try_from(limit + Duration::from_millis(1));
        let mut fds = vec![PollFd::new(monitor.as_fd(), PollFlags::POLLIN)];
        fds.extend(self.keys.iter().map(|keys| PollFd::new(keys.fd(), PollFlags::POLLIN)));
        match poll(&mut fds, limit.unwrap_or(PollTimeout::MAX)) {
            Ok(_) => Ok(fds[0].revents().is_some_and(|it| it.contains(PollFlags::POLLIN))),
            Err(Errno::EINTR) => Ok(false),
            Err(e) => Err(e).context("cannot wait for udev"),
        }
    }
}

/// `firstboot.wait=SECONDS`.
fn forced(cmdline: &Cmdline) -> Option<Duration> {
    let value = cmdline.value("firstboot.wait")?;
    value
        .parse()
        .map(Duration::from_secs)
        .inspect_err(|e| {
            log::warn!(
                "firstboot.wait={value} on the kernel command line is no number of seconds \
                 ({e}): waiting as long as there is a reason to"
            );
        })
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_sets_the_wait_and_a_typing_mistake_does_not() {
        for (line, seconds) in [
            ("quiet", None),
            ("firstboot.wait=0", Some(0)),
            ("firstboot.wait=15 firstboot.wait=25", Some(25)),
            ("firstboot.wait=long", None),
            ("firstboot.wait=-1", None),
        ] {
            let expected = seconds.map(Duration::from_secs);
            assert_eq!(forced(&Cmdline::parse(line)), expected, "{line}");
        }
    }
}
