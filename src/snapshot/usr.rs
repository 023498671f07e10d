//! A `/usr` of its own that only the kernel command line tells of: `mount.usr=`,
//! `mount.usrfstype=` and `mount.usrflags=` (systemd-fstab-generator(8)). What fstab mounts
//! is known anyway.

use std::path::Path;

use crate::sys::cmdline::Cmdline;
use crate::sys::mountinfo::FstabEntry;

const USR: &str = "/usr";

/// Adds it to what fstab mounts.
pub fn add(cmdline: &Cmdline, fstab: &mut Vec<FstabEntry>) {
    let is_there = fstab.iter().any(|entry| entry.target == Path::new(USR));
    if let Some(entry) = entry(cmdline).filter(|_| !is_there) {
        fstab.push(entry);
    }
}

/// What is not said of it is as with the root, as systemd has it: another subvolume of the
/// same file system is the usual case.
fn entry(cmdline: &Cmdline) -> Option<FstabEntry> {
    let [what, fstype, flags] =
        ["mount.usr", "mount.usrfstype", "mount.usrflags"].map(|key| cmdline.value(key));
    what.or(fstype).or(flags)?;
    let or_root =
        |value: Option<&str>, key| value.or_else(|| cmdline.value(key)).map(str::to_owned);
    Some(FstabEntry {
        spec: or_root(what, "root")?,
        target: USR.into(),
        fstype: or_root(fstype, "rootfstype").unwrap_or_else(|| "auto".to_owned()),
        options: or_root(flags, "rootflags").unwrap_or_else(|| "defaults".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::mountinfo::parse_fstab;

    #[test]
    fn what_the_command_line_says_and_fstab_does_not() {
        for (cmdline, expected) in [
            ("root=LABEL=ROOT", None),
            ("mount.usr=LABEL=USR", Some("LABEL=USR /usr auto defaults")),
            (
                "root=LABEL=ROOT rootfstype=btrfs mount.usrflags=subvol=/@/usr",
                Some("LABEL=ROOT /usr btrfs subvol=/@/usr"),
            ),
            ("mount.usr=LABEL=USR mount.usrfstype=ext4", Some("LABEL=USR /usr ext4 defaults")),
            ("mount.usrfstype=ext4", None),
        ] {
            let mut fstab = Vec::new();
            add(&Cmdline::parse(cmdline), &mut fstab);
            assert_eq!(fstab, parse_fstab(expected.unwrap_or_default()).unwrap(), "{cmdline}");
        }
        let mut fstab = parse_fstab("LABEL=A /usr btrfs subvol=a").unwrap();
        let before = fstab.clone();
        add(&Cmdline::parse("mount.usr=LABEL=B"), &mut fstab);
        assert_eq!(fstab, before);
    }
}
