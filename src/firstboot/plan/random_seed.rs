//! Random bytes that a platform or a configuration brings: before those that
//! systemd-random-seed.service(8) feeds to the kernel at the next start, from this file.

use anyhow::Result;

use super::{Content, NewFile, Planner, root};

const FILE: &str = "/var/lib/systemd/random-seed";

pub(super) fn plan(planner: &mut Planner, seed: &[u8]) -> Result<()> {
    if seed.is_empty() {
        return Ok(());
    }
    let before = planner.view.read(FILE)?.unwrap_or_default();
    let content = Content::Bytes([seed, &before].concat());
    // Whoever knows them could guess keys.
    planner.view.write(FILE, NewFile { content, mode: 0o600, owner: root(), secret: true })
}
