//! The partitions that the loader reads: the EFI system partition and, beside it, the
//! extended boot partition (UAPI.1, "The Partitions"). Where the system has them
//! mounted they are used there; the initrd mounts them itself.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use nix::mount::MsFlags;
use udev::Enumerator;

use super::ENTRIES;
use crate::boot::efivars::Variable;
use crate::sys::files::Root;
use crate::sys::mount::Mounted;

/// Where systems mount them.
const MOUNTED: [&str; 3] = ["/efi", "/boot/efi", "/boot"];
/// Where they are mounted here.
const HERE: &str = "/run/health-checker/boot";
/// Their types in a partition table (UAPI.2).
const ESP: &str = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";
const XBOOTLDR: &str = "bc13c2ff-59e6-4262-a352-b275fd6f7172";

/// One of them.
#[derive(Debug)]
pub struct Partition {
    dir: PathBuf,
    mounted: Option<Mounted>,
}

impl Partition {
    /// Its root directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn close(self) -> Result<()> {
        self.mounted.map_or(Ok(()), Mounted::unmount)
    }
}

/// Those that have entries.
///
/// # Errors
/// There are none.
pub(super) fn open(root: &Root, writable: bool) -> Result<Vec<Partition>> {
    let has_entries = |dir: &PathBuf| dir.join(ENTRIES).is_dir();
    let mounted = MOUNTED.iter().map(|path| root.join(path)).filter(has_entries);
    let mut found: Vec<_> = mounted.map(|dir| Partition { dir, mounted: None }).collect();
    if found.is_empty() && root.is_live() {
        for (number, device) in devices(root)?.into_iter().enumerate() {
            match mount(&device, &Path::new(HERE).join(number.to_string()), writable) {
                Ok(it) if has_entries(&it.dir) => found.push(it),
                Ok(_) => {}
                Err(e) => log::warn!("{e:#}"),
            }
        }
    }
    ensure!(!found.is_empty(), "no boot partition with {ENTRIES} is there");
    Ok(found)
}

fn mount(device: &Path, at: &Path, writable: bool) -> Result<Partition> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    let flags = if writable { flags } else { flags | MsFlags::MS_RDONLY };
    let mounted = Mounted::new(device, at, "vfat", flags, "")?;
    Ok(Partition { dir: at.to_owned(), mounted: Some(mounted) })
}

/// The partitions by their types, on the disk that the loader itself came from, where
/// it says so: another disk may have another system's.
fn devices(root: &Root) -> Result<Vec<PathBuf>> {
    let own = Variable::of_loader("LoaderDevicePartUUID").text(root)?.map(|it| it.to_lowercase());
    let mut all = Vec::new();
    for kind in [ESP, XBOOTLDR] {
        let mut search = Enumerator::new()?;
        search.match_subsystem("block")?;
        search.match_property("ID_PART_ENTRY_TYPE", kind)?;
        for device in search.scan_devices()? {
            let value = |key: &str| device.property_value(key)?.to_str().map(str::to_owned);
            let node = device.devnode().context("a partition without a node")?.to_owned();
            all.push((node, value("ID_PART_ENTRY_UUID"), value("ID_PART_ENTRY_DISK")));
        }
    }
    let disk = all.iter().find(|(_, uuid, _)| own.is_some() && *uuid == own);
    let disk = disk.map(|(.., disk)| disk.clone());
    let on_it = all.iter().filter(|(.., it)| disk.as_ref().is_none_or(|disk| it == disk));
    Ok(on_it.map(|(node, ..)| node.clone()).collect())
}
