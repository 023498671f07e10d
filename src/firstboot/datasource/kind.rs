//! What sort of configuration a directory holds, by the names that its tools look for.

use std::path::Path;

use anyhow::{Context, Result, ensure};

/// What is in a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Combustion's: `combustion/script`.
    Combustion,
    /// Something else, by this name, which this program does not apply.
    Foreign(&'static str),
    /// Nothing that is known.
    Nothing,
}

/// Files by which another tool knows its own (Ignition's operator notes; cloud-init's
/// `NoCloud` and `ConfigDrive`).
const FOREIGN: [(&str, &str); 4] = [
    ("ignition/config.ign", "a configuration for Ignition"),
    ("user-data", "user-data for cloud-init"),
    ("meta-data", "meta-data for cloud-init"),
    ("openstack/latest", "a configuration drive of OpenStack's"),
];

/// Looks.
///
/// # Errors
/// It cannot be read, or has half of a configuration.
pub(super) fn of(dir: &Path) -> Result<Kind> {
    let exists = |name: &str| {
        dir.join(name).try_exists().with_context(|| format!("cannot look for {name:?}"))
    };
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
    for (name, what) in FOREIGN {
        if exists(name)? {
            return Ok(Kind::Foreign(what));
        }
    }
    Ok(Kind::Nothing)
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
        assert_eq!(of(path).unwrap(), Kind::Foreign("user-data for cloud-init"));
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
