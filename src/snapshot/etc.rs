//! How a snapshot's `/etc` is built, as its fstab says, and how the next
//! snapshot gets one of its own.
//!
//! Three ways are in use (`MicroOS` images, transactional-update): part of
//! the snapshot itself; an overlay with an upper layer per snapshot in
//! `/var/lib/overlay/N`; a nested subvolume, bound to itself so that it is there
//! as a mount. A snapshot that shared its parent's upper layer would change the
//! parent's `/etc`: a failed transaction could not be undone.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::sys::mountinfo::FstabEntry;

/// What fstab puts before paths of entries that the initrd mounts.
const INITRD_PREFIX: &str = "/sysroot";
/// Where the upper layers live.
pub const OVERLAYS: &str = "/var/lib/overlay";

/// How `/etc` is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Etc {
    /// Part of the snapshot.
    Plain,
    /// Layers, mounted over each other.
    Overlay(Overlay),
    /// A subvolume of its own inside the snapshot.
    Nested,
}

/// The layers of `/etc`, as fstab writes them (with `/sysroot` in front).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlay {
    /// What is read where the upper layer has nothing, topmost first.
    pub lower: Vec<PathBuf>,
    /// What is written to.
    pub upper: PathBuf,
    /// The kernel's scratch space, on the upper layer's file system.
    pub work: PathBuf,
}

impl Etc {
    /// What these entries of a snapshot's fstab make of `/etc`.
    ///
    /// # Errors
    /// An entry for `/etc` that is of none of the three kinds: a new snapshot
    /// could not be given an `/etc` of its own.
    pub fn of(fstab: &[FstabEntry]) -> Result<Self> {
        let Some(entry) = fstab.iter().find(|entry| entry.target == Path::new("/etc")) else {
            return Ok(Self::Plain);
        };
        if entry.fstype == "overlay" {
            let option = |name| {
                entry.option(name).with_context(|| {
                    format!("fstab: the overlay at /etc has no {name}= in {:?}", entry.options)
                })
            };
            return Ok(Self::Overlay(Overlay {
                lower: option("lowerdir")?.split(':').map(PathBuf::from).collect(),
                upper: option("upperdir")?.into(),
                work: option("workdir")?.into(),
            }));
        }
        if entry.has("bind") && entry.spec == "/etc" {
            return Ok(Self::Nested);
        }
        bail!(
            "fstab: /etc is {} of type {} ({}), which is neither an overlay nor a nested \
             subvolume bound to itself",
            entry.spec,
            entry.fstype,
            entry.options
        )
    }

    /// The directories to look for a file of `/etc` in, topmost first, as paths
    /// of the running system.
    pub fn layers(&self) -> Vec<PathBuf> {
        match self {
            Self::Plain | Self::Nested => vec!["/etc".into()],
            Self::Overlay(overlay) => {
                let layers = std::iter::once(&overlay.upper).chain(&overlay.lower);
                layers.map(|layer| in_system(layer)).collect()
            }
        }
    }
}

/// The real directories of a snapshot's `/etc`, topmost first, as its own fstab
/// has them; `var` is where `/var` is now. Only it holds layers outside the
/// snapshot.
///
/// # Errors
/// Its fstab cannot be read, or builds `/etc` in no known way.
pub fn layers_in(snapshot: &Path, var: &Path) -> Result<Vec<PathBuf>> {
    let etc = Etc::of(&super::disk::fstab_of(snapshot)?)?;
    let place = |layer: PathBuf| match layer.strip_prefix("/var") {
        Ok(rest) => var.join(rest),
        Err(_) => snapshot.join(layer.strip_prefix("/").unwrap_or(&layer)),
    };
    Ok(etc.layers().into_iter().map(place).collect())
}

impl Overlay {
    /// The layers of snapshot `number`, made from this one's: an upper layer of
    /// its own, under which this one's becomes the topmost lower layer.
    #[must_use]
    pub fn next(&self, number: u32) -> Self {
        let prefix = if self.upper.starts_with(INITRD_PREFIX) { INITRD_PREFIX } else { "" };
        let own = format!("{prefix}{OVERLAYS}/{number}");
        let lower = std::iter::once(&self.upper).chain(&self.lower).cloned().collect();
        Self { lower, upper: format!("{own}/etc").into(), work: format!("{own}/work-etc").into() }
    }

    /// An fstab in which `/etc` has these layers; everything else in it stays as
    /// it was, comments and spacing included.
    pub fn write_into(&self, fstab: &str) -> String {
        let lower: Vec<_> = self.lower.iter().map(|path| path.to_string_lossy()).collect();
        let values = [
            ("lowerdir=", lower.join(":")),
            ("upperdir=", self.upper.to_string_lossy().into_owned()),
            ("workdir=", self.work.to_string_lossy().into_owned()),
        ];
        let line = |line: &str| {
            let fields: Vec<&str> = line.split_ascii_whitespace().take(4).collect();
            let [spec, "/etc", "overlay", options] = fields[..] else { return line.to_owned() };
            if spec.starts_with('#') {
                return line.to_owned();
            }
            let changed: Vec<String> = options.split(',').map(|o| replaced(o, &values)).collect();
            line.replacen(options, &changed.join(","), 1)
        };
        fstab.split_inclusive('\n').map(line).collect()
    }
}

fn replaced(option: &str, values: &[(&str, String); 3]) -> String {
    let value = values.iter().find(|(name, _)| option.starts_with(name));
    value.map_or_else(|| option.to_owned(), |(name, value)| format!("{name}{value}"))
}

/// A path of fstab as the running system has it, without the initrd's prefix.
pub fn in_system(path: &Path) -> PathBuf {
    match path.strip_prefix(INITRD_PREFIX) {
        Ok(rest) => Path::new("/").join(rest),
        Err(_) => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::mountinfo::parse_fstab;

    const FSTAB: &str = "# /etc overlay overlay lowerdir=/no\nLABEL=ROOT / btrfs ro 0 0\n\
        overlay  /etc\toverlay defaults,lowerdir=/sysroot/etc,\
        upperdir=/sysroot/var/lib/overlay/1/etc,workdir=/sysroot/var/lib/overlay/1/work-etc,\
        x-systemd.requires-mounts-for=/sysroot/var,x-initrd.mount 0 0\n/dev/vdb /data ext4";

    fn of(text: &str) -> Result<Etc> {
        Etc::of(&parse_fstab(text).unwrap())
    }

    #[test]
    fn each_snapshot_gets_a_layer_over_its_parents() {
        let Etc::Overlay(first) = of(FSTAB).unwrap() else { panic!() };
        let second = first.next(2).write_into(FSTAB);
        assert_eq!(
            second,
            FSTAB
                .replace(
                    "lowerdir=/sysroot/etc",
                    "lowerdir=/sysroot/var/lib/overlay/1/etc:/sysroot/etc"
                )
                .replace(
                    "upperdir=/sysroot/var/lib/overlay/1",
                    "upperdir=/sysroot/var/lib/overlay/2"
                )
                .replace(
                    "workdir=/sysroot/var/lib/overlay/1",
                    "workdir=/sysroot/var/lib/overlay/2"
                )
        );
        let etc = of(&second).unwrap();
        assert_eq!(
            etc.layers(),
            ["/var/lib/overlay/2/etc", "/var/lib/overlay/1/etc", "/etc"].map(PathBuf::from)
        );
        let Etc::Overlay(second) = etc else { panic!() };
        assert_eq!(second.next(7).lower.len(), 3);
    }

    #[test]
    fn the_other_kinds_and_what_is_none_of_them() {
        assert_eq!(of("LABEL=ROOT / btrfs ro 0 0").unwrap(), Etc::Plain);
        assert_eq!(of("/etc /etc none bind,x-initrd.mount 0 0").unwrap(), Etc::Nested);
        for (fstab, says) in [
            ("overlay /etc overlay lowerdir=/etc 0 0", "has no upperdir="),
            ("/dev/vdb /etc ext4 defaults", "/etc is /dev/vdb of type ext4"),
            ("/other /etc none bind", "/etc is /other of type none"),
        ] {
            let error = of(fstab).unwrap_err().to_string();
            assert!(error.contains(says), "{fstab}: {error}");
        }
    }
}
