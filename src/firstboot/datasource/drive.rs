//! Labelled file systems: a USB stick, a CD, a virtual disk.
//!
//! The labels are Combustion's; a directory `combustion` with a `script` in it
//! is a configuration. A labelled file system without that directory is passed
//! over: the labels are common words.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use nix::mount::MsFlags;
use udev::{Device, Enumerator, EventType, MonitorBuilder};

use super::waiting::Waiting;
use super::{Datasource, Fetched, take};
use crate::sys::files::Root;
use crate::sys::mount::Mounted;

/// The labels, in order of preference.
const LABELS: [&str; 6] =
    ["combustion", "COMBUSTION", "ignition", "IGNITION", "install", "INSTALL"];
const MOUNT_POINT: &str = "/run/health-checker/drive";

/// All labelled drives that are there, or come.
#[derive(Clone, Debug)]
pub struct Drives {
    /// Where /sys and /run are.
    pub root: Root,
    /// Wait so long for one, whatever there is to be seen.
    pub forced: Option<Duration>,
}

/// A labelled file system.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Drive {
    /// The label's place among [`LABELS`]: sorts first.
    rank: usize,
    node: PathBuf,
    fstype: String,
}

impl Datasource for Drives {
    fn fetch(&self, into: &Path) -> Result<Option<Fetched>> {
        // Listening begins before looking: what comes in between is not missed.
        let monitor = MonitorBuilder::new()
            .and_then(|builder| builder.match_subsystem("block"))
            .and_then(MonitorBuilder::listen)
            .context("cannot listen to udev")?;
        let mut waiting = Waiting::begin(&self.root, self.forced);
        let mut passed_over = Vec::new();
        let mut drives = present()?;
        loop {
            drives.sort();
            for drive in drives.drain(..) {
                if passed_over.contains(&drive) {
                    continue;
                }
                if let Some(found) = drive.fetch(into)? {
                    return Ok(Some(found));
                }
                passed_over.push(drive);
            }
            let goes_on = waiting.for_event(&monitor)?;
            let changed = monitor
                .iter()
                .filter(|event| matches!(event.event_type(), EventType::Add | EventType::Change));
            drives.extend(changed.filter_map(|event| of_device(&event.device())));
            // The last of them may have come with the end of the wait.
            if !goes_on && drives.is_empty() {
                return Ok(None);
            }
        }
    }
}

/// The labelled file systems that udev has seen already.
fn present() -> Result<Vec<Drive>> {
    let list = || -> io::Result<Vec<Drive>> {
        let mut enumerator = Enumerator::new()?;
        enumerator.match_subsystem("block")?;
        enumerator.match_is_initialized()?;
        Ok(enumerator.scan_devices()?.filter_map(|device| of_device(&device)).collect())
    };
    list().context("cannot list block devices")
}

fn of_device(device: &Device) -> Option<Drive> {
    let label = device.property_value("ID_FS_LABEL")?;
    // Swap space and encrypted volumes have labels, too.
    if device.property_value("ID_FS_USAGE")? != "filesystem" {
        return None;
    }
    let rank = LABELS.iter().position(|known| label == *known)?;
    let fstype = device.property_value("ID_FS_TYPE")?.to_str()?.to_owned();
    Some(Drive { rank, node: device.devnode()?.to_owned(), fstype })
}

impl Drive {
    fn name(&self) -> String {
        let label = LABELS.get(self.rank).copied().unwrap_or_default();
        format!("{} (label {label}, {})", self.node.display(), self.fstype)
    }

    /// Copies the drive's configuration; `None` if it has none.
    fn fetch(&self, into: &Path) -> Result<Option<Fetched>> {
        let source = self.name();
        // Nothing on it is run or opened as a device: it may be anybody's.
        let flags =
            MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
        let mounted = Mounted::new(&self.node, Path::new(MOUNT_POINT), &self.fstype, flags, "")
            .with_context(|| {
                format!("the drive {source} cannot be read: is its file system damaged?")
            })?;
        let result = take(mounted.path(), into).with_context(|| source.clone());
        mounted.unmount().with_context(|| source.clone())?;
        let Some(sha256) = result? else {
            log::warn!("{source} is passed over: there is no directory \"combustion\" on it");
            return Ok(None);
        };
        Ok(Some(Fetched { source, sha256 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preferred_labels_come_first() {
        let drive = |rank, node: &str| Drive { rank, node: node.into(), fstype: "vfat".into() };
        let mut drives = [drive(4, "/dev/sda1"), drive(0, "/dev/sdc"), drive(0, "/dev/sdb")];
        drives.sort();
        assert_eq!(
            drives.map(|d| d.name()),
            [
                "/dev/sdb (label combustion, vfat)",
                "/dev/sdc (label combustion, vfat)",
                "/dev/sda1 (label install, vfat)"
            ]
        );
    }
}
