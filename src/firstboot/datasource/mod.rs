//! Where a configuration may come from: one file a source.
//!
//! A source that is not there is no error, one that is there but broken is:
//! somebody meant this machine to be configured.

pub mod drive;

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::sys::cmdline::Cmdline;

/// A place that may hold a configuration.
pub trait Datasource {
    /// Copies the configuration to `into`; `None` if there is none.
    ///
    /// # Errors
    /// There is one, and it cannot be had.
    fn fetch(&self, into: &Path) -> Result<Option<Fetched>>;
}

/// What was copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Where it came from, in words.
    pub source: String,
    /// SHA-256 of it, in hexadecimal.
    pub sha256: String,
}

/// How long to wait for drives, unless the kernel command line says otherwise.
const WAIT: Duration = Duration::from_secs(10);

/// All sources, in the order in which they are asked.
pub fn all(cmdline: &Cmdline) -> Vec<Box<dyn Datasource>> {
    vec![Box::new(drive::Drives { wait: wait(cmdline) })]
}

/// `firstboot.wait=SECONDS`.
fn wait(cmdline: &Cmdline) -> Duration {
    let Some(value) = cmdline.value("firstboot.wait") else { return WAIT };
    match value.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(e) => {
            log::warn!(
                "firstboot.wait={value} on the kernel command line is no number of seconds \
                 ({e}): waiting {} s",
                WAIT.as_secs()
            );
            WAIT
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_sets_the_wait_and_a_typing_mistake_does_not() {
        for (line, seconds) in [
            ("quiet", 10),
            ("firstboot.wait=0", 0),
            ("firstboot.wait=15 firstboot.wait=25", 25),
            ("firstboot.wait=long", 10),
            ("firstboot.wait=-1", 10),
        ] {
            assert_eq!(wait(&Cmdline::parse(line)), Duration::from_secs(seconds), "{line}");
        }
    }
}
