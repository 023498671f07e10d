//! What would not work on the machine.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::image::Format;
use crate::firstboot::cloud_config::Defaults;
use crate::firstboot::copy::Copied;
use crate::firstboot::interpret::interpret;
use crate::firstboot::{script, seed};

/// Combustion's label; in capitals, since FAT knows no others.
const COMBUSTION: &str = "COMBUSTION";
/// That of a seed of `NoCloud`'s.
const NOCLOUD: &str = "CIDATA";
/// That of a config drive of `OpenStack`'s.
const CONFIG_DRIVE: &str = "CONFIG-2";

/// Refuses it, or says which label a drive with this has.
///
/// # Errors
/// What is wrong, with file and line, and what to do.
pub(super) fn refuse(
    tree: &Path,
    copied: &Copied,
    format: Format,
    signed: bool,
) -> Result<&'static str> {
    let label = content(tree)?;
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
    Ok(label)
}

/// What the machine would find on it, in its order.
fn content(tree: &Path) -> Result<&'static str> {
    let has = |name: &str| tree.join(name).exists();
    if has("combustion/script") {
        let bytes = fs::read(tree.join("combustion/script")).context("combustion/script")?;
        script::parse(&bytes).context("combustion/script")?;
        return Ok(COMBUSTION);
    }
    if has("openstack") || (has("user-data") && has("meta-data")) {
        usable_seed(tree)?;
        return Ok(if has("openstack") { CONFIG_DRIVE } else { NOCLOUD });
    }
    let hint = if has("script") {
        "the script is one directory too high, move it into \"combustion\""
    } else if has("user-data") {
        "beside user-data there must be a file meta-data, which may be empty"
    } else {
        "what the machine runs is combustion/script; what it reads are user-data and meta-data"
    };
    bail!("there is no file combustion/script in it: {hint}");
}

/// What user-data includes is not fetched here: only the machine can say whether it is there.
fn usable_seed(tree: &Path) -> Result<()> {
    let seed = seed::given(tree)?;
    let interpreted = interpret(&seed, &Defaults::of(""), &|_| Ok(b"#cloud-config\n{}\n".to_vec()));
    for problem in interpreted.problems.iter().filter(|it| !it.is_error()) {
        log::warn!("{problem}");
    }
    let errors = interpreted.problems.iter().filter(|it| it.is_error()).map(ToString::to_string);
    let errors: Vec<_> = errors.collect();
    ensure!(errors.is_empty(), "{}", errors.join("\n"));
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
