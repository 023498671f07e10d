//! The look at a snapshot's files ([`crate::snapshot::preflight`]) with what the
//! settings of that snapshot ask for, and the rules that hold because of it: what
//! would not boot is never gone back to.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::decide::{Policy, decide};
use super::facts::{Candidate, Facts};
use super::gather::known;
use super::plan::Plan;
use crate::boot::bls::{self, copies::Copies};
use crate::boot::{self, Loader};
use crate::record::SnapshotId;
use crate::settings;
use crate::snapshot::disk::{self, Disk};
use crate::snapshot::preflight::{self, Place, Question, Tree, own_machine};
use crate::snapshot::{Snapshots, etc, usr};
use crate::sys::cmdline::Cmdline;
use crate::sys::command;
use crate::sys::files::{self, Root};
use crate::sys::mountinfo::{self, FstabEntry};

/// How long devices may take to appear that a new snapshot's fstab names.
const DEVICES: Duration = Duration::from_secs(10);
/// Always on file systems of their own.
const NOT_ON_DISK: [&str; 5] = ["/dev", "/proc", "/run", "/sys", "/tmp"];

/// Where the snapshots are that are looked at, and what would run them.
#[derive(Debug)]
pub struct Preflight {
    snapshots: Snapshots,
    var: PathBuf,
    /// What the running system's fstab mounts, and where that is to be seen.
    mounts: Vec<(FstabEntry, PathBuf)>,
    cmdline: Cmdline,
    kernel: String,
    wait: bool,
}

impl Preflight {
    /// Of the snapshots of the system that runs at `root`.
    ///
    /// # Errors
    /// The running kernel does not say what it is, or fstab cannot be read.
    pub fn of_system(root: &Root, snapshots: Snapshots) -> Result<Self> {
        let cmdline = Cmdline::of_this_boot()?;
        let seen = |entry: FstabEntry| (root.join(&entry.target), entry);
        let mounts = mounted(root.dir(), &cmdline)?.into_iter().map(seen);
        let mounts = mounts.map(|(at, entry)| (entry, at)).collect();
        Self::new(snapshots, root.join("/var"), mounts, cmdline)
    }

    /// Of those of a disk, in the initrd, where devices may still be on their way.
    ///
    /// # Errors
    /// The running kernel does not say what it is.
    pub fn of_disk(disk: &Disk) -> Result<Self> {
        let seen = |entry: &FstabEntry| Some((entry.clone(), disk.subvolume(entry)?));
        let cmdline = Cmdline::of_this_boot()?;
        let mut fstab = disk.fstab.clone();
        usr::add(&cmdline, &mut fstab);
        let mounts = fstab.iter().filter_map(seen).collect();
        let preflight = Self::new(disk.snapshots.clone(), disk.var.clone(), mounts, cmdline)?;
        Ok(Self { wait: true, ..preflight })
    }

    fn new(
        snapshots: Snapshots,
        var: PathBuf,
        mounts: Vec<(FstabEntry, PathBuf)>,
        cmdline: Cmdline,
    ) -> Result<Self> {
        let path = Path::new("/proc/sys/kernel/osrelease");
        let kernel = files::read_text(path)?.with_context(|| format!("no {}", path.display()))?;
        Ok(Self { snapshots, var, mounts, cmdline, kernel: kernel.trim().to_owned(), wait: false })
    }

    /// What speaks against starting this snapshot with the kernel that runs. The
    /// devices of `proven` ones' fstab are not asked for: that they are not there
    /// is not this snapshot's fault.
    pub fn of_booted(&self, snapshot: &SnapshotId, proven: &[SnapshotId]) -> Vec<String> {
        self.look(snapshot, Some(&self.kernel), proven).unwrap_or_else(|e| vec![format!("{e:#}")])
    }

    /// What speaks against going back to this one, which may have another kernel.
    pub fn of_target(&self, snapshot: &SnapshotId) -> Candidate {
        let fits =
            || -> Result<bool> { preflight::has_modules(&self.tree(snapshot)?, &self.kernel) };
        let problems = self.look(snapshot, None, &[*snapshot]);
        let mut problems = problems.unwrap_or_else(|e| vec![format!("{e:#}")]);
        problems.extend(self.entry_problems(snapshot));
        Candidate {
            snapshot: *snapshot,
            problems,
            fits_kernel: known("whether its modules fit the kernel", fits()).unwrap_or(false),
        }
    }

    fn look(
        &self,
        snapshot: &SnapshotId,
        kernel: Option<&str>,
        proven: &[SnapshotId],
    ) -> Result<Vec<String>> {
        let path = self.snapshots.path(snapshot.number);
        let layers = etc::layers_in(&path, &self.var)?;
        let settings = settings::read_layers(&Root::new(&path), &layers);
        let (units, usual_units) = settings.mandatory_units();
        let proven: Vec<FstabEntry> = proven
            .iter()
            .filter_map(|it| disk::fstab_of(&self.snapshots.path(it.number)).ok())
            .flatten()
            .collect();
        let hidden = may_be_hidden(&layers);
        let device = |entry: &FstabEntry| {
            let is_proven = proven.iter().any(|it| it.spec == entry.spec);
            if is_proven { None } else { self.is_there(&entry.spec, hidden) }
        };
        Ok(preflight::problems(&Question {
            tree: &self.tree(snapshot)?,
            kernel,
            machine: own_machine()?,
            init: self.cmdline.value("init"),
            units: &units,
            usual_units: &usual_units,
            appraised: is_appraised(&self.cmdline),
            device: &device,
        }))
    }

    fn tree(&self, snapshot: &SnapshotId) -> Result<Tree> {
        let path = self.snapshots.path(snapshot.number);
        let layers = etc::layers_in(&path, &self.var)?;
        let part = |entry: &FstabEntry| {
            [Path::new("/"), Path::new("/etc")].contains(&entry.target.as_path())
                || !entry.target.is_absolute()
        };
        let mounted = mounted(&path, &self.cmdline)?.into_iter().filter(|entry| !part(entry));
        let places = mounted.map(|entry| Place { seen: self.seen(&entry), target: entry.target });
        let others = NOT_ON_DISK.map(|target| Place { target: target.into(), seen: None });
        Ok(Tree::new(path, layers, places.chain(others).collect()))
    }

    /// Where the subvolume is to be seen that an entry mounts: without that,
    /// nothing could be said of a library that might lie in `/usr/local`.
    fn seen(&self, entry: &FstabEntry) -> Option<PathBuf> {
        let same = |it: &FstabEntry| {
            (&it.target, it.option("subvol")) == (&entry.target, entry.option("subvol"))
        };
        let is_btrfs = |it: &FstabEntry| ["btrfs", "auto"].contains(&&*it.fstype);
        let found = self.mounts.iter().find(|(it, _)| is_btrfs(it) && same(it));
        found.map(|(_, path)| path.clone())
    }

    /// Whether a device is there; `None` where something must be unlocked or
    /// assembled before it can be.
    fn is_there(&self, spec: &str, hidden: bool) -> Option<bool> {
        let path = mountinfo::device_path(spec)?;
        if path.exists() {
            return Some(true);
        }
        if hidden || ["/dev/mapper", "/dev/md"].iter().any(|dir| spec.starts_with(dir)) {
            return None;
        }
        if self.wait {
            let limit = format!("--timeout={}", DEVICES.as_secs());
            let mut settle = Command::new("udevadm");
            let settled = command::run(settle.args(["settle", &limit]), DEVICES * 2);
            known("whether all devices have come", settled);
        }
        Some(path.exists())
    }

    /// What keeps a loader that goes by entries from starting a snapshot, and what it has lost
    /// from being brought back. What cannot be seen is not held against it.
    fn entry_problems(&self, snapshot: &SnapshotId) -> Vec<String> {
        let root = Root::new("/");
        if boot::loader(&root) != Loader::Bls {
            return Vec::new();
        }
        let problems = || -> Result<Vec<String>> {
            let entries = bls::Entries::read(&root, false)?;
            let mut problems = entries.problems(snapshot.number);
            if !problems.is_empty() {
                let copies = Copies::beside(self.snapshots.dir());
                // What is gone back from makes room.
                let failed = bls::named_snapshot(&self.cmdline);
                match copies.can_bring_back(&entries, snapshot.number, failed) {
                    Ok(()) => problems.clear(),
                    Err(e) => problems.push(format!("{e:#}")),
                }
            }
            entries.close()?;
            Ok(problems)
        };
        known("whether there is a boot entry", problems()).unwrap_or_default()
    }
}

/// What the system at `root` has mounted, fstab's and `/usr`.
fn mounted(root: &Path, cmdline: &Cmdline) -> Result<Vec<FstabEntry>> {
    let mut fstab = disk::fstab_of(root)?;
    usr::add(cmdline, &mut fstab);
    Ok(fstab)
}

/// Decides, after a look at each snapshot that it would go back to: one that
/// would not boot is treated as none, and the next older one is tried.
pub fn decide_looking(
    facts: &mut Facts,
    policy: Policy,
    look: impl Fn(&SnapshotId) -> Candidate,
) -> Plan {
    let mut looked_at: Vec<SnapshotId> = Vec::new();
    loop {
        let plan = decide(facts, policy);
        let Some(target) = plan.decision.target.filter(|it| !looked_at.contains(it)) else {
            return plan;
        };
        looked_at.push(target);
        let seen = look(&target);
        if let Some(it) = facts.present.iter_mut().flatten().find(|it| it.snapshot == target) {
            *it = seen;
        }
    }
}

/// Whether devices may appear only once the system itself has unlocked or
/// assembled them: crypttab(5) names some, or there are parts of volumes.
fn may_be_hidden(etc_layers: &[PathBuf]) -> bool {
    let crypttab = etc_layers.iter().find_map(|it| files::read_text(&it.join("crypttab")).ok()?);
    let names = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let is_part = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("lvm-pv-uuid-") || name.starts_with("md-")
    };
    crypttab.is_some_and(|text| text.lines().any(names))
        || files::list(Path::new("/dev/disk/by-id")).is_ok_and(|list| list.iter().any(is_part))
}

/// Whether the kernel is told to run signed files only (its
/// `Documentation/admin-guide/kernel-parameters.txt`).
fn is_appraised(cmdline: &Cmdline) -> bool {
    match cmdline.value("ima_appraise") {
        Some("enforce") => true,
        Some(_) => false,
        None => cmdline.value("ima_policy").is_some_and(|it| {
            it.split('|').any(|word| ["appraise_tcb", "secure_boot"].contains(&word.trim()))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appraisal_by_the_kernels_words() {
        for (line, appraised) in [
            ("ima_appraise=enforce", true),
            ("ima_policy=tcb|appraise_tcb", true),
            ("ima_policy=appraise_tcb ima_appraise=log", false),
            ("ima_policy=tcb", false),
            ("quiet", false),
        ] {
            assert_eq!(is_appraised(&Cmdline::parse(line)), appraised, "{line}");
        }
    }
}
