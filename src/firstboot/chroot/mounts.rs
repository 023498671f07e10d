//! The mounts of the script's world, in order.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::mount::MsFlags;

use crate::snapshot::disk::{Disk, mount_entry};
use crate::snapshot::etc::Overlay;
use crate::sys::mount::Mounted;
use crate::sys::mountinfo::FstabEntry;

/// File systems that are not on a disk of this machine.
const REMOTE: [&str; 6] = ["nfs", "nfs4", "cifs", "ceph", "glusterfs", "fuse.sshfs"];

/// One mount of the script's world; `at` is a path within it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A directory that is there already.
    Bind { from: PathBuf, at: PathBuf },
    /// The layers of `/etc`.
    Layers { options: String },
    /// Empty, and gone afterwards.
    Empty { at: &'static str, mode: u32 },
    /// Something on another file system: a script that needs it will say so.
    Other(FstabEntry),
}

/// The options of the overlay at `/etc`.
pub(super) fn layers(disk: &Disk, number: u32, overlay: &Overlay) -> Result<String> {
    let place = |path: &PathBuf| {
        let place = disk.place(number, path).with_context(|| {
            format!("{}, a layer of /etc, is on another file system", path.display())
        })?;
        Ok(place.to_string_lossy().into_owned())
    };
    let lower = overlay.lower.iter().map(place).collect::<Result<Vec<_>>>()?.join(":");
    let (upper, work) = (place(&overlay.upper)?, place(&overlay.work)?);
    Ok(format!("lowerdir={lower},upperdir={upper},workdir={work}"))
}

/// What to mount, in order.
pub(super) fn steps(
    root: PathBuf,
    layers: Option<String>,
    fstab: &[FstabEntry],
    mount: impl Fn(&FstabEntry) -> Step,
) -> Vec<Step> {
    let mut steps = vec![Step::Bind { from: root, at: "/".into() }];
    steps.extend(layers.map(|options| Step::Layers { options }));
    for dir in ["/dev", "/proc", "/sys"] {
        steps.push(Step::Bind { from: dir.into(), at: dir.into() });
    }
    steps.push(Step::Empty { at: "/run", mode: 0o755 });
    steps.push(Step::Empty { at: "/tmp", mode: 0o1777 });
    let mut entries: Vec<&FstabEntry> = fstab.iter().filter(|entry| belongs(entry)).collect();
    entries.sort_by_key(|entry| entry.target.components().count());
    steps.extend(entries.into_iter().map(mount));
    steps
}

/// Whether a script expects what this entry of fstab mounts. The root and `/etc`
/// are there already; nothing can be had from a network.
fn belongs(entry: &FstabEntry) -> bool {
    let made_here = ["/etc", "/dev", "/proc", "/sys", "/run", "/tmp"];
    entry.target != Path::new("/")
        && entry.target.is_absolute()
        && !made_here.iter().any(|dir| entry.target.starts_with(dir))
        && entry.fstype != "swap"
        && !entry.has("noauto")
        && !entry.has("_netdev")
        && !REMOTE.contains(&&*entry.fstype)
}

/// Mounts it; returns what is on a device of its own.
pub(super) fn execute(step: &Step, root: &Path) -> Result<Option<Mounted>> {
    let inside = |at: &Path| root.join(at.strip_prefix("/").unwrap_or(at));
    match step {
        Step::Bind { from, at } => Mounted::bind(from, &inside(at))?.leave(),
        Step::Layers { options } => {
            let at = inside(Path::new("/etc"));
            Mounted::new(Path::new("overlay"), &at, "overlay", MsFlags::empty(), options)?.leave();
        }
        Step::Empty { at, mode } => {
            let at = inside(Path::new(at));
            let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
            Mounted::new(Path::new("tmpfs"), &at, "tmpfs", flags, &format!("mode={mode:o}"))?
                .leave();
        }
        Step::Other(entry) => match mount_entry(entry, &inside(&entry.target), true) {
            Ok(mounted) => return Ok(Some(mounted)),
            Err(e) => log::warn!("the script has to do without {}: {e:#}", entry.target.display()),
        },
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::mountinfo::parse_fstab;

    #[test]
    fn what_of_fstab_a_script_gets_to_see() {
        let fstab = "LABEL=ROOT / btrfs ro\noverlay /etc overlay lowerdir=/etc\n\
            LABEL=ROOT /var btrfs subvol=/@/var\nLABEL=EFI /boot/efi vfat defaults\n\
            /dev/sdb2 swap swap defaults\n/dev/sdb3 none swap sw\ntmpfs /tmp tmpfs mode=1777\n\
            server:/home /home nfs defaults\nLABEL=X /data xfs noauto\n//a/b /mnt cifs _netdev\n";
        let entries = parse_fstab(fstab).unwrap();
        let seen: Vec<_> = entries.iter().filter(|e| belongs(e)).map(|e| &e.target).collect();
        assert_eq!(seen, [Path::new("/var"), Path::new("/boot/efi")]);
    }
}
