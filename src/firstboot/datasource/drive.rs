//! Labelled file systems: a USB stick, a CD, a virtual disk.
//!
//! The labels are Combustion's; a directory `combustion` with a `script` in it
//! is a configuration. A labelled file system without that directory is passed
//! over: the labels are common words.

use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::errno::Errno;
use nix::mount::MsFlags;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use udev::{Device, Enumerator, EventType, MonitorBuilder, MonitorSocket};

use super::{Datasource, Fetched};
use crate::firstboot::copy;
use crate::sys::mount::Mounted;

/// The labels, in order of preference.
const LABELS: [&str; 6] =
    ["combustion", "COMBUSTION", "ignition", "IGNITION", "install", "INSTALL"];
const MOUNT_POINT: &str = "/run/health-checker/drive";

/// All labelled drives that are there, or come within a time.
#[derive(Clone, Debug)]
pub struct Drives {
    /// How long to wait for one.
    pub wait: Duration,
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
        let deadline = Instant::now() + self.wait;
        // Listening begins before looking: what comes in between is not missed.
        let monitor = MonitorBuilder::new()
            .and_then(|builder| builder.match_subsystem("block"))
            .and_then(MonitorBuilder::listen)
            .context("cannot listen to udev")?;
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
            if !next_event(&monitor, deadline)? {
                return Ok(None);
            }
            let changed = monitor
                .iter()
                .filter(|event| matches!(event.event_type(), EventType::Add | EventType::Change));
            drives.extend(changed.filter_map(|event| of_device(&event.device())));
        }
    }
}

/// Waits for an event of udev; false when the time is over.
fn next_event(monitor: &MonitorSocket, deadline: Instant) -> Result<bool> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        // Rounded up, or the last millisecond would be spent going round.
        let timeout =
            PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX);
        let mut fds = [PollFd::new(monitor.as_fd(), PollFlags::POLLIN)];
        match poll(&mut fds, timeout) {
            Ok(0) if Instant::now() >= deadline => return Ok(false),
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) => return Ok(true),
            Err(e) => return Err(e).context("cannot wait for udev"),
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

/// Copies `combustion` from a mounted drive; `None` if it is not there.
fn take(drive: &Path, into: &Path) -> Result<Option<String>> {
    let from = drive.join("combustion");
    if !from.try_exists().context("cannot look for the directory \"combustion\"")? {
        return Ok(None);
    }
    ensure!(from.is_dir(), "\"combustion\" is there, but it is no directory");
    ensure!(
        from.join("script").try_exists().context("cannot look for combustion/script")?,
        "the directory \"combustion\" has no file \"script\" in it"
    );
    copy::copy(&from, into).map(Some)
}

#[cfg(test)]
mod tests {
    use std::fs;

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

    #[test]
    fn what_is_on_a_drive() {
        let dir = tempfile::tempdir().unwrap();
        let (drive, into) = (dir.path().join("drive"), dir.path().join("into"));
        fs::create_dir_all(&drive).unwrap();
        assert_eq!(take(&drive, &into).unwrap(), None);
        fs::create_dir(drive.join("combustion")).unwrap();
        let error = take(&drive, &into).unwrap_err().to_string();
        assert_eq!(error, "the directory \"combustion\" has no file \"script\" in it");
        fs::write(drive.join("combustion/script"), "#!/bin/sh\n").unwrap();
        assert_eq!(take(&drive, &into).unwrap().unwrap().len(), 64);
        assert!(into.join("script").exists());
        fs::remove_dir_all(drive.join("combustion")).unwrap();
        fs::write(drive.join("combustion"), "").unwrap();
        assert!(take(&drive, &into).unwrap_err().to_string().contains("no directory"));
    }
}
