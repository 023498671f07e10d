//! Who may configure this machine: where the image holds a public key, only who signed.
//!
//! What is signed is a manifest, `SHA256SUMS` at the source's root in the format of
//! sha256sum(1), which names every file there. So a configuration may be made with
//! standard tools, and none of its files be added, left out or exchanged.

mod keys;
mod manifest;
mod signature;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};

pub use keys::Key;
pub use manifest::{Manifest, NAME as MANIFEST};
pub use signature::{NAMESPACE, sign};

use super::machine::Machine;

/// An OpenSSH signature of the manifest (`ssh-keygen -Y sign -n health-checker`).
pub const SSH_SIGNATURE: &str = "SHA256SUMS.sig";
/// One of minisign's.
pub const MINISIGNATURE: &str = "SHA256SUMS.minisig";
/// What is looked for beside a script.
pub const FILES: [&str; 3] = [MANIFEST, SSH_SIGNATURE, MINISIGNATURE];
/// `firstboot.verify=required` on the kernel command line. There is no word that switches
/// verification off: whoever can edit the command line would otherwise be trusted.
const WORD: &str = "firstboot.verify";

/// What this machine trusts.
#[derive(Debug, Default)]
pub struct Trust {
    keys: Vec<Key>,
    required: bool,
}

/// The files of a source, by their paths in it, with their SHA-256 in hexadecimal.
pub type Files = BTreeMap<PathBuf, String>;

impl Trust {
    /// What the initrd's keys say, or, where it has none, those of the system.
    ///
    /// # Errors
    /// A key cannot be read: that must not mean that there is none.
    pub fn of(machine: &Machine) -> Result<Self> {
        let required = match machine.cmdline.value(WORD) {
            Some("required") => true,
            Some(other) => {
                bail!("{WORD}={other} on the kernel command line: only {WORD}=required is known")
            }
            None => false,
        };
        Ok(Self { keys: keys::of(machine)?, required })
    }

    /// These keys, and nothing else.
    pub(super) fn in_keys(keys: Vec<Key>) -> Self {
        Self { keys, required: true }
    }

    /// Whether configurations must be signed.
    pub fn is_asked_for(&self) -> bool {
        self.required || !self.keys.is_empty()
    }

    /// Makes sure that these files, which came from one source, are what a trusted key
    /// signed. `read` gives a file's content. Returns the name of the key.
    ///
    /// # Errors
    /// They are not, and why.
    pub fn verify(
        &self,
        files: &Files,
        read: impl Fn(&str) -> Result<Option<Vec<u8>>>,
    ) -> Result<String> {
        ensure!(
            !self.keys.is_empty(),
            "{WORD}=required, and neither initrd nor image has a public key to verify with"
        );
        let what_to_do = "this machine takes only what is signed: make the configuration with \
                          health-checker drive create --sign KEY";
        let manifest = read(MANIFEST)?
            .with_context(|| format!("there is no {MANIFEST} with it: {what_to_do}"))?;
        let mut signatures = Vec::new();
        for name in [SSH_SIGNATURE, MINISIGNATURE] {
            signatures.extend(read(name)?.map(|bytes| (name, bytes)));
        }
        ensure!(!signatures.is_empty(), "there is no signature with it: {what_to_do}");
        let signer = self.signer(&manifest, &signatures)?;
        let text = String::from_utf8(manifest).with_context(|| format!("{MANIFEST} is no text"))?;
        Manifest::parse(&text)?.check(files)?;
        Ok(signer)
    }

    fn signer(&self, manifest: &[u8], signatures: &[(&str, Vec<u8>)]) -> Result<String> {
        let mut problems = Vec::new();
        for (name, bytes) in signatures {
            for key in &self.keys {
                match signature::verify(key, manifest, name, bytes) {
                    Ok(true) => return Ok(key.name.clone()),
                    Ok(false) => {}
                    Err(e) => problems.push(format!("{name}: {e:#}")),
                }
            }
        }
        problems.dedup();
        let names: Vec<_> = self.keys.iter().map(|key| key.name.as_str()).collect();
        let why =
            if problems.is_empty() { String::new() } else { format!(" ({})", problems.join("; ")) };
        bail!("{MANIFEST} is not signed by any of this machine's keys: {}{why}", names.join(", "))
    }
}

/// Whether this machine takes only what is signed.
///
/// # Errors
/// As [`Trust::of`].
pub fn is_asked_for(machine: &Machine) -> Result<bool> {
    Ok(Trust::of(machine)?.is_asked_for())
}
