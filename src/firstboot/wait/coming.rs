//! Whether more drives are on their way, from what the kernel and udev show.
//!
//! `udevadm settle` does not tell: it returns before a USB stick's file system is known,
//! since a hub looks for devices, and usb-storage waits (`delay_use`), without udev having
//! anything in its queue. Both hold a runtime-PM reference meanwhile
//! (`power/runtime_usage`, kernel option `CONFIG_PM_ADVANCED_DEBUG`), and a port says what
//! it is about (`state`).

use std::fs;
use std::path::{Path, PathBuf};

use crate::sys::files::{self, Root};

/// What there is to be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// Something is still coming, for this reason.
    More(String),
    /// Nothing, for now: it takes two looks to be sure.
    Nothing,
    /// This kernel does not show it.
    Unknown(String),
}

/// Looks.
pub(super) fn look(root: &Root) -> Seen {
    let all = [udev(root), controllers(root), usb(root), scsi(root), virtio(root), nvme(root)];
    let mut unknown = None;
    for seen in all.into_iter().flatten() {
        match seen {
            Seen::More(_) => return seen,
            Seen::Unknown(_) => unknown = Some(seen),
            Seen::Nothing => {}
        }
    }
    unknown.unwrap_or(Seen::Nothing)
}

/// Whether there is any USB controller, for drives that power up slowly.
pub(super) fn has_usb(root: &Root) -> bool {
    !usb_controllers(root).is_empty() || !entries(root, "/sys/bus/usb/devices").is_empty()
}

fn more(what: &Path, why: &str) -> Seen {
    let name = what.file_name().unwrap_or(what.as_os_str());
    Seen::More(format!("{}: {why}", name.display()))
}

/// Its file is there as long as events are queued or handled (udev's `udev-manager.c`).
fn udev(root: &Root) -> Option<Seen> {
    let queue = Path::new("/run/udev/queue");
    root.join(queue).exists().then(|| more(queue, "udev is at work"))
}

fn usb_controllers(root: &Root) -> Vec<PathBuf> {
    // PCI class 0c03, of which fe is a device and no host controller.
    let is_host = |path: &PathBuf| {
        text(path, "class").is_some_and(|it| it.starts_with("0x0c03") && !it.ends_with("fe"))
    };
    entries(root, "/sys/bus/pci/devices").into_iter().filter(is_host).collect()
}

fn controllers(root: &Root) -> Option<Seen> {
    let found = usb_controllers(root).into_iter().find(|path| !path.join("driver").exists());
    Some(more(&found?, "this USB controller has no driver yet"))
}

/// Hubs, their ports, and sticks.
fn usb(root: &Root) -> Option<Seen> {
    let interfaces = entries(root, "/sys/bus/usb/devices");
    let interfaces = interfaces.into_iter().filter(|path| text(path, "bInterfaceClass").is_some());
    let mut unknown = None;
    for path in interfaces {
        let seen = match text(&path, "bInterfaceClass").as_deref() {
            Some("09") => hub(&path),
            Some("08") => storage(&path),
            _ => None,
        };
        match seen {
            Some(Seen::Unknown(_)) => unknown = seen,
            None => {}
            _ => return seen,
        }
    }
    unknown
}

fn hub(path: &Path) -> Option<Seen> {
    for port in files::list(path).unwrap_or_default() {
        let is_port = port.file_name().is_some_and(|it| it.to_string_lossy().contains("-port"));
        match text(&port, "state").as_deref() {
            Some("not attached" | "configured") => {}
            Some(state) => return Some(more(&port, state)),
            None if is_port => return Some(missing(&port, "state")),
            None => {}
        }
    }
    in_use(path, "this hub looks for devices")
}

/// USB mass storage, by either driver.
fn storage(path: &Path) -> Option<Seen> {
    if !path.join("driver").exists() {
        return Some(more(path, "this drive has no driver yet"));
    }
    in_use(path, "this drive is being looked at")
}

fn in_use(path: &Path, why: &str) -> Option<Seen> {
    match text(path, "power/runtime_usage").as_deref() {
        Some("0") => None,
        Some(_) => Some(more(path, why)),
        None => Some(missing(path, "power/runtime_usage")),
    }
}

fn missing(path: &Path, attribute: &str) -> Seen {
    Seen::Unknown(format!("{} has no {attribute}", path.display()))
}

/// Disks (type 0) and CD-ROMs (5) without their block device.
fn scsi(root: &Root) -> Option<Seen> {
    let is_drive = |path: &PathBuf| matches!(text(path, "type").as_deref(), Some("0" | "5"));
    without_block(root, "/sys/bus/scsi/devices", is_drive)
}

/// Virtual disks (virtio specification, device type 2).
fn virtio(root: &Root) -> Option<Seen> {
    let is_drive = |path: &PathBuf| text(path, "device").as_deref() == Some("0x0002");
    without_block(root, "/sys/bus/virtio/devices", is_drive)
}

fn without_block(root: &Root, bus: &str, is_drive: impl Fn(&PathBuf) -> bool) -> Option<Seen> {
    let has_block =
        |path: &Path| fs::read_dir(path.join("block")).is_ok_and(|mut it| it.next().is_some());
    let found = entries(root, bus).into_iter().find(|path| is_drive(path) && !has_block(path));
    Some(more(&found?, "this drive has no block device yet"))
}

fn nvme(root: &Root) -> Option<Seen> {
    let is_coming = |path: &PathBuf| {
        matches!(text(path, "state").as_deref(), Some("new" | "connecting" | "resetting"))
    };
    let found = entries(root, "/sys/class/nvme").into_iter().find(is_coming);
    Some(more(&found?, "this controller is not ready yet"))
}

/// None where the kernel has no such bus.
fn entries(root: &Root, dir: &str) -> Vec<PathBuf> {
    files::list(&root.join(dir)).unwrap_or_default()
}

fn text(path: &Path, attribute: &str) -> Option<String> {
    let text = fs::read_to_string(path.join(attribute)).ok()?;
    Some(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine whose sysfs has these files.
    fn machine(files_with: &[(&str, &str)]) -> (tempfile::TempDir, Root) {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::new(dir.path());
        for (path, text) in files_with {
            files::replace(&root.join(path), text.as_bytes(), 0o644).unwrap();
        }
        (dir, root)
    }

    const CONTROLLER: (&str, &str) = ("/sys/bus/pci/devices/0000:00:05.0/class", "0x0c0330\n");
    const DRIVER: (&str, &str) = ("/sys/bus/pci/devices/0000:00:05.0/driver/x", "");
    const HUB: (&str, &str) = ("/sys/bus/usb/devices/1-0:1.0/bInterfaceClass", "09\n");
    const QUIET: (&str, &str) = ("/sys/bus/usb/devices/1-0:1.0/power/runtime_usage", "0\n");
    const PORT: &str = "/sys/bus/usb/devices/1-0:1.0/usb1-port1/state";
    const STICK: (&str, &str) = ("/sys/bus/usb/devices/1-1:1.0/bInterfaceClass", "08\n");
    const SCANNED: (&str, &str) = ("/sys/bus/usb/devices/1-1:1.0/power/runtime_usage", "0\n");
    const BOUND: (&str, &str) = ("/sys/bus/usb/devices/1-1:1.0/driver/x", "");
    const DISK: (&str, &str) = ("/sys/bus/scsi/devices/2:0:0:0/type", "0\n");

    #[test]
    fn what_is_coming_is_named() {
        let settled =
            [CONTROLLER, DRIVER, HUB, QUIET, (PORT, "configured\n"), STICK, BOUND, SCANNED];
        for (also, expected) in [
            (&[][..], Seen::Nothing),
            (&[("/run/udev/queue", "")], Seen::More("queue: udev is at work".into())),
            (
                &[("/sys/bus/usb/devices/1-0:1.0/power/runtime_usage", "1")],
                Seen::More("1-0:1.0: this hub looks for devices".into()),
            ),
            (&[(PORT, "powered\n")], Seen::More("usb1-port1: powered".into())),
            (&[(PORT, "not attached\n")], Seen::Nothing),
            (
                &[("/sys/bus/usb/devices/1-1:1.0/power/runtime_usage", "2")],
                Seen::More("1-1:1.0: this drive is being looked at".into()),
            ),
            (&[DISK], Seen::More("2:0:0:0: this drive has no block device yet".into())),
            (&[DISK, ("/sys/bus/scsi/devices/2:0:0:0/block/sda/dev", "")], Seen::Nothing),
            // An enclosure is no drive.
            (&[("/sys/bus/scsi/devices/2:0:0:1/type", "13\n")], Seen::Nothing),
            (
                &[("/sys/bus/virtio/devices/virtio0/device", "0x0002\n")],
                Seen::More("virtio0: this drive has no block device yet".into()),
            ),
            (&[("/sys/bus/virtio/devices/virtio0/device", "0x0001\n")], Seen::Nothing),
            (
                &[("/sys/class/nvme/nvme0/state", "connecting\n")],
                Seen::More("nvme0: this controller is not ready yet".into()),
            ),
            (&[("/sys/class/nvme/nvme0/state", "live\n")], Seen::Nothing),
        ] {
            let (_dir, root) = machine(&[&settled[..], also].concat());
            assert_eq!(look(&root), expected, "{also:?}");
        }
    }

    #[test]
    fn what_the_kernel_does_not_show_is_unknown_unless_something_is_coming() {
        let (_dir, root) = machine(&[CONTROLLER, DRIVER, HUB, (PORT, "configured\n")]);
        assert!(matches!(look(&root), Seen::Unknown(_)));
        let (_dir, root) = machine(&[CONTROLLER, DRIVER, HUB, QUIET, (PORT, "configured"), STICK]);
        assert_eq!(look(&root), Seen::More("1-1:1.0: this drive has no driver yet".into()));
        let (_dir, root) = machine(&[CONTROLLER]);
        assert!(matches!(look(&root), Seen::More(_)));
        assert!(has_usb(&root));
        let (_dir, root) = machine(&[]);
        assert_eq!(look(&root), Seen::Nothing);
        assert!(!has_usb(&root));
        let (_dir, root) = machine(&[CONTROLLER, DRIVER, HUB, DISK]);
        assert!(matches!(look(&root), Seen::More(_)), "an unknown hub hides no disk");
    }
}
