//! A file system is mounted at a path.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::value::Absolute;
use super::{Check, Context, Finding, Keyed};
use crate::sys::mountinfo::{self, Mount};

/// `{mount: /path, type: xfs}`
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mounted {
    mount: Absolute,
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    fstype: Option<String>,
}

impl Keyed for Mounted {
    const KEY: &'static str = "mount";
}

impl Check for Mounted {
    fn after(&self) -> Option<String> {
        Some(unit_of(self.mount.path()))
    }

    fn look(&self, context: &Context) -> Finding {
        match context.mounts() {
            Ok(mounts) => judge(&mounts, self.mount.path(), self.fstype.as_deref()),
            Err(e) => e.into(),
        }
    }
}

fn judge(mounts: &[Mount], path: &Path, wanted: Option<&str>) -> Finding {
    let Some(mount) = mountinfo::at(mounts, path) else {
        return Finding::fail(format!("nothing is mounted at {}", path.display()));
    };
    // An automount that nobody used yet: its file system may be another one.
    let fine = wanted.is_none_or(|wanted| wanted == mount.fstype);
    let seen = format!("{} from {}", mount.fstype, mount.source.display());
    match wanted {
        Some(wanted) if !fine => Finding::fail(format!("{seen}, not {wanted}")),
        _ => Finding::pass(seen),
    }
}

/// The name of the mount unit for a path (systemd.unit(5), systemd-escape(1)).
fn unit_of(path: &Path) -> String {
    let path = path.to_string_lossy();
    let parts: Vec<_> = path.split('/').filter(|part| !part.is_empty()).collect();
    if parts.is_empty() {
        return "-.mount".to_owned();
    }
    let mut name = String::new();
    for (at, byte) in parts.join("/").bytes().enumerate() {
        match byte {
            b'/' => name.push('-'),
            b'.' if at == 0 => name.push_str("\\x2e"),
            b':' | b'_' | b'.' => name.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => name.push(char::from(byte)),
            byte => name.extend(format!("\\x{byte:02x}").chars()),
        }
    }
    name + ".mount"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_mounted_is_named() {
        let mounts = mountinfo::parse("1 0 0:1 / /srv rw - xfs /dev/vdb rw\n");
        let judge = |path: &str, wanted| judge(&mounts, Path::new(path), wanted).message;
        assert_eq!(judge("/srv", None), "xfs from /dev/vdb");
        assert_eq!(judge("/srv", Some("btrfs")), "xfs from /dev/vdb, not btrfs");
        assert_eq!(judge("/srv/x", None), "nothing is mounted at /srv/x");
    }

    #[test]
    fn unit_names_are_those_of_systemd_escape() {
        for (path, unit) in [
            ("/", "-.mount"),
            ("/var/lib/x-y/", "var-lib-x\\x2dy.mount"),
            ("/.snapshots", "\\x2esnapshots.mount"),
            ("//a//.b c", "a-.b\\x20c.mount"),
        ] {
            assert_eq!(unit_of(Path::new(path)), unit);
        }
    }
}
