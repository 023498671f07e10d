//! A configuration as its source offers it: a directory, for as long as it is open.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::sys::mount::Mounted;

/// In the initrd everything is memory; this is where Combustion's scripts expect it.
const MEMORY: &str = "/dev/shm";

/// A configuration that can be had.
#[derive(Debug)]
pub struct Offer {
    /// Where it comes from, in words.
    pub source: String,
    /// Its root: what a drive's would be, with `combustion/script` in it.
    pub dir: PathBuf,
    holder: Holder,
}

/// What keeps the directory there.
#[derive(Debug)]
enum Holder {
    Nothing,
    Mount(Mounted),
    Files(TempDir),
}

impl Offer {
    /// A directory that is there anyway.
    pub fn at(source: impl Into<String>, dir: PathBuf) -> Self {
        Self { source: source.into(), dir, holder: Holder::Nothing }
    }

    /// A drive, mounted.
    pub fn mounted(source: String, mounted: Mounted) -> Self {
        Self { source, dir: mounted.path().to_owned(), holder: Holder::Mount(mounted) }
    }

    /// A script and nothing else, as channels for one value carry it; `beside` are files
    /// next to its directory.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn script(source: String, script: &[u8], beside: &[(&str, Vec<u8>)]) -> Result<Self> {
        let write = || -> Result<TempDir> {
            let dir = tempfile::Builder::new()
                .prefix("health-checker-")
                .tempdir_in(MEMORY)
                .or_else(|_| tempfile::tempdir())?;
            fs::create_dir(dir.path().join("combustion"))?;
            fs::write(dir.path().join("combustion/script"), script)?;
            for (name, bytes) in beside {
                fs::write(dir.path().join(name), bytes)?;
            }
            Ok(dir)
        };
        let files = write().context("cannot keep the script in memory")?;
        Ok(Self { source, dir: files.path().to_owned(), holder: Holder::Files(files) })
    }

    /// Lets the source go: nothing of it is read any more.
    ///
    /// # Errors
    /// It could not be unmounted, or what was kept of it not be removed.
    pub fn close(self) -> Result<()> {
        match self.holder {
            Holder::Nothing => Ok(()),
            Holder::Mount(mounted) => mounted.unmount(),
            Holder::Files(files) => files.close().context("cannot remove what was fetched"),
        }
        .context(self.source)
    }
}
