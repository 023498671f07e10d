//! The public keys of the initrd or of the system.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use minisign_verify::PublicKey as MinisignKey;
use ssh_key::{Algorithm, EcdsaCurve, PublicKey as SshKey};

use crate::firstboot::machine::Machine;
use crate::snapshot::etc;
use crate::sys::files;

/// Files `*.pub` in a directory of this name, one key each; the first directory that has
/// any counts.
const NAME: &str = "firstboot.keys";

/// A public key.
#[derive(Debug)]
pub struct Key {
    /// Its file's name.
    pub name: String,
    pub(super) key: Public,
}

#[derive(Debug)]
pub(super) enum Public {
    Ssh(Box<SshKey>),
    Minisign(MinisignKey),
}

/// The initrd's own win: the initrd may be signed, where the system is not.
pub(super) fn of(machine: &Machine) -> Result<Vec<Key>> {
    let here = ["/etc/health-checker", "/usr/lib/health-checker"];
    let initrd = in_dirs(&here.map(|dir| machine.root.join(dir).join(NAME)))?;
    if !initrd.is_empty() {
        return Ok(initrd);
    }
    // Through the whole disk: in the initrd neither /etc nor /var is mounted, and a key that
    // was put into a running system's /etc may be in a layer of it.
    let disk = if machine.is_described() { None } else { machine.disk(false)? };
    let Some(disk) = disk else {
        let [var, usr] = ["var", "usr"].map(|dir| machine.sysroot.join(dir));
        return in_dirs(&of_system(&machine.sysroot, &var, &usr)?);
    };
    let number = disk.booted.id.number;
    let usr = disk.place(number, Path::new("/usr")).unwrap_or_else(|| {
        log::info!("/usr is on another file system: keys in it count if the initrd has them too");
        machine.sysroot.join("usr")
    });
    let keys = in_dirs(&of_system(&disk.snapshots.path(number), &disk.var, &usr)?)?;
    disk.close()?;
    Ok(keys)
}

fn of_system(root: &Path, var: &Path, usr: &Path) -> Result<Vec<PathBuf>> {
    let layers = etc::layers_in(root, var)?;
    let in_etc = layers.iter().map(|etc| etc.join("health-checker").join(NAME));
    Ok(in_etc.chain([usr.join("lib/health-checker").join(NAME)]).collect())
}

fn in_dirs(dirs: &[PathBuf]) -> Result<Vec<Key>> {
    for dir in dirs {
        let paths = files::list(dir)?;
        let keys = paths.iter().filter(|path| path.extension().is_some_and(|it| it == "pub"));
        let keys = keys.map(|path| read(path)).collect::<Result<Vec<_>>>()?;
        if !keys.is_empty() {
            return Ok(keys);
        }
    }
    Ok(Vec::new())
}

fn read(path: &Path) -> Result<Key> {
    let text = files::read_text(path)?.unwrap_or_default();
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Key::parse(name, &text).with_context(|| {
        format!("{}: whether a configuration may be trusted is not known", path.display())
    })
}

impl Key {
    /// Reads a key: a line of OpenSSH's, or the two of minisign's.
    ///
    /// # Errors
    /// It is neither, or of an algorithm that nothing can be verified by.
    pub fn parse(name: String, text: &str) -> Result<Self> {
        let key = if text.starts_with("untrusted comment:") {
            Public::Minisign(MinisignKey::decode(text).context("it is no key of minisign's")?)
        } else if text.starts_with("RW") {
            let key = MinisignKey::from_base64(text.trim());
            Public::Minisign(key.context("it is no key of minisign's")?)
        } else if text.trim().is_empty() {
            bail!("it is empty: a public key of ssh-keygen or minisign belongs there");
        } else {
            let key = SshKey::from_openssh(text.trim());
            let key = key.context("it is no public key of ssh-keygen or minisign")?;
            supported(&key.algorithm())?;
            Public::Ssh(Box::new(key))
        };
        Ok(Self { name, key })
    }
}

/// Makes sure that signatures by such a key of OpenSSH's can be made and verified here.
///
/// # Errors
/// They cannot, and which can. Said of the key, since otherwise every configuration that it
/// signed would look like one that somebody else has signed.
pub(super) fn supported(algorithm: &Algorithm) -> Result<()> {
    match algorithm {
        Algorithm::Ed25519
        | Algorithm::SkEd25519
        | Algorithm::SkEcdsaSha2NistP256
        | Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 } => Ok(()),
        other => bail!(
            "it is a key of {other}, whose signatures are not supported: take one of ed25519 or of \
             ecdsa-sha2-nistp256 (ssh-keygen -t ed25519)"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As ssh-keygen makes them; two of them are in hardware.
    const SUPPORTED: [&str; 4] = [
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFkuzBRrMxo7CQBzZ+H1WJsR3jmSit8qjtuhASqFdwT1",
        "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBHtg4Nxr7n63mPyF\
         J5IWn2+MPg0cujviDY4t7CuA+Gny13iviRYe5oE99g879BOF/PbD1b4uIk66mBfXA0VgXtE=",
        "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAICFo/k5LU8863u66Y\
         C9eUO2170QduohPURkQnbLa/dczAAAABHNzaDo=",
        "sk-ecdsa-sha2-nistp256@openssh.com AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTZAb3BlbnNzaC5jb20AA\
         AAIbmlzdHAyNTYAAABBBIELQJ2DgvaX1yQlKFokfWM2suuaCFI2qp0eJodHyg6O4ifxc3XpRKd1OS8dNYQtE/Yjd\
         XSrA+AOnMF5ns2Nkx4AAAAEc3NoOg==",
    ];
    const OTHERS: [(&str, &str); 3] = [
        (
            "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQCzUuI+9dy0qyLRbQo8Vv94Vz1pKEJ+WFF+fAPlLUvYy8FqxGk9\
         YvYXIVAfD8cEJjAiPfQVpzJePr2tbSh1BBpl3V3BdSHac5sfYxUn2nfeg59jFrKdVlT5svIjcXSlAj7HOuejTvZR\
         UezDpQeBxkxl3LNOCHxvmeaVOtG0FUvpZw==",
            "ssh-rsa",
        ),
        (
            "ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBG/+EViGB8w4eAv6\
         C1ZMqAIzJmLJ4jpUBSe30QbXWk/uzZnI3O1o7xvQAy5+zZClc3JDoZ4hZs/tcyisxacaeJ26++YG4nHpYwCWbG/4\
         mpx0ggS3bYMsl+pw6HqzJinN5Q==",
            "ecdsa-sha2-nistp384",
        ),
        (
            "ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBADhXMn71eA62P6s\
         V3hEE+1K4lphVEliumRCBGa32XH4yt0BI2QUcPP8nRNXgcT5WbVeBfXTJGZ7Ieqvd9tzYONWwgBqo7m30VapNrEl\
         Y7uOei/wvJr+mX0bKj6xrKmicYI7zDvNBKozn2q5uOCvJuzaUcfumdUwzUEYiqnzs6dYABSqbg==",
            "ecdsa-sha2-nistp521",
        ),
    ];

    #[test]
    fn a_key_that_nothing_can_be_verified_by_is_refused() {
        let parse = |text: &str| Key::parse("admin.pub".to_owned(), text);
        for text in SUPPORTED {
            parse(text).unwrap();
        }
        for (text, algorithm) in OTHERS {
            let error = format!("{:#}", parse(text).unwrap_err());
            let says = format!("it is a key of {algorithm}, whose signatures are not supported");
            assert!(error.starts_with(&says) && error.contains("-t ed25519"), "{error}");
        }
    }

    #[test]
    fn such_a_key_is_not_taken_for_none() {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [("admin.pub", SUPPORTED[0]), ("old.pub", OTHERS[0].0)] {
            files::replace(&dir.path().join(name), text.as_bytes(), 0o644).unwrap();
        }
        let error = format!("{:#}", in_dirs(&[dir.path().to_owned()]).unwrap_err());
        assert!(error.contains("old.pub: whether a configuration may be trusted"), "{error}");
        assert!(error.contains("it is a key of ssh-rsa"), "{error}");
    }
}
