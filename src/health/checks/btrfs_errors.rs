//! The devices of a btrfs file system count no errors
//! (`btrfs device stats` shows and resets the counters).

use serde::{Deserialize, Serialize};

use super::value::{Absolute, On};
use super::{Check, Context, Finding, Keyed};
use crate::sys::btrfs::{self, DeviceErrors};

/// `{btrfs_errors: /path}`, or `true` for the root file system
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BtrfsErrors {
    btrfs_errors: Place,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Place {
    Root(On),
    Path(Absolute),
}

impl Keyed for BtrfsErrors {
    const KEY: &'static str = "btrfs_errors";
}

impl Check for BtrfsErrors {
    fn required(&self) -> bool {
        false
    }

    fn look(&self, context: &Context) -> Finding {
        let path = match &self.btrfs_errors {
            Place::Root(On) => context.root.dir().to_owned(),
            Place::Path(path) => context.root.join(path.path()),
        };
        match btrfs::is_btrfs(&path) {
            Ok(true) => {}
            Ok(false) => return Finding::absent(format!("{} is not btrfs", path.display())),
            Err(e) => return e.into(),
        }
        match btrfs::device_errors(&path) {
            Ok(devices) => judge(&devices),
            Err(e) => e.into(),
        }
    }
}

fn judge(devices: &[DeviceErrors]) -> Finding {
    let bad: Vec<_> = devices.iter().filter_map(errors).collect();
    if bad.is_empty() {
        Finding::pass(format!("{} device(s) without an error", devices.len()))
    } else {
        Finding::fail(bad.join("; "))
    }
}

fn errors(device: &DeviceErrors) -> Option<String> {
    let counts = [
        ("write", device.write),
        ("read", device.read),
        ("flush", device.flush),
        ("corruption", device.corruption),
        ("generation", device.generation),
    ];
    let counted = counts.iter().filter(|(_, count)| *count > 0);
    let words: Vec<_> = counted.map(|(what, count)| format!("{count} {what}")).collect();
    (!words.is_empty()).then(|| format!("device {}: {} errors", device.device, words.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_error_is_named() {
        let clean = DeviceErrors { device: 1, ..DeviceErrors::default() };
        let bad = DeviceErrors { device: 2, read: 3, corruption: 1, ..DeviceErrors::default() };
        assert_eq!(judge(&[clean]).message, "1 device(s) without an error");
        assert_eq!(judge(&[clean, bad]).message, "device 2: 3 read, 1 corruption errors");
    }
}
