//! What would not work on the machine.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::image::Format;
use crate::firstboot::copy::Copied;
use crate::firstboot::script;

/// Refuses it.
///
/// # Errors
/// What is wrong, with file and line, and what to do.
pub(super) fn refuse(tree: &Path, copied: &Copied, format: Format, signed: bool) -> Result<()> {
    let path = tree.join("combustion/script");
    if !path.exists() {
        let hint = if tree.join("script").exists() {
            ": the script is one directory too high, move it into \"combustion\""
        } else {
            ": what the machine runs is combustion/script"
        };
        bail!("there is no file combustion/script in it{hint}");
    }
    let bytes = fs::read(&path).context("combustion/script")?;
    script::parse(&bytes).context("combustion/script")?;
    if let Some(other) = copied.others.first() {
        ensure!(
            format != Format::Fat,
            "{} is a link, which a FAT file system cannot hold: copy the file, or make an .iso",
            other.display()
        );
        ensure!(!signed, "{} is a link: only files can be signed", other.display());
    }
    if format == Format::Fat {
        names_that_fall_together(copied)?;
    }
    Ok(())
}

/// FAT makes no difference between `Key` and `key`: one would be lost.
fn names_that_fall_together(copied: &Copied) -> Result<()> {
    let mut seen = BTreeMap::new();
    for path in copied.files.keys() {
        let folded = path.to_string_lossy().to_lowercase();
        if let Some(before) = seen.insert(folded, path) {
            bail!(
                "{} and {} are one name on a FAT file system: rename one, or make an .iso",
                before.display(),
                path.display()
            );
        }
    }
    Ok(())
}
