//! `health-checker drive create`: a config drive from a directory, at somebody's desk. What
//! would fail on the machine is refused here, where it can be corrected.

mod check;
mod image;

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, Subcommand};
use tempfile::TempDir;

use crate::firstboot::copy;
use crate::firstboot::trust::{self, Files, Manifest};
use crate::sys::files;
use image::Format;

/// What can be done with drives.
#[derive(Debug, Subcommand)]
pub enum DriveCommand {
    /// Make a config drive from a directory: an image for a USB stick, or an ISO
    Create(Create),
}

/// The drive to make.
#[derive(Debug, Args)]
pub struct Create {
    /// The image to write: FILE.img for a USB stick, FILE.iso for a CD
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Sign it with this private key of ssh-keygen's
    #[arg(long, value_name = "KEY")]
    sign: Option<PathBuf>,
    /// Replace FILE if it is there
    #[arg(long)]
    force: bool,
    /// What shall be on it: a directory with combustion/script, or user-data and meta-data, in it
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

/// Carries a command out, and returns its exit status: 1 for what is refused.
///
/// # Errors
/// The drive could not be written; nothing is left of it then.
pub fn run(command: &DriveCommand) -> Result<u8> {
    let DriveCommand::Create(create) = command;
    match create.prepare() {
        Ok(prepared) => create.write(&prepared).map(|()| 0),
        Err(e) => {
            log::error!("{e:#}");
            Ok(1)
        }
    }
}

/// What is to be written, in a copy: what was checked and signed is what is written.
struct Prepared {
    format: Format,
    label: &'static str,
    copy: TempDir,
}

impl Prepared {
    fn tree(&self) -> PathBuf {
        self.copy.path().join("drive")
    }
}

impl Create {
    fn prepare(&self) -> Result<Prepared> {
        let format = Format::of(&self.output)?;
        self.may_write()?;
        let copy = tempfile::tempdir().context("cannot make a directory")?;
        let mut prepared = Prepared { format, label: "", copy };
        let tree = prepared.tree();
        ensure!(self.dir.is_dir(), "{} is no directory", self.dir.display());
        let copied = copy::copy(&self.dir, &tree)?;
        let named = || self.dir.display().to_string();
        let label = check::refuse(&tree, &copied, format, self.sign.is_some());
        prepared.label = label.with_context(named)?;
        match &self.sign {
            Some(key) => sign(&tree, &copied.files, key)?,
            None => check_manifest(&tree, &copied.files).with_context(named)?,
        }
        Ok(prepared)
    }

    fn write(&self, prepared: &Prepared) -> Result<()> {
        let size = self.write_image(prepared)?;
        println!("{}: {} KiB, label {}", self.output.display(), size >> 10, prepared.label);
        match prepared.format {
            Format::Fat => println!(
                "To a stick: dd if={} of=/dev/sdX bs=4M conv=fsync (everything on it is lost)",
                self.output.display()
            ),
            Format::Iso => println!("For a CD drive, or a hypervisor's; to a stick also by dd"),
        }
        Ok(())
    }

    fn may_write(&self) -> Result<()> {
        match fs::symlink_metadata(&self.output) {
            Ok(metadata) if !metadata.is_file() => bail!(
                "{} is no file: write an image first, and that to the device",
                self.output.display()
            ),
            Ok(_) if !self.force => {
                bail!("{} is there already: --force replaces it", self.output.display())
            }
            _ => Ok(()),
        }
    }

    /// All of it, or nothing: an image that was cut off looks like one.
    fn write_image(&self, prepared: &Prepared) -> Result<u64> {
        let dir = match self.output.parent() {
            Some(dir) if dir != Path::new("") => dir,
            _ => Path::new("."),
        };
        let write = || -> Result<u64> {
            let file = tempfile::Builder::new().suffix(".part").tempfile_in(dir)?;
            let Prepared { format, label, .. } = prepared;
            let size = image::write(*format, label, &prepared.tree(), file.as_file())?;
            file.as_file().sync_all()?;
            file.persist(&self.output)?;
            Ok(size)
        };
        write().with_context(|| format!("cannot write {}", self.output.display()))
    }
}

fn sign(tree: &Path, listed: &Files, key: &Path) -> Result<()> {
    let private =
        files::read_text(key)?.with_context(|| format!("{} is not there", key.display()))?;
    let manifest = Manifest::of(listed).to_text()?;
    let signature =
        trust::sign(&private, manifest.as_bytes()).with_context(|| key.display().to_string())?;
    for (name, text) in [(trust::MANIFEST, manifest), (trust::SSH_SIGNATURE, signature)] {
        File::create(tree.join(name))
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .with_context(|| format!("cannot write {name}"))?;
    }
    Ok(())
}

/// A manifest of the author's own that no longer fits would be refused by the machine.
fn check_manifest(tree: &Path, listed: &Files) -> Result<()> {
    match files::read_text(&tree.join(trust::MANIFEST))? {
        None => Ok(()),
        Some(text) => Manifest::parse(&text)?
            .check(listed)
            .context("its manifest is not of these files: make and sign it anew, or remove it"),
    }
}

#[cfg(test)]
mod tests {
    use ssh_key::private::Ed25519Keypair;
    use ssh_key::{LineEnding, PrivateKey};

    use super::*;
    use crate::firstboot::machine::Machine;
    use crate::firstboot::trust::Trust;
    use crate::sys::cmdline::Cmdline;
    use crate::sys::files::Root;

    /// The private and the public key that ssh-keygen would make, of nobody.
    fn key_pair() -> (String, String) {
        let key = PrivateKey::from(Ed25519Keypair::from_seed(&[7; 32]));
        let private = key.to_openssh(LineEnding::LF).unwrap().to_string();
        (private, key.public_key().to_openssh().unwrap())
    }

    fn create(dir: &Path, output: &str, signed: bool) -> Result<PathBuf, String> {
        let output = dir.join(output);
        let key = dir.join("key");
        fs::write(&key, key_pair().0).unwrap();
        let drive = dir.join("drive");
        let sign = signed.then_some(key);
        let create = Create { output: output.clone(), sign, force: false, dir: drive };
        create
            .prepare()
            .and_then(|it| create.write(&it))
            .map(|()| output)
            .map_err(|e| format!("{e:#}"))
    }

    fn directory(script: &[u8]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("drive/combustion")).unwrap();
        fs::write(dir.path().join("drive/combustion/script"), script).unwrap();
        dir
    }

    #[test]
    fn images_have_their_file_systems_and_are_never_half() {
        let dir = directory(b"#!/bin/sh\n");
        let stick = create(dir.path(), "a.img", true).unwrap();
        let bytes = fs::read(&stick).unwrap();
        assert!(bytes.windows(11).any(|it| it == b"COMBUSTION "), "no label");
        let cd = create(dir.path(), "a.iso", false).unwrap();
        let bytes = fs::read(cd).unwrap();
        assert_eq!(&bytes[0x8001..0x8006], b"CD001");
        assert!(create(dir.path(), "a.img", false).unwrap_err().contains("--force replaces it"));
        assert!(create(dir.path(), "a.zip", false).unwrap_err().contains("FILE.img"));
        assert_eq!(fs::read(stick).unwrap().len() % 512, 0);
    }

    #[test]
    fn what_is_signed_is_trusted_and_what_is_changed_is_not() {
        let dir = directory(b"#!/bin/sh\n");
        let tree = dir.path().join("drive");
        let listed = copy::copy(&tree, &dir.path().join("copy")).unwrap().files;
        let key = dir.path().join("key");
        let (private, public) = key_pair();
        fs::write(&key, private).unwrap();
        sign(&tree, &listed, &key).unwrap();
        let root = Root::new(dir.path());
        let keys = root.join("/usr/lib/health-checker/firstboot.keys/admin.pub");
        files::replace(&keys, public.as_bytes(), 0o644).unwrap();
        let machine = Machine::new(root, "/nonexistent".into(), Cmdline::default());
        let trust = Trust::of(&machine).unwrap();
        let verify = || {
            let files_now = copy::copy(&tree, &dir.path().join("copy")).unwrap().files;
            trust
                .verify(&files_now, |name| files::read(&tree.join(name)))
                .map_err(|e| format!("{e:#}"))
        };
        assert_eq!(verify().unwrap(), "admin.pub");
        fs::write(tree.join("combustion/more"), "").unwrap();
        assert!(verify().unwrap_err().contains("nobody has signed it"));
        fs::remove_file(tree.join("combustion/more")).unwrap();
        let manifest = fs::read_to_string(tree.join("SHA256SUMS")).unwrap();
        fs::write(tree.join("SHA256SUMS"), manifest.replace("script", "scripd")).unwrap();
        assert!(
            verify().unwrap_err().contains("not signed by any of this machine's keys: admin.pub")
        );
    }

    #[test]
    fn a_seed_has_its_own_label_and_a_wrong_one_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let drive = dir.path().join("drive");
        fs::create_dir(&drive).unwrap();
        fs::write(drive.join("user-data"), "#cloud-config\nusers: []\n").unwrap();
        let error = create(dir.path(), "a.img", false).unwrap_err();
        assert!(error.contains("there must be a file meta-data"), "{error}");
        fs::write(drive.join("meta-data"), "").unwrap();
        let stick = create(dir.path(), "a.img", false).unwrap();
        assert!(fs::read(stick).unwrap().windows(11).any(|it| it == b"CIDATA     "), "no label");
        fs::write(drive.join("user-data"), "#cloud-config\nruncmd: 3\n").unwrap();
        let error = create(dir.path(), "b.img", false).unwrap_err();
        assert!(error.contains("user-data:2:9: error: runcmd must be a list"), "{error}");
    }

    #[test]
    fn a_script_that_would_not_start_is_refused_at_the_desk() {
        for (script, says) in [
            (&b"#!/bin/sh\r\n"[..], "drive: combustion/script: line 1: it ends with CR and LF"),
            (b"echo", "line 1: no interpreter is named"),
        ] {
            let error = create(directory(script).path(), "a.img", false).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
        let dir = directory(b"#!/bin/sh\n");
        std::os::unix::fs::symlink("script", dir.path().join("drive/combustion/link")).unwrap();
        assert!(
            create(dir.path(), "a.img", false).unwrap_err().contains("combustion/link is a link")
        );
        assert!(
            create(dir.path(), "a.iso", true).unwrap_err().contains("combustion/link is a link")
        );
        create(dir.path(), "a.iso", false).unwrap();
    }
}
