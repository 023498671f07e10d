//! Where a configuration may come from: one file a source.
//!
//! A source that is not there is no error, one that is there but broken is:
//! somebody meant this machine to be configured.

mod coming;
pub mod directory;
pub mod drive;
pub mod fw_cfg;
mod wait;
mod waiting;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::copy;
use crate::sys::cmdline::Cmdline;
use crate::sys::files::Root;

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

/// All sources, in the order in which they are asked: what the image brings, then the
/// hypervisor, then drives, which may have to be waited for.
pub fn all(root: &Root, sysroot: &Path, cmdline: &Cmdline) -> Vec<Box<dyn Datasource>> {
    vec![
        Box::new(directory::Directory { sysroot: sysroot.to_owned() }),
        Box::new(fw_cfg::FwCfg { root: root.clone() }),
        Box::new(drive::Drives { root: root.clone(), forced: forced(cmdline) }),
    ]
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

/// Copies `combustion` from a directory or a mounted drive; `None` if it is not there.
fn take(dir: &Path, into: &Path) -> Result<Option<String>> {
    let from = dir.join("combustion");
    if !from.try_exists().context("cannot look for the directory \"combustion\"")? {
        return Ok(None);
    }
    ensure!(from.is_dir(), "\"combustion\" is there, but it is no directory");
    ensure!(
        from.join("script").try_exists().context("cannot look for combustion/script")?,
        "the directory \"combustion\" has no file \"script\" in it"
    );
    copy::copy(&from, into).map(Some)
}

#[cfg(test)]
mod tests {
    use std::fs;

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

    #[test]
    fn what_is_on_a_drive() {
        let dir = tempfile::tempdir().unwrap();
        let (drive, into) = (dir.path().join("drive"), dir.path().join("into"));
        fs::create_dir_all(&drive).unwrap();
        assert_eq!(take(&drive, &into).unwrap(), None);
        fs::create_dir(drive.join("combustion")).unwrap();
        let error = take(&drive, &into).unwrap_err().to_string();
        assert_eq!(error, "the directory \"combustion\" has no file \"script\" in it");
        fs::write(drive.join("combustion/script"), "#!/bin/sh\n").unwrap();
        assert_eq!(take(&drive, &into).unwrap().unwrap().len(), 64);
        assert!(into.join("script").exists());
        fs::remove_dir_all(drive.join("combustion")).unwrap();
        fs::write(drive.join("combustion"), "").unwrap();
        assert!(take(&drive, &into).unwrap_err().to_string().contains("no directory"));
    }
}
