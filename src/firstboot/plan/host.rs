//! The host's names.

use anyhow::Result;

use super::Planner;
use crate::firstboot::configuration::Host;

pub(super) fn plan(planner: &mut Planner, host: &Host) -> Result<()> {
    if let Some(name) = &host.hostname {
        planner.view.write_text("/etc/hostname", format!("{}\n", name.value), 0o644)?;
    }
    Ok(())
}
