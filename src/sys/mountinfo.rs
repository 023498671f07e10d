//! `/proc/self/mountinfo` and fstab(5): what is mounted, and what shall be.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// One mounted file system (`proc_pid_mountinfo(5)`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// The path within its file system that is the root of this mount; for
    /// btrfs this begins with the subvolume's path.
    pub root: PathBuf,
    /// Where it is mounted.
    pub target: PathBuf,
    /// The type, `btrfs` for example.
    pub fstype: String,
    /// The device, or what the file system calls its source.
    pub source: PathBuf,
    /// The options of this mount point.
    pub options: String,
    /// The upper layer of an overlay.
    pub upper: Option<String>,
}

/// All mounts in `text`, in the order in which they were made; lines that
/// cannot be read are passed over, as the kernel may add new forms.
pub fn parse(text: &str) -> Vec<Mount> {
    text.lines().filter_map(line).collect()
}

fn line(line: &str) -> Option<Mount> {
    let (left, right) = line.split_once(" - ")?;
    let mut left = left.split(' ').skip(3);
    let (root, target, options) = (left.next()?, left.next()?, left.next()?);
    let mut right = right.split(' ');
    let (fstype, source) = (right.next()?, right.next()?);
    let mut more = right.next().unwrap_or_default().split(',');
    Some(Mount {
        root: unescape(root).into(),
        target: unescape(target).into(),
        fstype: fstype.to_owned(),
        source: unescape(source).into(),
        options: options.to_owned(),
        upper: more.find_map(|option| option.strip_prefix("upperdir=")).map(unescape),
    })
}

/// The mount that is seen at exactly `target`: the last one made there.
pub fn at<'a>(mounts: &'a [Mount], target: &Path) -> Option<&'a Mount> {
    mounts.iter().rev().find(|mount| mount.target == target)
}

/// One line of fstab(5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FstabEntry {
    /// The first field, as it stands there: a device, `LABEL=…`, `UUID=…`.
    pub spec: String,
    /// Where it shall be mounted.
    pub target: PathBuf,
    /// The type.
    pub fstype: String,
    /// The options, separated by commas.
    pub options: String,
}

impl FstabEntry {
    /// The value of `name=value` among the options.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.split(',').find_map(|option| option.strip_prefix(name)?.strip_prefix('='))
    }

    /// Whether the option `name` is there, with no value.
    pub fn has(&self, name: &str) -> bool {
        self.options.split(',').any(|option| option == name)
    }
}

/// Reads an fstab.
///
/// # Errors
/// A line with fewer than three fields, with its number.
pub fn parse_fstab(text: &str) -> Result<Vec<FstabEntry>> {
    let mut entries = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut fields = line.split_ascii_whitespace().map(unescape);
        let (Some(spec), Some(target), Some(fstype)) =
            (fields.next(), fields.next(), fields.next())
        else {
            bail!("line {}: {line:?} has fewer than three fields", number + 1);
        };
        let options = fields.next().unwrap_or_else(|| "defaults".to_owned());
        entries.push(FstabEntry { spec, target: target.into(), fstype, options });
    }
    Ok(entries)
}

/// Where udev puts a link to a device of this name; `None` for what is no local
/// device, or is written in a way of its own.
pub fn device_path(spec: &str) -> Option<PathBuf> {
    if spec.starts_with("/dev/") {
        return Some(spec.into());
    }
    let (tag, value) = spec.split_once('=')?;
    let kind = match tag {
        "LABEL" | "UUID" | "PARTLABEL" | "PARTUUID" => tag.to_lowercase(),
        _ => return None,
    };
    // udev escapes all else (systemd's encode_devnode_name).
    let plain = |c: char| c.is_ascii_alphanumeric() || "#+-.:=@_".contains(c);
    value.chars().all(plain).then(|| Path::new("/dev/disk").join(format!("by-{kind}")).join(value))
}

/// Undoes `\040` and its kin, which stand for white space and the backslash.
fn unescape(field: &str) -> String {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field.as_bytes();
    while let [first, tail @ ..] = rest {
        if let [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', tail @ ..] = rest {
            out.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
            rest = tail;
        } else {
            out.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_mount_at_a_place_is_the_one_seen() {
        let mounts = parse(
            "26 1 0:24 /@/.snapshots/1/snapshot / ro,relatime shared:1 - btrfs /dev/vda ro,subvolid=266\n\
             27 26 0:25 / /sysroot rw - tmpfs tmpfs rw\n\
             not a line\n\
             28 27 0:24 /@/with\\040space /sysroot ro - btrfs /dev/vda rw\n",
        );
        assert_eq!(mounts.len(), 3);
        let seen = at(&mounts, Path::new("/sysroot")).unwrap();
        assert_eq!(seen.root, Path::new("/@/with space"));
        assert_eq!(seen.source, Path::new("/dev/vda"));
        assert_eq!(at(&mounts, Path::new("/")).unwrap().options, "ro,relatime");
        assert!(at(&mounts, Path::new("/var")).is_none());
    }

    #[test]
    fn devices_by_the_names_of_fstab() {
        for (spec, path) in [
            ("/dev/vda", Some("/dev/vda")),
            ("LABEL=ROOT", Some("/dev/disk/by-label/ROOT")),
            ("UUID=0a-1", Some("/dev/disk/by-uuid/0a-1")),
            ("LABEL=with space", None),
            ("nas:/export", None),
            ("tmpfs", None),
        ] {
            assert_eq!(device_path(spec), path.map(PathBuf::from), "{spec}");
        }
    }

    #[test]
    fn fstab_fields_and_their_defaults() {
        let entries = parse_fstab(
            "# comment\n\nLABEL=ROOT /var btrfs subvol=@/var,x-initrd.mount 0 0\nproc /proc proc\n",
        )
        .unwrap();
        assert_eq!(entries[0].option("subvol"), Some("@/var"));
        assert!(entries[0].has("x-initrd.mount") && !entries[0].has("subvol"));
        assert_eq!(entries[1].options, "defaults");
        let error = parse_fstab("\nLABEL=ROOT /var\n").unwrap_err().to_string();
        assert_eq!(error, r#"line 2: "LABEL=ROOT /var" has fewer than three fields"#);
    }
}
