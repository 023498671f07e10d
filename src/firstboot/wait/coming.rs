//! Whether more drives are on their way, from what the kernel and udev show.
//!
//! `udevadm settle` does not tell: it returns before a USB stick's file system is known,
//! since a hub looks for devices, and usb-storage waits (`delay_use`), without udev having
//! anything in its queue. Both hold a runtime-PM reference meanwhile
//! (`power/runtime_usage`, kernel option `CONFIG_PM_ADVANCED_DEBUG`), and a port says what
//! it is about (`state`).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::controllers::{self, text};
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

/// Looks again and again, and remembers what is not to be seen any more.
#[derive(Debug, Default)]
pub(super) struct Lookout {
    /// Hubs of emulated controllers that have looked at their ports.
    done: BTreeSet<PathBuf>,
}

impl Lookout {
    /// Looks.
    pub(super) fn look(&mut self, root: &Root) -> Seen {
        // Most of the time it is this, and the rest is not read then.
        if let Some(seen) = udev(root) {
            return seen;
        }
        let all = [usb_controllers(root), self.usb(root), scsi(root), virtio(root), nvme(root)];
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

    /// Hubs, their ports, and sticks.
    fn usb(&mut self, root: &Root) -> Option<Seen> {
        let interfaces = entries(root, "/sys/bus/usb/devices");
        let mut unknown = None;
        for path in interfaces {
            let seen = match text(&path, "bInterfaceClass").as_deref() {
                Some("09") => self.hub(&path),
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

    fn hub(&mut self, path: &Path) -> Option<Seen> {
        let mut has_ports = false;
        for port in files::list(path).unwrap_or_default() {
            let is_port = port.file_name().is_some_and(|it| it.to_string_lossy().contains("-port"));
            has_ports |= is_port;
            match text(&port, "state").as_deref() {
                Some("not attached" | "configured") => {}
                Some(state) => return Some(more(&port, state)),
                None if is_port => return Some(missing(&port, "state")),
                None => {}
            }
        }
        // It is suspended for the first time when it has looked at all of its ports.
        let is_suspended = text(path, "power/runtime_status").as_deref() == Some("suspended");
        if has_ports && is_suspended && is_emulated(path) {
            self.done.insert(path.to_owned());
        }
        // An empty one is woken again some times, for 0.3 s.
        if self.done.contains(path) {
            return None;
        }
        in_use(path, "this hub looks for devices")
    }
}

/// Whether there is any USB controller, for drives that power up slowly.
pub(super) fn has_usb(root: &Root) -> bool {
    !controllers::usb(root).is_empty() || !entries(root, "/sys/bus/usb/devices").is_empty()
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

fn usb_controllers(root: &Root) -> Option<Seen> {
    let found = controllers::usb(root).into_iter().find(|path| !path.join("driver").exists());
    Some(more(&found?, "this USB controller has no driver yet"))
}

/// Whether this is the hub of a controller that QEMU emulates, by the subsystem's vendor (QEMU's
/// `docs/specs/pci-ids.rst`): what is plugged in there is seen at the hub's first look, since
/// nothing has to power up. A real one, also where it is lent to a virtual machine, is as slow
/// as its drives.
fn is_emulated(hub: &Path) -> bool {
    let is_root = hub.file_name().is_some_and(|it| it.to_string_lossy().ends_with("-0:1.0"));
    // Through the link: below the controller is the bus, below the bus its hub.
    is_root && text(hub, "../../subsystem_vendor").as_deref() == Some("0x1af4")
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
            assert_eq!(Lookout::default().look(&root), expected, "{also:?}");
        }
    }

    #[test]
    fn an_emulated_hub_that_has_looked_once_is_not_waited_for_again() {
        for (vendor, expected) in [
            ("0x1af4", Seen::Nothing),
            ("0x1028", Seen::More("1-0:1.0: this hub looks for devices".into())),
        ] {
            let (_dir, root) = machine(&[]);
            let hub = root.join("/sys/devices/pci0000:00/0000:00:05.0/usb1/1-0:1.0");
            let write = |name: &str, text: &str| {
                files::replace(&hub.join(name), text.as_bytes(), 0o644).unwrap();
            };
            let is = |usage: &str, status: &str| {
                write("power/runtime_usage", usage);
                write("power/runtime_status", status);
            };
            write("bInterfaceClass", "09\n");
            write("../../subsystem_vendor", &format!("{vendor}\n"));
            let devices = root.join("/sys/bus/usb/devices");
            fs::create_dir_all(&devices).unwrap();
            std::os::unix::fs::symlink(&hub, devices.join("1-0:1.0")).unwrap();

            let mut lookout = Lookout::default();
            is("1\n", "suspended\n");
            assert!(matches!(lookout.look(&root), Seen::More(_)), "its ports are not there yet");
            write("usb1-port1/state", "not attached\n");
            is("1\n", "active\n");
            assert!(matches!(lookout.look(&root), Seen::More(_)), "its first look");
            is("0\n", "suspended\n");
            assert_eq!(lookout.look(&root), Seen::Nothing);
            is("1\n", "active\n");
            assert_eq!(lookout.look(&root), expected, "{vendor}");
            write("usb1-port1/state", "powered\n");
            assert!(matches!(lookout.look(&root), Seen::More(_)), "what it found is to come");
        }
    }

    #[test]
    fn what_the_kernel_does_not_show_is_unknown_unless_something_is_coming() {
        let (_dir, root) = machine(&[CONTROLLER, DRIVER, HUB, (PORT, "configured\n")]);
        assert!(matches!(Lookout::default().look(&root), Seen::Unknown(_)));
        let (_dir, root) = machine(&[CONTROLLER, DRIVER, HUB, QUIET, (PORT, "configured"), STICK]);
        assert_eq!(
            Lookout::default().look(&root),
            Seen::More("1-1:1.0: this drive has no driver yet".into())
        );
        let (_dir, root) = machine(&[CONTROLLER]);
        assert!(matches!(Lookout::default().look(&root), Seen::More(_)));
        assert!(has_usb(&root));
        let (_dir, root) = machine(&[]);
        assert_eq!(Lookout::default().look(&root), Seen::Nothing);
        assert!(!has_usb(&root));
        let (_dir, root) = machine(&[CONTROLLER, DRIVER, HUB, DISK]);
        assert!(
            matches!(Lookout::default().look(&root), Seen::More(_)),
            "an unknown hub hides no disk"
        );
    }
}
