//! Labelled file systems: a USB stick, a CD, a virtual disk.
//!
//! The labels are those of Combustion, Ignition and cloud-init; a directory `combustion`
//! with a `script` in it is a configuration, and so is a seed of cloud-init's. A labelled file
//! system without one is passed over: the labels are common words. A config drive is also one
//! without any label, where it is a whole disk (cloud-init's `DataSourceConfigDrive`).

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::mount::MsFlags;
use udev::{Device, Enumerator, EventType, MonitorBuilder, MonitorSocket};

use super::kind::{self, Kind};
use super::{Datasource, Ignored, Offer, Seen, beside_script, claim};
use crate::firstboot::machine::Machine;
use crate::firstboot::wait::Waiting;
use crate::sys::mount::Mounted;

/// The labels, in order of preference; in capitals they are the same.
const LABELS: [&str; 5] = ["combustion", "ignition", "cidata", "config-2", "install"];
/// What a config drive without a label can be.
const UNLABELLED: [&str; 2] = ["vfat", "iso9660"];
const MOUNT_POINT: &str = "/run/health-checker/drive";

/// All labelled drives that are there, or come.
pub(super) struct Drives {
    pub(super) machine: Machine,
}

/// A labelled file system, or a whole disk without a label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Drive {
    /// The label's place among [`LABELS`]: sorts first, and last without one.
    rank: usize,
    node: PathBuf,
    label: Option<String>,
    fstype: String,
    /// A directory with what is on it, instead of the file system.
    content: Option<PathBuf>,
}

impl Datasource for Drives {
    fn name(&self) -> &'static str {
        "drive"
    }

    fn look(&self) -> Result<Vec<Seen>> {
        let mut drives = self.machine.drives()?;
        drives.sort();
        let mut all = Vec::new();
        for drive in drives {
            match drive.look() {
                Ok(seen) if drive.label.is_some() || seen.unusable.is_none() => all.push(seen),
                // The machine would stop at it, unless it has its configuration by then.
                Err(e) if drive.label.is_some() => {
                    if !all.iter().any(|it: &Seen| it.unusable.is_none()) {
                        return Err(e);
                    }
                    all.push(Seen { what: drive.to_string(), unusable: Some(format!("{e:#}")) });
                }
                Ok(_) | Err(_) => {}
            }
        }
        Ok(all)
    }

    fn fetch(&self, ignored: &mut Vec<Ignored>) -> Result<Option<Offer>> {
        if self.machine.is_described() {
            return first(&self.machine, self.machine.drives()?, &mut Vec::new(), ignored);
        }
        // Listening begins before looking: what comes in between is not missed.
        let monitor = MonitorBuilder::new()
            .and_then(|builder| builder.match_subsystem("block"))
            .and_then(MonitorBuilder::listen)
            .context("cannot listen to udev")?;
        let mut waiting = Waiting::begin(&self.machine);
        let mut passed_over = Vec::new();
        let mut drives = self.machine.drives()?;
        loop {
            let new = std::mem::take(&mut drives);
            if let Some(offer) = first(&self.machine, new, &mut passed_over, ignored)? {
                return Ok(Some(offer));
            }
            let goes_on = waiting.for_event(&monitor)?;
            drives = changed(&monitor);
            // The last of them may have come with the end of the wait.
            if !goes_on && drives.is_empty() {
                return Ok(None);
            }
        }
    }
}

/// The first of these that has a configuration, those aside that had none before.
fn first(
    machine: &Machine,
    mut drives: Vec<Drive>,
    passed_over: &mut Vec<Drive>,
    ignored: &mut Vec<Ignored>,
) -> Result<Option<Offer>> {
    drives.sort();
    for drive in drives {
        if passed_over.contains(&drive) {
            continue;
        }
        match drive.open(machine, ignored) {
            Ok(Ok(offer)) => return Ok(Some(offer)),
            Ok(Err(seen)) if drive.label.is_some() => ignored.extend(seen.passed_over()),
            // Nobody has said that it is for this machine.
            Ok(Err(_)) => {}
            Err(e) if drive.label.is_none() => log::info!("{drive} is passed over: {e:#}"),
            Err(e) => return Err(e),
        }
        passed_over.push(drive);
    }
    Ok(None)
}

/// The labelled file systems that udev has seen already.
pub(in crate::firstboot) fn present() -> Result<Vec<Drive>> {
    let list = || -> io::Result<Vec<Drive>> {
        let mut enumerator = Enumerator::new()?;
        enumerator.match_subsystem("block")?;
        enumerator.match_is_initialized()?;
        Ok(enumerator.scan_devices()?.filter_map(|device| of_device(&device)).collect())
    };
    list().context("cannot list block devices")
}

/// What udev has told of since.
fn changed(monitor: &MonitorSocket) -> Vec<Drive> {
    let events = monitor.iter();
    let events =
        events.filter(|event| matches!(event.event_type(), EventType::Add | EventType::Change));
    events.filter_map(|event| of_device(&event.device())).collect()
}

fn of_device(device: &Device) -> Option<Drive> {
    let label = match device.property_value("ID_FS_LABEL") {
        Some(label) => Some(label.to_str()?),
        None => None,
    };
    if label.is_none() && device.devtype()? != "disk" {
        return None;
    }
    // Swap space and encrypted volumes have labels, too.
    if device.property_value("ID_FS_USAGE")? != "filesystem" {
        return None;
    }
    let fstype = device.property_value("ID_FS_TYPE")?.to_str()?.to_owned();
    Drive::new(device.devnode()?.to_owned(), label, fstype, None)
}

impl Drive {
    /// A drive, if its label is one of ours, or it has none and may be a config drive.
    pub(in crate::firstboot) fn new(
        node: PathBuf,
        label: Option<&str>,
        fstype: String,
        content: Option<PathBuf>,
    ) -> Option<Self> {
        let is = |known: &&str, label| label == *known || label == known.to_ascii_uppercase();
        let rank = match label {
            Some(label) => LABELS.iter().position(|known| is(known, label))?,
            None if UNLABELLED.contains(&&*fstype) => LABELS.len(),
            None => return None,
        };
        Some(Self { rank, node, label: label.map(str::to_owned), fstype, content })
    }

    /// Its configuration; the inner error says that it has none.
    fn open(&self, machine: &Machine, ignored: &mut Vec<Ignored>) -> Result<Result<Offer, Seen>> {
        let offer = match &self.content {
            Some(content) => Offer::at(self.to_string(), content.clone()),
            None => Offer::mounted(self.to_string(), self.mount()?),
        };
        let kind = self.kind_in(&offer.dir).with_context(|| offer.source.clone());
        let seen = match kind {
            Ok(Kind::Combustion) => {
                ignored.extend(beside_script(&offer));
                return Ok(Ok(offer));
            }
            Ok(Kind::Seed(platform)) => return claim::seed(machine, offer, platform),
            Ok(Kind::Foreign(what)) => Seen::foreign(self.to_string(), what),
            Ok(Kind::Nothing) => self.without_configuration(),
            Err(e) => {
                offer.close()?;
                return Err(e);
            }
        };
        offer.close()?;
        Ok(Err(seen))
    }

    /// What can be said of it without mounting it: nothing more than that it is there, unless
    /// facts say what is on it.
    fn look(&self) -> Result<Seen> {
        let what = self.to_string();
        let Some(content) = &self.content else {
            // What has no label is most likely nothing of ours.
            let is_ours = self.label.is_some();
            return Ok(if is_ours { Seen::usable(what) } else { self.without_configuration() });
        };
        let look = || -> Result<Seen> {
            Ok(match self.kind_in(content)? {
                Kind::Combustion => Seen::usable(&*what),
                Kind::Seed(platform) => claim::look(&what, content, platform)?,
                Kind::Foreign(kind) => Seen::foreign(&*what, kind),
                Kind::Nothing => self.without_configuration(),
            })
        };
        look().with_context(|| what.clone())
    }

    fn kind_in(&self, dir: &Path) -> Result<Kind> {
        match &self.label {
            Some(_) => kind::of(dir),
            None => Ok(kind::config_drive(dir)),
        }
    }

    fn without_configuration(&self) -> Seen {
        let why = "there is neither a directory \"combustion\" nor a seed on it";
        Seen { what: self.to_string(), unusable: Some(why.to_owned()) }
    }

    fn mount(&self) -> Result<Mounted> {
        // Nothing on it is run or opened as a device: it may be anybody's.
        let flags =
            MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
        Mounted::new(&self.node, Path::new(MOUNT_POINT), &self.fstype, flags, "").with_context(
            || format!("the drive {self} cannot be read: is its file system damaged?"),
        )
    }
}

impl fmt::Display for Drive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (node, label) = (self.node.display(), self.label.as_deref());
        match label {
            Some(label) => write!(f, "{node} (label {label}, {})", self.fstype),
            None => write!(f, "{node} (without a label, {})", self.fstype),
        }
    }
}

#[cfg(test)]
mod tests;
