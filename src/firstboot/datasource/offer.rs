//! A configuration as its source offers it: a directory, for as long as it is open.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::firstboot::copy;
use crate::firstboot::seed::{Overlay, Platform};
use crate::sys::mount::Mounted;

/// In the initrd everything is memory; this is where Combustion's scripts expect it.
const MEMORY: &str = "/dev/shm";

/// What sort of configuration it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// `combustion/script`.
    #[default]
    Combustion,
    /// A seed of cloud-init's.
    Seed(Platform),
}

/// A configuration that can be had.
#[derive(Debug)]
pub struct Offer {
    /// Where it comes from, in words.
    pub source: String,
    /// Its root: what a drive's would be, with `combustion/script` in it.
    pub dir: PathBuf,
    /// What is in it.
    pub format: Format,
    /// Meta-data that was said elsewhere, and wins over what is in a seed.
    pub overlay: Overlay,
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
        Self::new(source.into(), dir, Holder::Nothing)
    }

    /// A drive, mounted.
    pub fn mounted(source: String, mounted: Mounted) -> Self {
        Self::new(source, mounted.path().to_owned(), Holder::Mount(mounted))
    }

    fn new(source: String, dir: PathBuf, holder: Holder) -> Self {
        Self { source, dir, format: Format::Combustion, overlay: Overlay::new(), holder }
    }

    /// The same, as a seed.
    #[must_use]
    pub fn seed(self, platform: Platform, overlay: Overlay) -> Self {
        Self { format: Format::Seed(platform), overlay, ..self }
    }

    /// A script and nothing else, as channels for one value carry it; `beside` are files
    /// next to its directory.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn script(source: String, script: &[u8], beside: &[(&str, Vec<u8>)]) -> Result<Self> {
        let mut files = vec![("combustion/script".to_owned(), script.to_vec())];
        files.extend(beside.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.clone())));
        Self::files(source, &files)
    }

    /// Files that were fetched, by their paths, which must not lead out.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn files(source: String, files: &[(String, Vec<u8>)]) -> Result<Self> {
        let write = || -> Result<TempDir> {
            let dir = in_memory()?;
            for (name, bytes) in files {
                let path = dir.path().join(name);
                fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
                fs::write(path, bytes)?;
            }
            Ok(dir)
        };
        let dir = write().context("cannot keep what was fetched in memory")?;
        Ok(Self::new(source, dir.path().to_owned(), Holder::Files(dir)))
    }

    /// A directory that will not stay: all that is in it is kept in memory.
    ///
    /// # Errors
    /// As [`copy::copy`].
    pub(super) fn copied(source: String, from: &Path) -> Result<Self> {
        let dir = in_memory().context("there is no room in memory")?;
        let to = dir.path().join("copy");
        copy::copy(from, &to).with_context(|| source.clone())?;
        Ok(Self::new(source, to, Holder::Files(dir)))
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

/// A directory for root alone.
fn in_memory() -> Result<TempDir> {
    let dir = tempfile::Builder::new().prefix("health-checker-").tempdir_in(MEMORY);
    Ok(dir.or_else(|_| tempfile::tempdir())?)
}
