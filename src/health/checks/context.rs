//! What a check may use when it looks at the system.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::record::{Baseline, store::Store};
use crate::sys::files::{self, Root};
use crate::sys::mountinfo::{self, FstabEntry, Mount};

/// Handed to every look.
#[derive(Clone, Debug)]
pub struct Context {
    /// The system that is looked at.
    pub root: Root,
    /// How long this look may take.
    pub timeout: Duration,
    baseline: Arc<OnceLock<Baseline>>,
}

impl Context {
    /// For the system below `root`.
    pub fn new(root: &Root) -> Self {
        Self { root: root.clone(), timeout: crate::settings::TIMEOUT, baseline: Arc::default() }
    }

    /// The same with another time limit.
    #[must_use]
    pub fn within(&self, timeout: Duration) -> Self {
        Self { timeout, ..self.clone() }
    }

    /// What was seen at the last healthy boots; empty if nothing is known.
    pub fn baseline(&self) -> &Baseline {
        self.baseline.get_or_init(|| {
            let state = Store::new(&self.root).read();
            state.readable().map(|record| record.baseline.clone()).unwrap_or_default()
        })
    }

    /// What is mounted, in the order in which it was.
    ///
    /// # Errors
    /// It cannot be read: there is no /proc, for example.
    pub fn mounts(&self) -> Result<Vec<Mount>> {
        Ok(mountinfo::parse(&self.text("/proc/self/mountinfo")?))
    }

    /// What shall be mounted; empty where there is no fstab.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn fstab(&self) -> Result<Vec<FstabEntry>> {
        let path = self.root.join("/etc/fstab");
        let text = files::read_text(&path)?.unwrap_or_default();
        mountinfo::parse_fstab(&text).with_context(|| path.display().to_string())
    }

    /// The text of a file of the system that must be there.
    ///
    /// # Errors
    /// It is not, or cannot be read.
    pub fn text(&self, path: &str) -> Result<String> {
        files::read_text(&self.root.join(path))?.with_context(|| format!("there is no {path}"))
    }
}
