//! Running programs: those of the system in its own world, and the script.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::firstboot::plan::Run;
use crate::firstboot::resolv::NameServers;
use crate::firstboot::script::{self, Script};
use crate::sys::command;

/// A system with all that belongs to it, at a directory.
#[derive(Clone, Copy, Debug)]
pub struct Inside<'a> {
    /// Where.
    pub root: &'a Path,
    /// Whether its programs are lent the name servers of the initrd.
    pub lends: bool,
}

impl Inside<'_> {
    /// Runs one of its programs in it; what it prints goes on to standard error.
    ///
    /// # Errors
    /// It could not be started, or [`Run::judge`] finds that it failed.
    pub fn run(&self, run: &Run) -> Result<()> {
        let mut inside = inside(self.root, Path::new("/"));
        inside.args(&run.command);
        let names = self.lends.then(|| NameServers::lend(self.root)).transpose()?;
        let output = match &run.input {
            Some(input) => command::run_with_input(&mut inside, input.bytes()?, run.limit),
            None => command::run_with_echo(&mut inside, run.limit, Some(command::to_stderr)),
        };
        if let Some(names) = names {
            names.take_back();
        }
        let output = output.with_context(|| format!("cannot start {}", run.command.join(" ")))?;
        run.judge(&output)
    }

    /// Runs one of its programs in it, with this as its standard input, for what it says.
    ///
    /// # Errors
    /// It could not be started.
    pub(in crate::firstboot) fn ask(
        &self,
        command: &[String],
        input: &[u8],
        limit: Duration,
    ) -> Result<command::Output> {
        let mut inside = inside(self.root, Path::new("/"));
        command::run_with_input(inside.args(command), input, limit)
            .with_context(|| format!("cannot start {}", command.join(" ")))
    }
}

pub(super) fn start(root: &Path, directory: &Path, limit: Duration) -> Result<()> {
    let program = directory.join("script");
    make_executable(&program)?;
    report(inside(root, directory).arg("./script"), "combustion/script", limit)
}

/// A program in this root, still to be named. A PID namespace makes sure that nothing of
/// it lives on: when its first process ends, the kernel kills the rest.
pub(super) fn inside(root: &Path, directory: &Path) -> Command {
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"])
        .arg(format!("--root={}", root.display()))
        .arg(format!("--wd={}", directory.display()))
        .arg("--");
    environment(&mut command);
    command
}

/// Runs the script in the initrd, with `--prepare`.
///
/// # Errors
/// Its interpreter is not in the initrd, or it ended with anything but 0.
pub fn prepare(script: &Script, directory: &Path, limit: Duration) -> Result<()> {
    if let Some(interpreter) = &script.interpreter {
        interpreter
            .check(Path::new("/"))
            .context("combustion/script asks for \"prepare\", which runs in the initrd")?;
    }
    let program = directory.join("script");
    make_executable(&program)?;
    let mut command = Command::new(program);
    command.arg("--prepare").current_dir(directory);
    environment(&mut command);
    report(&mut command, "combustion/script --prepare", limit)
}

fn environment(command: &mut Command) {
    command
        .env_clear()
        .env("PATH", script::PATH)
        .env("HOME", "/root")
        .env("TERM", "linux")
        .env("LANG", "C.UTF-8")
        // What transactional-update's shell sets, which Combustion's scripts run in.
        .env("TRANSACTIONAL_UPDATE", "true")
        // systemctl works on files: there is no systemd to ask.
        .env("SYSTEMD_OFFLINE", "1");
}

pub(super) fn report(command: &mut Command, name: &str, limit: Duration) -> Result<()> {
    let output = command::run_with_echo(command, limit, Some(command::to_stderr))
        .with_context(|| format!("cannot start {name}"))?;
    if output.success() {
        return Ok(());
    }
    match output.last_line() {
        "" => bail!("{name} failed: {}; it printed nothing", output.end),
        line => bail!("{name} failed: {}; the last it said was: {line}", output.end),
    }
}

fn make_executable(program: &Path) -> Result<()> {
    fs::set_permissions(program, fs::Permissions::from_mode(0o700))
        .with_context(|| format!("cannot make {} executable", program.display()))
}
