//! The count of automatic reboots where the disk is out of reach: a variable of our own
//! in the firmware, where there is one that keeps such (UEFI).
//!
//! Each automatic reboot is counted here too, so that the bound on them holds whichever
//! of the two counts can be read. Unset most of the time: a firmware's memory wears.

use anyhow::{Context, Result};

use super::efivars::{self, Variable};
use crate::sys::files::Root;

/// Four bytes, little-endian.
const REBOOTS: Variable =
    Variable::new("HealthCheckerReboots", "7f2a6a0e-5d0b-4f6c-9d1c-3c1f0b8a52e4");

/// The automatic reboots since the last healthy verdict; `None` where the firmware
/// keeps nothing.
///
/// # Errors
/// The count is there but cannot be read.
pub fn reboots(root: &Root) -> Result<Option<u32>> {
    if !efivars::are_there(root) {
        return Ok(None);
    }
    let Some(value) = REBOOTS.value(root)? else { return Ok(Some(0)) };
    let count = <[u8; 4]>::try_from(value.as_slice());
    let count = count.ok().with_context(|| format!("the firmware's count is {value:?}"))?;
    Ok(Some(u32::from_le_bytes(count)))
}

/// Counts them, durably. None is as it was before the first.
///
/// # Errors
/// The firmware may not have taken it.
pub fn count(root: &Root, reboots: u32) -> Result<()> {
    if reboots > 0 {
        REBOOTS.set(root, &reboots.to_le_bytes())
    } else if REBOOTS.is_set(root) {
        REBOOTS.remove(root)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::files;

    const DIR: &str = "/sys/firmware/efi/efivars";

    #[test]
    fn a_firmware_without_variables_counts_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::new(dir.path());
        assert_eq!(reboots(&root).unwrap(), None);
        // As sysfs has it where nothing is mounted.
        std::fs::create_dir_all(root.join(DIR)).unwrap();
        assert_eq!(reboots(&root).unwrap(), None);
    }

    #[test]
    fn what_is_no_count_is_no_zero() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::new(dir.path());
        let own = "HealthCheckerReboots-7f2a6a0e-5d0b-4f6c-9d1c-3c1f0b8a52e4";
        for (bytes, count) in [
            (&b"\x07\0\0\0\x02\0\0\0"[..], Some(2)),
            (b"\x07\0\0\0\x02", None),
            (b"\x07\0\0\0", None),
            (b"\x07", None),
        ] {
            files::replace(&root.join(DIR).join(own), bytes, 0o644).unwrap();
            assert_eq!(reboots(&root).ok().flatten(), count, "{bytes:?}");
        }
    }
}
