//! The console and whoever sits at it: a line that changes in its place, and whether a key
//! is pressed.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;

use anyhow::{Context, Result};
use nix::fcntl::OFlag;
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};

const CONSOLE: &str = "/dev/console";

/// The console, which tells of each key until this goes: not only of whole lines.
#[derive(Debug)]
pub struct Keys {
    console: File,
    before: Termios,
}

impl Keys {
    /// Begins to listen.
    ///
    /// # Errors
    /// There is no console, or nobody can type there.
    pub fn listen() -> Result<Self> {
        let flags = (OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits();
        let console = OpenOptions::new().read(true).write(true).custom_flags(flags).open(CONSOLE);
        let console = console.context(CONSOLE)?;
        let before = tcgetattr(&console).context(CONSOLE)?;
        let mut now = before.clone();
        now.local_flags.remove(LocalFlags::ICANON | LocalFlags::ECHO);
        tcsetattr(&console, SetArg::TCSAFLUSH, &now).context(CONSOLE)?;
        Ok(Self { console, before })
    }

    /// Shows a line in the place of the one before. One that nobody takes is lost.
    pub fn show(&mut self, line: &str) {
        self.put(&format!("\r{line}\x1b[K"));
    }

    fn put(&mut self, text: &str) {
        if let Err(e) = self.console.write_all(text.as_bytes()) {
            log::debug!("{CONSOLE}: {e}");
        }
    }

    /// What to wait for.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.console.as_fd()
    }

    /// Whether a key was pressed since the last call. A console that broke has none.
    pub fn pressed(&mut self) -> bool {
        let mut keys = [0; 64];
        match self.console.read(&mut keys) {
            Ok(0) => false,
            Ok(_) => true,
            Err(e) => {
                if e.kind() != ErrorKind::WouldBlock {
                    log::debug!("{CONSOLE}: {e}");
                }
                false
            }
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.put("\r\n");
        if let Err(e) = tcsetattr(&self.console, SetArg::TCSANOW, &self.before) {
            log::debug!("{CONSOLE} is left as it is: {e}");
        }
    }
}
