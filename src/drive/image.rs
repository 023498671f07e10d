//! The file systems of a drive: FAT, which every machine reads and every desk writes, and
//! ISO 9660 with Rock Ridge and Joliet.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use hadris_fat::{FatOptions, VolumeLabel};
use hadris_fs::host::{self, TreeOptions};
use hadris_fs::{Clock, Owner, SystemClock, Tree};
use hadris_iso::{IsoId, IsoOptions};
use hadris_storage::host::FileDevice;

/// Smaller ones are FAT12, which some firmware and desks do not read.
const SMALLEST: u64 = 16 << 20;
/// For tables and directories, beside the content.
const SPARE: u64 = 4 << 20;

/// How the drive is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Fat,
    Iso,
}

impl Format {
    /// By the name of the file.
    pub(super) fn of(output: &Path) -> Result<Self> {
        match output.extension().and_then(|it| it.to_str()) {
            Some("img" | "raw") => Ok(Self::Fat),
            Some("iso") => Ok(Self::Iso),
            _ => bail!(
                "{}: what kind of drive is meant? FILE.img is one for a USB stick, FILE.iso a CD",
                output.display()
            ),
        }
    }
}

/// Writes all that is in `dir`, and returns the size of the image in bytes.
///
/// # Errors
/// What cannot be stored, or not be written.
pub(super) fn write(format: Format, label: &str, dir: &Path, file: &File) -> Result<u64> {
    // Whoever made it is nobody on the machine.
    let owner = Owner::new(0, 0);
    let (tree, _) =
        host::read_tree(dir, &TreeOptions::new().with_owner(owner)).map_err(|e| anyhow!("{e}"))?;
    let now = SystemClock.now();
    let report = match format {
        Format::Fat => {
            file.set_len(size_of(&tree))?;
            let label = VolumeLabel::new(label).map_err(|e| anyhow!("{e}"))?;
            let options = FatOptions::new().with_label(label).with_time(now);
            hadris_fat::sync::write(device(file)?, &tree, &options)
        }
        Format::Iso => {
            let options = IsoOptions::default()
                .with_id(IsoId::Volume, label)
                .with_joliet()
                .with_rock_ridge()
                .with_time(now);
            hadris_iso::sync::write(device(file)?, &tree, &options)
        }
    };
    let report = report.map_err(|e| anyhow!("{e}"))?;
    Ok(report.size())
}

fn device(file: &File) -> Result<FileDevice> {
    FileDevice::new(file.try_clone()?).context("cannot use the file as a device")
}

fn size_of(tree: &Tree) -> u64 {
    let mut content = 0;
    let mut left = vec![tree.root()];
    while let Some(entry) = left.pop() {
        let length = entry.node().content().map_or(0, hadris_fs::Content::len);
        // Clusters are at most this large on volumes of this size.
        content += length.next_multiple_of(16 << 10);
        left.extend(entry.children().map(|(_, child)| child));
    }
    (content + content / 50 + SPARE).next_multiple_of(1 << 20).max(SMALLEST)
}
