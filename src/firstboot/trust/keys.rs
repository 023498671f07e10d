//! The public keys of the initrd or of the system.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use minisign_verify::PublicKey as MinisignKey;
use ssh_key::PublicKey as SshKey;

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
    /// It is neither.
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
            Public::Ssh(Box::new(key.context("it is no public key of ssh-keygen or minisign")?))
        };
        Ok(Self { name, key })
    }
}
