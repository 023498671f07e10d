//! How this machine starts: its loader, and what kind of start this was.

pub mod grub;

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use crate::record::handoff;
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

/// The loader, from what it leaves on the disk and in the firmware.
pub fn loader(root: &Root) -> Loader {
    // Set by every loader of the Boot Loader Interface.
    const LOADER_INFO: &str =
        "/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
    const GRUB: [&str; 2] = ["/boot/grub2/grub.cfg", "/boot/grub/grub.cfg"];
    if root.join(LOADER_INFO).exists() {
        Loader::Bls
    } else if GRUB.iter().any(|path| root.join(path).exists()) {
        Loader::Grub
    } else {
        Loader::None
    }
}

/// Notes which subvolume is the default of the file system that is mounted at
/// `system`, before anything can change it: in the initrd, or, where that did
/// not, early in the boot.
///
/// # Errors
/// It is not on btrfs, or /run cannot be written.
pub fn note_default(root: &Root, system: &Path) -> Result<()> {
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
    let path = Path::new("/proc/sys/kernel/bootloader_type");
    match files::read_text(path) {
        Ok(Some(text)) if is_kexec(&text) => Start::Kexec,
        _ => Start::Cold,
    }
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
    fn kexec_is_told_by_the_loaders_type() {
        for (text, kexec) in [("208\n", true), ("114\n", false), ("", false), ("0", false)] {
            assert_eq!(is_kexec(text), kexec, "{text:?}");
        }
    }
}
