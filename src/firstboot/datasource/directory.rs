//! A directory in the image: for a system that is delivered with its configuration.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{Datasource, Fetched, take};

/// Below the system's root.
const DIR: &str = "usr/lib/health-checker/firstboot";

/// That directory, of the system that is mounted here.
#[derive(Clone, Debug)]
pub struct Directory {
    /// Where its root is.
    pub sysroot: PathBuf,
}

impl Datasource for Directory {
    fn fetch(&self, into: &Path) -> Result<Option<Fetched>> {
        let dir = self.sysroot.join(DIR);
        let source = format!("/{DIR} in the image");
        let sha256 = take(&dir, into).with_context(|| source.clone())?;
        Ok(sha256.map(|sha256| Fetched { source, sha256 }))
    }
}
