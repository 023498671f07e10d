//! Signatures of the manifest: OpenSSH's (PROTOCOL.sshsig) and minisign's.

use anyhow::{Context, Result, bail, ensure};
use minisign_verify::Signature;
use ssh_key::{HashAlg, LineEnding, PrivateKey, SshSig};

use super::keys::{Key, Public, supported};
use super::{MINISIGNATURE, SSH_SIGNATURE};

/// What OpenSSH signs a file for: a signature for mail or git is none for a machine.
pub const NAMESPACE: &str = "health-checker";

/// Whether `key` signed the manifest; false if the signature is of another kind.
pub(super) fn verify(key: &Key, manifest: &[u8], name: &str, bytes: &[u8]) -> Result<bool> {
    let text = || std::str::from_utf8(bytes).context("it is no text");
    match (&key.key, name) {
        (Public::Ssh(key), SSH_SIGNATURE) => {
            let signature =
                SshSig::from_pem(text()?).context("it is no signature of ssh-keygen's")?;
            ensure!(
                signature.namespace() == NAMESPACE,
                "it is for {:?}, not for {NAMESPACE:?}: sign with -n {NAMESPACE}",
                signature.namespace()
            );
            Ok(key.verify(NAMESPACE, manifest, &signature).is_ok())
        }
        (Public::Minisign(key), MINISIGNATURE) => {
            let signature =
                Signature::decode(text()?).context("it is no signature of minisign's")?;
            match key.verify(manifest, &signature, false) {
                Err(minisign_verify::Error::UnexpectedAlgorithm) => {
                    bail!("it is of minisign's legacy format: sign without -l")
                }
                verified => Ok(verified.is_ok()),
            }
        }
        _ => Ok(false),
    }
}

/// Signs a manifest with an OpenSSH key: what [`SSH_SIGNATURE`] will hold.
///
/// # Errors
/// The key is none, is of an algorithm that no machine verifies, is protected by a passphrase, or
/// cannot sign.
pub fn sign(key: &str, manifest: &[u8]) -> Result<String> {
    let key = PrivateKey::from_openssh(key).context("it is no private key of ssh-keygen's")?;
    supported(&key.algorithm())?;
    ensure!(
        !key.is_encrypted(),
        "it is protected by a passphrase: sign by hand, with ssh-keygen -Y sign -n {NAMESPACE} \
         -f KEY SHA256SUMS, and put SHA256SUMS.sig beside it"
    );
    let signature = key.sign(NAMESPACE, HashAlg::Sha512, manifest).context("it cannot sign")?;
    signature.to_pem(LineEnding::LF).context("the signature cannot be written")
}
