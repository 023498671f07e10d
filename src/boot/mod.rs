//! How this machine starts: its loader, and what kind of start this was.

pub mod bls;
pub mod efivars;
pub mod firmware;
pub mod grub;
pub mod sdbootutil;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use bls::copies::Copies;
use jiff::Timestamp;
use serde::Serialize;

use crate::record::handoff;
use crate::snapshot::mounted;
use crate::sys::cmdline::Cmdline;
use crate::sys::files::{self, Root};
use crate::sys::{btrfs, systemd};

/// Who chooses the snapshot that is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Loader {
    /// GRUB, which follows the default subvolume.
    Grub,
    /// Boot loader specification entries.
    Bls,
    /// None that is known, a container for example.
    None,
}

/// How this boot came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// Through firmware and loader.
    Cold,
    /// From the kernel before; the loader's variables describe an older boot.
    Kexec,
    /// The same kernel with a new user space.
    SoftReboot,
}

/// The loader, from what it leaves in the firmware and on the disk.
///
/// One that goes by entries says which it has started: systemd-boot always, openSUSE's
/// grub2-bls by its `bls_bumpcounter`. That there is a `LoaderInfo` proves nothing: a GRUB
/// with menus of its own sets it too (its module `bli`), and, taken for one with entries,
/// would have its starts counted where another default changes nothing, be told nothing
/// of the last known good snapshot, and never be believed that it fell back.
pub fn loader(root: &Root) -> Loader {
    const GRUB: [&str; 2] = ["/boot/grub2/grub.cfg", "/boot/grub/grub.cfg"];
    if bls::SELECTED.is_set(root) {
        Loader::Bls
    } else if GRUB.iter().any(|path| root.join(path).exists()) {
        Loader::Grub
    } else {
        Loader::None
    }
}

/// Has the loader pass a snapshot over, durably. Only one that goes by entries needs it.
///
/// # Errors
/// It may start that snapshot again.
pub fn count_out(root: &Root, snapshot: u32) -> Result<()> {
    if loader(root) != Loader::Bls {
        return Ok(());
    }
    let entries = bls::Entries::read(root, true)?;
    entries.count_out(root, snapshot)?;
    entries.close()
}

/// Keeps what the loader needs for these snapshots, which are known good. Only one that goes
/// by entries can lose it.
///
/// # Errors
/// For some of them it may be lost.
pub fn keep(root: &Root, snapshots: &Path, kept: &[u32]) -> Result<()> {
    if loader(root) == Loader::Bls { Copies::beside(snapshots).keep(root, kept) } else { Ok(()) }
}

/// Gives the loader back what it has lost of a snapshot that is about to become the default.
/// Where that fails, the default is changed all the same: in the initrd the start can go on
/// into that snapshot without the loader.
pub fn bring_back(root: &Root, snapshots: &Path, snapshot: u32) {
    if loader(root) == Loader::Bls
        && let Err(e) = Copies::beside(snapshots).bring_back(root, snapshot)
    {
        log::error!("the loader cannot start snapshot {snapshot}: {e:#}");
    }
}

/// Whether the initrd went on into another snapshot than the loader's entry names.
pub fn is_in_place_of_entry(root: &Root) -> bool {
    let snapshots = || -> Result<(Option<u32>, Option<u32>)> {
        let named = bls::named_snapshot(&Cmdline::of_this_boot()?);
        Ok((named, mounted::mount_at(root.dir())?.and_then(|it| mounted::number_of(&it))))
    };
    loader(root) == Loader::Bls
        && matches!(snapshots(), Ok((Some(named), Some(mounted))) if named != mounted)
}

/// Notes which subvolume is the default of the file system that is mounted at
/// `system`, before anything can change it: in the initrd, or, where that did
/// not, early in the boot. What is not on btrfs has none.
///
/// # Errors
/// It cannot be asked, or /run cannot be written.
pub fn note_default(root: &Root, system: &Path) -> Result<()> {
    if !btrfs::is_btrfs(system)? {
        return Ok(());
    }
    let default_subvolume = btrfs::default_id(system)?;
    handoff::write(root, handoff::Start::FILE, &handoff::Start { default_subvolume })
}

/// Whether the default of this start is noted.
pub fn is_noted(root: &Root) -> bool {
    root.join(handoff::DIR).join(handoff::Start::FILE).exists()
}

/// How this boot came about, as far as that can be seen.
pub fn start(limit: Duration) -> Start {
    let soft_reboots = systemd::soft_reboots(limit).unwrap_or_else(|e| {
        log::debug!("taken for no soft-reboot: {e:#}");
        0
    });
    if soft_reboots > 0 {
        return Start::SoftReboot;
    }
    if kexec() { Start::Kexec } else { Start::Cold }
}

/// When the kernel of this boot was started, by its clock as it is set now.
///
/// # Errors
/// The kernel does not say.
pub fn started() -> Result<Timestamp> {
    let path = Path::new("/proc/stat");
    files::read_text(path)?.and_then(|text| started_in(&text)).context("/proc/stat has no btime")
}

/// A line `btime SECONDS` (`proc_stat(5)`).
fn started_in(stat: &str) -> Option<Timestamp> {
    let seconds = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
    Timestamp::from_second(seconds.trim().parse().ok()?).ok()
}

/// Whether another kernel started this one: the loader's variables then describe the
/// boot before.
pub fn kexec() -> bool {
    let text = files::read_text(Path::new("/proc/sys/kernel/bootloader_type"));
    matches!(text, Ok(Some(text)) if is_kexec(&text))
}

/// The upper four bits are the loader's type, 0xd is kexec (the kernel's
/// `Documentation/arch/x86/boot.rst`, `type_of_loader`).
fn is_kexec(bootloader_type: &str) -> bool {
    bootloader_type.trim().parse::<u32>().is_ok_and(|number| number >> 4 == 0xd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_says_when_it_was_started() {
        let stat = "cpu 1 2\nctxt 7\nbtime 1767312245\nprocesses 9\n";
        assert_eq!(started_in(stat).unwrap().to_string(), "2026-01-02T00:04:05Z");
        for stat in ["", "btime\n", "btime x\n", "btime 99999999999999999\n"] {
            assert_eq!(started_in(stat), None, "{stat}");
        }
    }

    #[test]
    fn a_loader_that_goes_by_entries_says_which_it_has_started() {
        const SYSTEMD_BOOT: &[&str] = &["LoaderInfo", "LoaderEntries", "LoaderEntrySelected"];
        const GRUB2_BLS: &[&str] = &["LoaderInfo", "LoaderDevicePartUUID", "LoaderEntrySelected"];
        const GRUB_BLI: &[&str] = &["LoaderInfo", "LoaderDevicePartUUID"];
        for (variables, menu, loader) in [
            (SYSTEMD_BOOT, "", Loader::Bls),
            (GRUB2_BLS, "", Loader::Bls),
            // What a GRUB from before the change to entries has left.
            (GRUB2_BLS, "boot/grub2/grub.cfg", Loader::Bls),
            (GRUB_BLI, "boot/grub2/grub.cfg", Loader::Grub),
            (GRUB_BLI, "boot/grub/grub.cfg", Loader::Grub),
            (&[], "boot/grub/grub.cfg", Loader::Grub),
            // In the initrd, where its menu is not to be seen.
            (GRUB_BLI, "", Loader::None),
            (&[], "", Loader::None),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let root = Root::new(dir.path());
            for name in variables {
                let name = format!("{name}-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f");
                let path = root.join("/sys/firmware/efi/efivars").join(name);
                files::replace(&path, b"\x06\0\0\0x\0\0\0", 0o644).unwrap();
            }
            if !menu.is_empty() {
                files::replace(&root.join(menu), b"", 0o644).unwrap();
            }
            assert_eq!(super::loader(&root), loader, "{variables:?} {menu}");
        }
    }

    #[test]
    fn kexec_is_told_by_the_loaders_type() {
        for (text, kexec) in [("208\n", true), ("114\n", false), ("", false), ("0", false)] {
            assert_eq!(is_kexec(text), kexec, "{text:?}");
        }
    }
}
