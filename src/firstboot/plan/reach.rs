//! Where a plan writes to: what is to be kept before it is carried out.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::{Change, Plan};
use crate::snapshot::outside::Reach;
use crate::sys::tree::Tree;

impl Plan {
    /// Where it writes to in the system that the tree is. Programs write anywhere, and so does
    /// what is done to disks: they are mounted.
    ///
    /// # Errors
    /// A path cannot be looked at.
    pub fn reach(&self, tree: &Tree) -> Result<Reach> {
        if !self.runs.is_empty() || !self.disks.is_empty() {
            return Ok(Reach::Anywhere);
        }
        let mut devices = BTreeSet::new();
        for change in self.base.iter().chain(&self.deferred) {
            devices.extend(tree.devices(change.path())?);
        }
        Ok(Reach::Only { root: PathBuf::from(tree.dir()), devices })
    }
}

impl Change {
    /// What it changes.
    fn path(&self) -> &Path {
        match self {
            Self::Directory { path, .. }
            | Self::File { path, .. }
            | Self::Append { path, .. }
            | Self::Link { path, .. }
            | Self::Remove { path } => path,
            Self::RandomPassword { .. } => Path::new("/etc/shadow"),
        }
    }
}
