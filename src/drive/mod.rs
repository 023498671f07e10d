//! `health-checker drive create`: a config drive from a directory, at somebody's desk. What
//! would fail on the machine is refused here, where it can be corrected.

mod check;
mod image;
mod names;

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use tempfile::TempDir;

use crate::firstboot::copy::{self, Copied};
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
    /// Sign it with this private key of ssh-keygen's, of ed25519 or ecdsa-sha2-nistp256
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
/// What was named could not be read, or the drive could not be written; nothing is left of it then.
pub fn run(command: &DriveCommand) -> Result<u8> {
    let DriveCommand::Create(create) = command;
    create.run(&mut io::stdout().lock())
}

/// All that was named, in memory and in a copy: what was checked and signed is what is written.
struct Gathered {
    copy: TempDir,
    copied: Copied,
    /// The private key.
    key: Option<String>,
}

impl Gathered {
    fn tree(&self) -> PathBuf {
        self.copy.path().join("drive")
    }
}

/// A drive that a machine would take.
struct Checked {
    format: Format,
    label: &'static str,
    /// Its manifest and the signature of that, by their names.
    signature: Vec<(&'static str, String)>,
}

impl Create {
    fn run(&self, out: &mut dyn Write) -> Result<u8> {
        let gathered = match self.gather() {
            // Whether it is a good drive could not be found out.
            Err(e) if e.chain().any(<dyn Error>::is::<io::Error>) => return Err(e),
            gathered => gathered,
        };
        let checked = gathered.and_then(|it| Ok((self.check(&it)?, it)));
        match checked {
            Ok((checked, gathered)) => self.write(out, &checked, &gathered).map(|()| 0),
            Err(e) => {
                log::error!("{e:#}");
                Ok(1)
            }
        }
    }

    fn gather(&self) -> Result<Gathered> {
        let named = || format!("cannot read {}", self.dir.display());
        fs::read_dir(&self.dir).with_context(named)?;
        let read = |key: &PathBuf| {
            fs::read_to_string(key).with_context(|| format!("cannot read {}", key.display()))
        };
        let key = self.sign.as_ref().map(read).transpose()?;
        let copy = tempfile::tempdir().context("cannot make a directory")?;
        let copied = copy::copy(&self.dir, &copy.path().join("drive"))?;
        Ok(Gathered { copy, copied, key })
    }

    fn check(&self, gathered: &Gathered) -> Result<Checked> {
        let format = Format::of(&self.output)?;
        self.may_write()?;
        let (tree, files) = (gathered.tree(), &gathered.copied.files);
        let named = self.dir.display().to_string();
        let signed = gathered.key.is_some() || files.contains_key(Path::new(trust::MANIFEST));
        let source = check::Source { tree: &tree, named: &named, copied: &gathered.copied };
        let label = source.refuse(format, signed)?;
        let signature = if let (Some(path), Some(key)) = (&self.sign, &gathered.key) {
            sign(files, key).with_context(|| path.display().to_string())?
        } else {
            check_manifest(&tree, files).context(named)?;
            Vec::new()
        };
        Ok(Checked { format, label, signature })
    }

    fn write(&self, out: &mut dyn Write, drive: &Checked, gathered: &Gathered) -> Result<()> {
        for (name, text) in &drive.signature {
            fs::write(gathered.tree().join(name), text)
                .with_context(|| format!("cannot write {name}"))?;
        }
        let size = self.write_image(drive, &gathered.tree())?;
        let name = self.output.display();
        writeln!(out, "{name}: {} KiB, label {}", size >> 10, drive.label)?;
        match drive.format {
            Format::Fat => writeln!(
                out,
                "To a stick: dd if={name} of=/dev/sdX bs=4M conv=fsync (everything on it is lost)"
            )?,
            Format::Iso => {
                writeln!(out, "For a CD drive, or a hypervisor's; to a stick also by dd")?;
            }
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
    fn write_image(&self, drive: &Checked, tree: &Path) -> Result<u64> {
        let dir = match self.output.parent() {
            Some(dir) if dir != Path::new("") => dir,
            _ => Path::new("."),
        };
        let write = || -> Result<u64> {
            let file = tempfile::Builder::new().suffix(".part").tempfile_in(dir)?;
            let size = image::write(drive.format, drive.label, tree, file.as_file())?;
            file.as_file().sync_all()?;
            file.persist(&self.output)?;
            Ok(size)
        };
        write().with_context(|| format!("cannot write {}", self.output.display()))
    }
}

fn sign(listed: &Files, key: &str) -> Result<Vec<(&'static str, String)>> {
    let manifest = Manifest::of(listed).to_text()?;
    let signature = trust::sign(key, manifest.as_bytes())?;
    Ok(vec![(trust::MANIFEST, manifest), (trust::SSH_SIGNATURE, signature)])
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
mod tests;
