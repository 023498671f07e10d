//! Runs the script in the new snapshot, with everything around it that the
//! booted system would have: its other subvolumes, `/etc`, the API file systems.
//!
//! All of it is mounted in a namespace of its own and gone with it, so nothing
//! can be left mounted that would keep the snapshot from being finished.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::mount::MsFlags;

use super::plan::Run;
use super::resolv::NameServers;
use super::script::{self, Script};
use crate::snapshot::disk::{Disk, mount_entry};
use crate::snapshot::etc::{Etc, Overlay};
use crate::snapshot::transaction::Plan;
use crate::sys::command;
use crate::sys::mount::{Mounted, in_own_namespace};
use crate::sys::mountinfo::FstabEntry;

const NEW_ROOT: &str = "/run/health-checker/newroot";
/// File systems that are not on a disk of this machine.
const REMOTE: [&str; 6] = ["nfs", "nfs4", "cifs", "ceph", "glusterfs", "fuse.sshfs"];

/// One mount of the script's world; `at` is a path within it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// A directory that is there already.
    Bind { from: PathBuf, at: PathBuf },
    /// The layers of `/etc`.
    Layers { options: String },
    /// Empty, and gone afterwards.
    Empty { at: &'static str, mode: u32 },
    /// Something on another file system: a script that needs it will say so.
    Other(FstabEntry),
}

/// What a script is to see around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct World(Vec<Step>);

impl World {
    /// The system as the snapshot that is being made will have it.
    ///
    /// # Errors
    /// A layer of its `/etc` is on another file system.
    pub fn of_snapshot(disk: &Disk, plan: &Plan) -> Result<Self> {
        let root = disk.snapshots.path(plan.number);
        let layers = match &plan.etc {
            Etc::Overlay(overlay) => Some(layers(disk, plan.number, overlay)?),
            Etc::Plain | Etc::Nested => None,
        };
        let mount = |entry: &FstabEntry| match disk.subvolume(entry) {
            Some(from) => Step::Bind { from, at: entry.target.clone() },
            None => Step::Other(entry.clone()),
        };
        Ok(Self(steps(root, layers, &disk.fstab, mount)))
    }

    /// The system itself, as it is mounted at `sysroot`.
    pub fn in_place(sysroot: &Path, fstab: &[FstabEntry]) -> Self {
        Self(steps(sysroot.to_owned(), None, fstab, |entry| Step::Other(entry.clone())))
    }

    /// Runs the script at `directory/script`, which is its working directory, to its
    /// end or to `limit`. Its standard input is empty; what it prints goes on to
    /// standard error. When it ends, all that it started is killed.
    ///
    /// # Errors
    /// Its world could not be made, its interpreter is not there, or it ended with
    /// anything but 0.
    pub fn run(&self, script: &Script, directory: &Path, limit: Duration) -> Result<()> {
        self.enter(|root| {
            if let Some(interpreter) = &script.interpreter {
                interpreter.check(root).context("combustion/script")?;
            }
            let names = NameServers::lend(root)?;
            let ran = start(root, directory, limit);
            names.take_back();
            ran
        })
    }

    /// Changes the system by `work`, which sees it whole, with the initrd's name servers in it.
    ///
    /// # Errors
    /// Its world could not be made, or the work failed.
    pub(super) fn change(&self, work: impl FnOnce(&Inside<'_>) -> Result<()> + Send) -> Result<()> {
        self.enter(|root| {
            let names = NameServers::lend(root)?;
            let done = work(&Inside { root });
            names.take_back();
            done
        })
    }

    /// Calls these programs, one after the other, with the same arguments.
    ///
    /// # Errors
    /// The world could not be made; what becomes of a program is only told.
    pub(super) fn call(
        &self,
        programs: &[PathBuf],
        arguments: &[&str],
        limit: Duration,
    ) -> Result<()> {
        self.enter(|root| {
            for program in programs {
                let mut command = inside(root, Path::new("/"));
                command.arg(program).args(arguments);
                if let Err(e) = report(&mut command, &program.to_string_lossy(), limit) {
                    log::warn!("{e:#}");
                }
            }
            Ok(())
        })
    }

    fn enter(&self, work: impl FnOnce(&Path) -> Result<()> + Send) -> Result<()> {
        in_own_namespace(|| {
            let root = Path::new(NEW_ROOT);
            let mut others = Vec::new();
            for step in &self.0 {
                others.extend(execute(step, root)?);
            }
            let result = work(root);
            // Not left to the end of the namespace, which the kernel takes its time for: what
            // comes next may mount the same device, and must find what was written to it.
            for other in others.into_iter().rev() {
                if let Err(e) = other.unmount() {
                    log::warn!("{e:#}");
                }
            }
            result
        })
    }
}

/// A system with all that belongs to it, at a directory.
#[derive(Clone, Copy, Debug)]
pub struct Inside<'a> {
    /// Where.
    pub root: &'a Path,
}

impl Inside<'_> {
    /// Runs one of its programs in it; what it prints goes on to standard error.
    ///
    /// # Errors
    /// It could not be started, or [`Run::judge`] finds that it failed.
    pub fn run(&self, run: &Run) -> Result<()> {
        let mut inside = inside(self.root, Path::new("/"));
        inside.args(&run.command);
        let output = match &run.input {
            Some(input) => command::run_with_input(&mut inside, input.bytes()?, run.limit),
            None => command::run_with_echo(&mut inside, run.limit, Some(command::to_stderr)),
        };
        let output = output.with_context(|| format!("cannot start {}", run.command.join(" ")))?;
        run.judge(&output)
    }

    /// Runs one of its programs in it, with this as its standard input, for what it says.
    ///
    /// # Errors
    /// It could not be started.
    pub(super) fn ask(
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

/// The options of the overlay at `/etc`.
fn layers(disk: &Disk, number: u32, overlay: &Overlay) -> Result<String> {
    let place = |path: &PathBuf| {
        let place = disk.place(number, path).with_context(|| {
            format!("{}, a layer of /etc, is on another file system", path.display())
        })?;
        Ok(place.to_string_lossy().into_owned())
    };
    let lower = overlay.lower.iter().map(place).collect::<Result<Vec<_>>>()?.join(":");
    let (upper, work) = (place(&overlay.upper)?, place(&overlay.work)?);
    Ok(format!("lowerdir={lower},upperdir={upper},workdir={work}"))
}

/// What to mount, in order.
fn steps(
    root: PathBuf,
    layers: Option<String>,
    fstab: &[FstabEntry],
    mount: impl Fn(&FstabEntry) -> Step,
) -> Vec<Step> {
    let mut steps = vec![Step::Bind { from: root, at: "/".into() }];
    steps.extend(layers.map(|options| Step::Layers { options }));
    for dir in ["/dev", "/proc", "/sys"] {
        steps.push(Step::Bind { from: dir.into(), at: dir.into() });
    }
    steps.push(Step::Empty { at: "/run", mode: 0o755 });
    steps.push(Step::Empty { at: "/tmp", mode: 0o1777 });
    let mut entries: Vec<&FstabEntry> = fstab.iter().filter(|entry| belongs(entry)).collect();
    entries.sort_by_key(|entry| entry.target.components().count());
    steps.extend(entries.into_iter().map(mount));
    steps
}

/// Whether a script expects what this entry of fstab mounts. The root and `/etc`
/// are there already; nothing can be had from a network.
fn belongs(entry: &FstabEntry) -> bool {
    let made_here = ["/etc", "/dev", "/proc", "/sys", "/run", "/tmp"];
    entry.target != Path::new("/")
        && entry.target.is_absolute()
        && !made_here.iter().any(|dir| entry.target.starts_with(dir))
        && entry.fstype != "swap"
        && !entry.has("noauto")
        && !entry.has("_netdev")
        && !REMOTE.contains(&&*entry.fstype)
}

/// Mounts it; returns what is on a device of its own.
fn execute(step: &Step, root: &Path) -> Result<Option<Mounted>> {
    let inside = |at: &Path| root.join(at.strip_prefix("/").unwrap_or(at));
    match step {
        Step::Bind { from, at } => Mounted::bind(from, &inside(at))?.leave(),
        Step::Layers { options } => {
            let at = inside(Path::new("/etc"));
            Mounted::new(Path::new("overlay"), &at, "overlay", MsFlags::empty(), options)?.leave();
        }
        Step::Empty { at, mode } => {
            let at = inside(Path::new(at));
            let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
            Mounted::new(Path::new("tmpfs"), &at, "tmpfs", flags, &format!("mode={mode:o}"))?
                .leave();
        }
        Step::Other(entry) => match mount_entry(entry, &inside(&entry.target), true) {
            Ok(mounted) => return Ok(Some(mounted)),
            Err(e) => log::warn!("the script has to do without {}: {e:#}", entry.target.display()),
        },
    }
    Ok(None)
}

fn start(root: &Path, directory: &Path, limit: Duration) -> Result<()> {
    let program = directory.join("script");
    make_executable(&program)?;
    report(inside(root, directory).arg("./script"), "combustion/script", limit)
}

/// A program in this root, still to be named. A PID namespace makes sure that nothing of
/// it lives on: when its first process ends, the kernel kills the rest.
fn inside(root: &Path, directory: &Path) -> Command {
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

fn report(command: &mut Command, name: &str, limit: Duration) -> Result<()> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::mountinfo::parse_fstab;

    #[test]
    fn what_of_fstab_a_script_gets_to_see() {
        let fstab = "LABEL=ROOT / btrfs ro\noverlay /etc overlay lowerdir=/etc\n\
            LABEL=ROOT /var btrfs subvol=/@/var\nLABEL=EFI /boot/efi vfat defaults\n\
            /dev/sdb2 swap swap defaults\n/dev/sdb3 none swap sw\ntmpfs /tmp tmpfs mode=1777\n\
            server:/home /home nfs defaults\nLABEL=X /data xfs noauto\n//a/b /mnt cifs _netdev\n";
        let entries = parse_fstab(fstab).unwrap();
        let seen: Vec<_> = entries.iter().filter(|e| belongs(e)).map(|e| &e.target).collect();
        assert_eq!(seen, [Path::new("/var"), Path::new("/boot/efi")]);
    }
}
