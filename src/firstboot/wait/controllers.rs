//! The controllers that drives hang on, and their drivers.
//!
//! udev loads a driver when it comes to the device, after all those that are queued before it.
//! From its driver on, a USB controller takes some tenths of a second, in which the machine
//! has nothing to do. Asked for as soon as the wait begins, the drivers are there while udev
//! is still at work.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::sys::command;
use crate::sys::files::{self, Root};

/// A driver is there at once, but may look at its hardware before modprobe returns.
const LIMIT: Duration = Duration::from_secs(60);

/// What hangs on them; each has a modprobe of its own, since SATA drives, which start one
/// after the other, would keep those on USB waiting.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Usb,
    Storage,
}

impl Kind {
    /// PCI's classes (PCI Code and ID Assignment Specification): 0c03 of which fe is a device
    /// and no host controller, and 01.
    fn includes(self, class: &str) -> bool {
        match self {
            Self::Usb => class.starts_with("0x0c03") && !class.ends_with("fe"),
            Self::Storage => class.starts_with("0x01"),
        }
    }
}

/// Host controllers of USB, as directories of sysfs.
pub(super) fn usb(root: &Root) -> Vec<PathBuf> {
    of(root, Kind::Usb)
}

/// Loads, in the background, the drivers of all controllers that have none yet. Where that
/// fails, udev does it.
pub(super) fn load_drivers(root: &Root) {
    for kind in [Kind::Usb, Kind::Storage] {
        let aliases = without_driver(root, kind);
        if !aliases.is_empty() {
            // Not thread::spawn: it panics where no thread can be had.
            if let Err(e) = thread::Builder::new().spawn(move || modprobe(&aliases)) {
                log::debug!("drivers are left to udev: {e}");
            }
        }
    }
}

fn modprobe(aliases: &[String]) {
    let mut command = Command::new("modprobe");
    // An administrator's list of what is not to be loaded counts here, as it does for udev.
    command.args(["--all", "--use-blacklist", "--quiet", "--"]).args(aliases);
    match command::run(&mut command, LIMIT) {
        Ok(output) if output.success() => {}
        Ok(output) => log::debug!("modprobe: {}: {}", output.end, output.last_line()),
        Err(e) => log::debug!("modprobe: {e}"),
    }
}

/// By what names modprobe knows the drivers that are missing.
fn without_driver(root: &Root, kind: Kind) -> Vec<String> {
    let found = of(root, kind).into_iter().filter(|path| !path.join("driver").exists());
    found.filter_map(|path| text(&path, "modalias")).collect()
}

fn of(root: &Root, kind: Kind) -> Vec<PathBuf> {
    let devices = files::list(&root.join("/sys/bus/pci/devices")).unwrap_or_default();
    let is_one = |path: &PathBuf| text(path, "class").is_some_and(|it| kind.includes(&it));
    devices.into_iter().filter(is_one).collect()
}

/// An attribute of a device, without the end of its line.
pub(super) fn text(path: &Path, attribute: &str) -> Option<String> {
    let text = std::fs::read_to_string(path.join(attribute)).ok()?;
    Some(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drivers_of_what_has_none_are_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::new(dir.path());
        for (device, class, bound) in [
            ("00:01.1", "0x010180", false), // IDE
            ("00:02.0", "0x030000", false), // graphics
            ("00:03.0", "0x010601", true),  // AHCI
            ("00:05.0", "0x0c0330", false), // xHCI
            ("00:06.0", "0x0c03fe", false), // USB, the machine being the device
            ("00:07.0", "0x0c0320", true),  // EHCI
            ("00:08.0", "0x0c0500", false), // SMBus
        ] {
            let path = root.join(format!("/sys/bus/pci/devices/0000:{device}"));
            let write =
                |name: &str, text: &str| files::replace(&path.join(name), text.as_bytes(), 0o644);
            write("class", &format!("{class}\n")).unwrap();
            write("modalias", &format!("pci:{device}\n")).unwrap();
            if bound {
                write("driver/x", "").unwrap();
            }
        }
        assert_eq!(without_driver(&root, Kind::Usb), ["pci:00:05.0"]);
        assert_eq!(without_driver(&root, Kind::Storage), ["pci:00:01.1"]);
        assert_eq!(usb(&root).len(), 2);
    }
}
