//! sdbootutil, which keeps the entries on systems of openSUSE's kind: told of a new
//! default, so that what it makes from now on is made from that. Never relied upon:
//! it is part of what an update may break.

use std::process::Command;
use std::time::Duration;

use super::{Loader, loader};
use crate::sys::command;
use crate::sys::files::Root;

const PROGRAM: &str = "/usr/bin/sdbootutil";
/// It may have to predict TPM measurements anew.
const LIMIT: Duration = Duration::from_secs(30);

/// Tells it, where it is there and the loader goes by its entries.
pub fn set_default(root: &Root, snapshot: u32) {
    if !root.is_live() || loader(root) != Loader::Bls || !root.join(PROGRAM).exists() {
        return;
    }
    let number = snapshot.to_string();
    match command::run(Command::new(PROGRAM).args(["set-default-snapshot", &number]), LIMIT) {
        Ok(output) if output.success() => {}
        Ok(output) => log::warn!(
            "sdbootutil does not make snapshot {number} the default: {}: {}",
            output.end,
            output.last_line()
        ),
        Err(e) => log::warn!("sdbootutil cannot be run: {e}"),
    }
}
