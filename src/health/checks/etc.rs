//! `/etc`, in the way that this system has it: an overlay or a nested subvolume,
//! mounted as fstab says, belonging to the booted snapshot, and writable.
//!
//! An upper layer of another snapshot is the danger: what is written now would
//! be missing here after the next update, and appear in a system that is meant
//! to be as it was.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::value::On;
use super::{Check, Context, Finding, Keyed, writable};
use crate::sys::mountinfo::{self, FstabEntry, Mount};

/// `{etc: true}`
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Etc {
    etc: On,
}

impl Keyed for Etc {
    const KEY: &'static str = "etc";
}

impl Check for Etc {
    fn look(&self, context: &Context) -> Finding {
        let read = context.fstab().and_then(|fstab| Ok((fstab, context.mounts()?)));
        let (fstab, mounts) = match read {
            Ok(read) => read,
            Err(e) => return e.into(),
        };
        match judge(&fstab, &mounts) {
            Err(finding) => finding,
            Ok(seen) => match writable::probe(&context.root.join("/etc")) {
                Ok(()) => Finding::pass(seen),
                Err(e) => Finding::fail(format!("{seen}, but cannot be written to: {e}")),
            },
        }
    }
}

/// What it is, if it is mounted as it shall be.
fn judge(fstab: &[FstabEntry], mounts: &[Mount]) -> Result<String, Finding> {
    let etc = Path::new("/etc");
    let Some(entry) = fstab.iter().rev().find(|entry| entry.target == etc) else {
        return match mountinfo::at(mounts, Path::new("/")) {
            Some(root) if root.options.split(',').any(|it| it == "ro") => {
                Err(Finding::absent("/etc is part of the read-only root file system"))
            }
            _ => Ok("part of the root file system".to_owned()),
        };
    };
    let number = mountinfo::at(mounts, Path::new("/")).and_then(|root| number_in(&root.root));
    let mount = mountinfo::at(mounts, etc)
        .ok_or_else(|| Finding::fail("not mounted, although fstab names it"))?;
    if entry.fstype == "overlay" { overlay(entry, mount, number) } else { nested(mount, number) }
}

fn overlay(entry: &FstabEntry, mount: &Mount, booted: Option<u32>) -> Result<String, Finding> {
    if mount.fstype != "overlay" {
        return Err(Finding::fail(format!("{}, not an overlay", mount.fstype)));
    }
    // Below /sysroot as the initrd mounted it; a container has another prefix.
    let wanted = entry.option("upperdir").unwrap_or_default().trim_start_matches("/sysroot");
    let upper = mount.upper.as_deref().unwrap_or_default();
    if wanted.is_empty() || !upper.ends_with(wanted) {
        return Err(Finding::fail(format!("its upper layer is {upper:?}, not {wanted:?}")));
    }
    match (layer_number(wanted), booted) {
        (Some(layer), Some(booted)) if layer != booted => Err(Finding::fail(format!(
            "its upper layer {wanted} is that of snapshot {layer}, but {booted} is booted"
        ))),
        _ => Ok(format!("overlay with {wanted}")),
    }
}

fn nested(mount: &Mount, booted: Option<u32>) -> Result<String, Finding> {
    let root = mount.root.display();
    match (number_in(&mount.root), booted) {
        (Some(nested), Some(booted)) if nested != booted => Err(Finding::fail(format!(
            "{root} is that of snapshot {nested}, but {booted} is booted"
        ))),
        _ => Ok(format!("{} {root}", mount.fstype)),
    }
}

/// N of `…/.snapshots/N/snapshot…`.
fn number_in(path: &Path) -> Option<u32> {
    let mut parts = path.components().skip_while(|part| part.as_os_str() != ".snapshots");
    parts.nth(1)?.as_os_str().to_str()?.parse().ok()
}

/// N of `/var/lib/overlay/N/etc`.
fn layer_number(path: &str) -> Option<u32> {
    PathBuf::from(path).parent()?.file_name()?.to_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(fstab: &str, etc: &str) -> String {
        let root = "1 0 0:1 /@/.snapshots/3/snapshot / ro - btrfs /dev/vda rw\n";
        let mounts = mountinfo::parse(&format!("{root}{etc}"));
        judge(&mountinfo::parse_fstab(fstab).unwrap(), &mounts)
            .unwrap_or_else(|finding| format!("no: {}", finding.message))
    }

    #[test]
    fn an_overlay_has_the_booted_snapshots_layer() {
        let fstab = |n| {
            format!(
                "overlay /etc overlay lowerdir=/sysroot/etc,upperdir=/sysroot/var/lib/overlay/{n}/etc\n"
            )
        };
        let mount = |n| {
            format!(
                "2 1 0:2 / /etc rw - overlay overlay rw,lowerdir=/x,upperdir=/sysroot/var/lib/overlay/{n}/etc\n"
            )
        };
        for (wanted, mounted, message) in [
            (3, 3, "overlay with /var/lib/overlay/3/etc"),
            (
                3,
                2,
                "no: its upper layer is \"/sysroot/var/lib/overlay/2/etc\", not \"/var/lib/overlay/3/etc\"",
            ),
            (
                2,
                2,
                "no: its upper layer /var/lib/overlay/2/etc is that of snapshot 2, but 3 is booted",
            ),
        ] {
            assert_eq!(judged(&fstab(wanted), &mount(mounted)), message);
        }
        assert_eq!(judged(&fstab(3), ""), "no: not mounted, although fstab names it");
        let tmpfs = "2 1 0:2 / /etc rw - tmpfs tmpfs rw\n";
        assert_eq!(judged(&fstab(3), tmpfs), "no: tmpfs, not an overlay");
    }

    #[test]
    fn a_nested_one_is_the_booted_snapshots_own() {
        let fstab = "/etc /etc none bind,x-initrd.mount\n";
        let mount =
            |n| format!("2 1 0:1 /@/.snapshots/{n}/snapshot/etc /etc rw - btrfs /dev/vda rw\n");
        assert_eq!(judged(fstab, &mount(3)), "btrfs /@/.snapshots/3/snapshot/etc");
        assert_eq!(
            judged(fstab, &mount(2)),
            "no: /@/.snapshots/2/snapshot/etc is that of snapshot 2, but 3 is booted"
        );
        assert_eq!(judged("", ""), "no: /etc is part of the read-only root file system");
    }
}
