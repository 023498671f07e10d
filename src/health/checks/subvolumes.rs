//! Every btrfs subvolume that fstab names is mounted, and from that subvolume.
//! A directory that stands in its place takes writes all the same, and they are
//! gone when the real one is mounted over it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::value::On;
use super::{Check, Context, Finding, Keyed};
use crate::sys::mountinfo::{self, FstabEntry, Mount};

/// `{subvolumes: true}`
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Subvolumes {
    subvolumes: On,
}

impl Keyed for Subvolumes {
    const KEY: &'static str = "subvolumes";
}

impl Check for Subvolumes {
    fn look(&self, context: &Context) -> Finding {
        match context.fstab().and_then(|fstab| Ok((fstab, context.mounts()?))) {
            Ok((fstab, mounts)) => judge(&fstab, &mounts),
            Err(e) => e.into(),
        }
    }
}

fn judge(fstab: &[FstabEntry], mounts: &[Mount]) -> Finding {
    let mut fine = 0;
    let mut wrong = Vec::new();
    for entry in fstab.iter().filter(|entry| entry.fstype == "btrfs" && !entry.has("noauto")) {
        let Some(subvolume) = entry.option("subvol") else { continue };
        match problem(entry, subvolume, mounts) {
            None => fine += 1,
            Some(problem) => wrong.push(problem),
        }
    }
    match (fine, wrong.as_slice()) {
        (0, []) => Finding::absent("fstab names no btrfs subvolume"),
        (fine, []) => Finding::pass(format!("{fine} mounted as fstab says")),
        (_, wrong) => Finding::fail(wrong.join("; ")),
    }
}

fn problem(entry: &FstabEntry, subvolume: &str, mounts: &[Mount]) -> Option<String> {
    let target = entry.target.display();
    match mountinfo::at(mounts, &entry.target) {
        None if entry.has("nofail") => None,
        None => Some(format!("{target} is not mounted")),
        Some(mount) if mount.fstype == "autofs" => None,
        Some(mount) if mount.fstype != "btrfs" => Some(format!("{target} is {}", mount.fstype)),
        Some(mount) if mount.root != absolute(subvolume) => {
            Some(format!("{target} is {}, not {subvolume}", mount.root.display()))
        }
        Some(_) => None,
    }
}

/// `@/var` and `/@/var` are the same subvolume.
fn absolute(subvolume: &str) -> PathBuf {
    Path::new("/").join(subvolume.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(fstab: &str, mountinfo: &str) -> Finding {
        judge(&mountinfo::parse_fstab(fstab).unwrap(), &mountinfo::parse(mountinfo))
    }

    #[test]
    fn mounted_and_from_the_right_place() {
        let fstab = "LABEL=R / btrfs ro\nLABEL=R /var btrfs subvol=@/var\n\
                     LABEL=R /opt btrfs subvol=/@/opt,noauto\nLABEL=R /srv btrfs subvol=/@/srv,nofail\n";
        for (mounts, message) in [
            ("1 0 0:1 /@/var /var rw - btrfs /dev/vda rw\n", "2 mounted as fstab says"),
            ("1 0 0:1 /@/old /var rw - btrfs /dev/vda rw\n", "/var is /@/old, not @/var"),
            ("1 0 0:1 / /var rw - tmpfs tmpfs rw\n", "/var is tmpfs"),
            ("", "/var is not mounted"),
        ] {
            assert_eq!(judged(fstab, mounts).message, message);
        }
        assert!(judged("/dev/vda / xfs defaults\n", "").absent);
    }
}
