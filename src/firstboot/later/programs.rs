//! Running a configuration's programs. Their texts are secret: each lies in a directory that only
//! root can enter, and only while it runs.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use nix::errno::Errno;
use nix::sys::statvfs::{FsFlags, statvfs};

use super::marks::file_name;
use super::order::{Task, Work};
use super::phone;
use super::run::Worker;
use super::{ANSWER, marks};
use crate::firstboot::configuration::Later;
use crate::firstboot::script;
use crate::record::{handoff, store};
use crate::sys::command::{self, End};
use crate::sys::files::Root;
use crate::sys::systemd;

/// What the names of the directories begin with; a power cut may leave one in `/var`.
const PREFIX: &str = "scripts-";

/// Runs them in this system, for this instance.
#[derive(Debug)]
pub(super) struct Programs<'a> {
    root: &'a Root,
    instance_id: &'a str,
}

impl<'a> Programs<'a> {
    pub(super) fn new(root: &'a Root, later: &'a Later) -> Self {
        Self { root, instance_id: &later.instance_id }
    }

    /// Runs a program by its text, after these words.
    pub(super) fn text(
        &self,
        name: &str,
        text: &[u8],
        prefix: &[String],
        limit: Duration,
    ) -> Result<()> {
        let place = self.place()?;
        let directory = tempfile::Builder::new()
            .prefix(PREFIX)
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(&place.dir)
            .with_context(|| format!("cannot make a directory in {}", place.dir.display()))?;
        let path = directory.path().join(file_name(name.rsplit('/').next().unwrap_or(name)));
        write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        let command = if place.executes {
            Command::new(&path)
        } else {
            interpreted(&path, text).context("neither /run nor /var lets programs be executed")?
        };
        let result =
            self.run(after(prefix, command), limit).map_err(|e| match (e, prefix.first()) {
                (Ended::Failed(e), _) => e,
                (Ended::NotStarted(e), Some(program)) => {
                    anyhow!("{program}, the prefix of vendor_data, cannot be started: {e}")
                }
                (Ended::NotStarted(e), None) => not_started(&e, text),
            });
        directory.close().context("its text cannot be removed")?;
        result
    }

    /// Runs a program that is there, also where its file system lets none be executed.
    fn file(&self, path: &Path, limit: Duration) -> Result<()> {
        let text = || fs::read(path).with_context(|| format!("cannot read {}", path.display()));
        let command = if executes(path)? {
            Command::new(path)
        } else {
            interpreted(path, &text()?)
                .with_context(|| format!("{} is on a file system mounted noexec", path.display()))?
        };
        self.run(command, limit).map_err(|e| match e {
            Ended::Failed(e) => e,
            Ended::NotStarted(e) => text().map_or_else(|e| e, |text| not_started(&e, &text)),
        })
    }

    fn run(&self, mut command: Command, limit: Duration) -> Result<(), Ended> {
        command.env("INSTANCE_ID", self.instance_id).current_dir("/");
        match command::run_and_leave(&mut command, limit) {
            Ok(End::Exit(0)) => Ok(()),
            Ok(end) => Err(Ended::Failed(anyhow!("{end}"))),
            Err(e) => Err(Ended::NotStarted(e)),
        }
    }

    /// `/run` is memory, and gone with the boot; where nothing can be executed there, `/var`;
    /// where not even there, a script still runs by its interpreter.
    fn place(&self) -> Result<Place> {
        let memory = self.root.join(handoff::DIR);
        let disk = self.root.join(store::DIR).join(marks::DIR);
        for dir in [&memory, &disk] {
            fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
            if executes(dir)? {
                return Ok(Place { dir: dir.clone(), executes: true });
            }
        }
        Ok(Place { dir: memory, executes: false })
    }
}

impl Worker for Programs<'_> {
    fn work(&mut self, task: &Task, limit: Duration) -> Result<()> {
        match &task.work {
            Work::Text { text, prefix } => self.text(&task.name, text, prefix, limit),
            Work::File(path) => self.file(path, limit),
            Work::PhoneHome(home) => phone::tell(self.root, home, self.instance_id, limit),
            Work::Power => Ok(()),
        }
    }

    fn is_stopping(&mut self) -> bool {
        self.root.is_live() && systemd::is_stopping(ANSWER)
    }
}

struct Place {
    dir: PathBuf,
    executes: bool,
}

enum Ended {
    Failed(anyhow::Error),
    NotStarted(io::Error),
}

fn executes(path: &Path) -> Result<bool> {
    let flags = statvfs(path).with_context(|| format!("statvfs {}", path.display()))?.flags();
    Ok(!flags.contains(FsFlags::ST_NOEXEC))
}

/// Closed when it returns: what is open for writing cannot be executed.
fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o700).open(path)?.write_all(text)
}

/// What the kernel would make of it where it may be executed.
fn interpreted(path: &Path, text: &[u8]) -> Result<Command> {
    let Some(interpreter) = script::parse(text)?.interpreter else {
        bail!("it is a program in machine code, which no interpreter runs");
    };
    let mut command = Command::new(interpreter.path);
    command.args(interpreter.argument).arg(path);
    Ok(command)
}

/// The same program, named to the one that these words start.
fn after(prefix: &[String], program: Command) -> Command {
    let Some((first, rest)) = prefix.split_first() else { return program };
    let mut command = Command::new(first);
    command.args(rest).arg(program.get_program()).args(program.get_args());
    command
}

/// The kernel says "no such file" of a file that is plainly there: its first line says why.
fn not_started(e: &io::Error, text: &[u8]) -> anyhow::Error {
    let why = match e.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ENOEXEC | Errno::ENOENT | Errno::EACCES) => {
            script::parse(text).and_then(|it| {
                it.interpreter.map_or(Ok(()), |interpreter| interpreter.check(Path::new("/")))
            })
        }
        _ => Ok(()),
    };
    match why {
        Err(why) => anyhow!("it cannot be started: {why:#}"),
        Ok(()) => anyhow!("it cannot be started: {e}"),
    }
}

/// Removes what a power cut has left of texts in `/var`.
pub(super) fn sweep(root: &Root) {
    let dir = root.join(store::DIR).join(marks::DIR);
    for path in crate::sys::files::list(&dir).unwrap_or_default() {
        let is_ours =
            path.file_name().is_some_and(|it| it.as_encoded_bytes().starts_with(PREFIX.as_bytes()));
        if is_ours && let Err(e) = fs::remove_dir_all(&path) {
            log::warn!("cannot remove {}: {e}", path.display());
        }
    }
}
