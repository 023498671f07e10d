//! What the initrd leaves to the system that it enters: to tell people, since no
//! journal is kept and no network is up before, and to end a start in safe mode.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::health::plan::Alert;
use crate::record::handoff;
use crate::sys::files::Root;

/// Its file; a soft-reboot forgets it.
const FILE: &str = "start-decision.json";

/// What was decided before the root was entered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Why this start was given up: it ends in safe mode, without a check.
    pub given_up: Option<String>,
    /// What people are to be told.
    pub alert: Option<Alert>,
}

impl Told {
    /// Reads it; nothing where the initrd had nothing to tell.
    ///
    /// # Errors
    /// It is there but cannot be read.
    pub fn read(root: &Root) -> Result<Self> {
        Ok(handoff::read(root, FILE)?.unwrap_or_default())
    }

    /// Leaves it.
    ///
    /// # Errors
    /// As [`handoff::write`].
    pub(super) fn write(&self, root: &Root) -> Result<()> {
        handoff::write(root, FILE, self)
    }
}
