//! The way out of safe mode: `health-checker safe-mode leave`.

use anyhow::{Context, Result};

use super::{DROP_IN, REQUEST, TARGET};
use crate::health::alert;
use crate::health::published::Published;
use crate::sys::files::{self, Root};
use crate::sys::systemd::{self, requests};

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// Services are starting.
    Leaving,
    /// The system is not in safe mode.
    NotThere,
}

/// Starts what safe mode stopped and returns. Not `systemctl default`, which
/// would isolate: it would end what the administrator started meanwhile, a
/// login on another console among it.
///
/// The verdict stays: this boot was not healthy, and `assess --act` is what
/// gives it another.
///
/// # Errors
/// systemd cannot be asked or does not take the request, with safe mode as it
/// was; or the alert is still shown somewhere.
pub fn leave(root: &Root) -> Result<Left> {
    let published = Published::read(root).unwrap_or_else(|e| {
        log::warn!("{e:#}");
        None
    });
    let units = systemd::show("ActiveState", &[TARGET], REQUEST)?;
    // "inactive" while it waits for what is still stopping: then what was published counts.
    let reached =
        units.iter().any(|unit| matches!(unit.get("ActiveState"), Some("active" | "activating")));
    if !reached && !published.as_ref().is_some_and(|it| it.safe_mode) {
        return Ok(Left::NotThere);
    }
    requests::start("default.target", REQUEST).context("still in safe mode")?;
    requests::stop(TARGET, REQUEST)?;
    if let Some(mut published) = published {
        published.safe_mode = false;
        published.write(root)?;
    }
    files::remove(&root.join(DROP_IN))?;
    alert::withdraw(root)?;
    Ok(Left::Leaving)
}
