//! What sort of configuration a directory holds, by the names that its tools look for.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::firstboot::seed::{META_DATA, Platform, USER_DATA};

/// What is in a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Combustion's: `combustion/script`.
    Combustion,
    /// A seed of cloud-init's.
    Seed(Platform),
    /// Something else, by this name, which this program does not apply.
    Foreign(&'static str),
    /// Nothing that is known.
    Nothing,
}

/// Files by which another tool knows its own (Ignition's operator notes).
const FOREIGN: [(&str, &str); 1] = [("ignition/config.ign", "a configuration for Ignition")];

/// Looks.
///
/// # Errors
/// It cannot be read, or has half of a configuration.
pub(crate) fn of(dir: &Path) -> Result<Kind> {
    let exists = |name: &str| exists(dir, name);
    if exists("combustion")? {
        ensure!(
            dir.join("combustion").is_dir(),
            "\"combustion\" is there, but it is no directory: put the script into a directory of \
             that name"
        );
        ensure!(
            exists("combustion/script")?,
            "the directory \"combustion\" has no file \"script\" in it"
        );
        return Ok(Kind::Combustion);
    }
    if let Some(platform) = seed_in(dir)? {
        return Ok(Kind::Seed(platform));
    }
    for (name, what) in FOREIGN {
        if exists(name)? {
            return Ok(Kind::Foreign(what));
        }
    }
    Ok(Kind::Nothing)
}

/// Looks for a config drive, and for nothing else: for a drive without a label.
pub(super) fn config_drive(dir: &Path) -> Kind {
    let is_one = dir.join("openstack").is_dir();
    if is_one { Kind::Seed(Platform::ConfigDrive) } else { Kind::Nothing }
}

/// The seed in a directory, whatever else is there.
///
/// # Errors
/// It cannot be read, or has half of a seed.
pub(super) fn seed_in(dir: &Path) -> Result<Option<Platform>> {
    let (user, meta) = (exists(dir, USER_DATA)?, exists(dir, META_DATA)?);
    if user || meta {
        let (there, missing) = if user { (USER_DATA, META_DATA) } else { (META_DATA, USER_DATA) };
        ensure!(
            user && meta,
            "there is {there:?}, but no {missing:?}: put it there, it may be an empty file"
        );
        return Ok(Some(Platform::NoCloud));
    }
    Ok(dir.join("openstack").is_dir().then_some(Platform::ConfigDrive))
}

fn exists(dir: &Path, name: &str) -> Result<bool> {
    dir.join(name).try_exists().with_context(|| format!("cannot look for {name:?}"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_in_a_directory() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path();
        assert_eq!(of(path).unwrap(), Kind::Nothing);
        fs::write(path.join("user-data"), "#cloud-config\n").unwrap();
        let error = of(path).unwrap_err().to_string();
        assert!(error.starts_with("there is \"user-data\", but no \"meta-data\""), "{error}");
        fs::create_dir(path.join("ignition")).unwrap();
        fs::write(path.join("ignition/config.ign"), "{}").unwrap();
        fs::rename(path.join("user-data"), path.join("meta-data")).unwrap();
        assert!(of(path).unwrap_err().to_string().contains("but no \"user-data\""));
        fs::write(path.join("user-data"), "").unwrap();
        assert_eq!(of(path).unwrap(), Kind::Seed(Platform::NoCloud));
        assert_eq!(config_drive(path), Kind::Nothing);
        fs::create_dir_all(path.join("openstack/latest")).unwrap();
        assert_eq!(config_drive(path), Kind::Seed(Platform::ConfigDrive));
        assert_eq!(of(path).unwrap(), Kind::Seed(Platform::NoCloud));
        fs::remove_file(path.join("user-data")).unwrap();
        fs::remove_file(path.join("meta-data")).unwrap();
        assert_eq!(of(path).unwrap(), Kind::Seed(Platform::ConfigDrive));
        fs::remove_dir_all(path.join("openstack")).unwrap();
        assert_eq!(of(path).unwrap(), Kind::Foreign("a configuration for Ignition"));
        fs::create_dir(path.join("combustion")).unwrap();
        let error = of(path).unwrap_err().to_string();
        assert_eq!(error, "the directory \"combustion\" has no file \"script\" in it");
        fs::write(path.join("combustion/script"), "#!/bin/sh\n").unwrap();
        assert_eq!(of(path).unwrap(), Kind::Combustion);
        fs::remove_dir_all(path.join("combustion")).unwrap();
        fs::write(path.join("combustion"), "").unwrap();
        assert!(of(path).unwrap_err().to_string().contains("no directory"));
    }
}
