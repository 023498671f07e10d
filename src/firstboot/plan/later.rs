//! What runs in the started system is written down in it.

use anyhow::{Context, Result};

use super::{Content, NewFile, Planner, root};
use crate::firstboot::configuration::Configuration;

/// Where the units that run it look for it.
pub(super) const FILE: &str = "/etc/health-checker/firstboot/later.json";

pub(super) fn plan(planner: &mut Planner, configuration: &Configuration) -> Result<()> {
    let later = &configuration.later;
    if later.is_empty() {
        // An older instance's commands must not run for this one.
        return planner.view.remove(FILE);
    }
    let mut bytes = serde_json::to_vec_pretty(later).context("what runs later")?;
    bytes.push(b'\n');
    let content = Content::Bytes(bytes);
    // Scripts carry passwords and tokens.
    planner.view.write(FILE, NewFile { content, mode: 0o600, owner: root(), secret: true })
}
