//! Would this snapshot boot? A look at its files before anything of it runs: the
//! worst updates never come as far as a check.
//!
//! What is looked at is what a boot cannot do without: the system's name, init
//! with its interpreter and libraries, the same for what the mandatory units
//! start, the kernel's modules, and the devices of fstab. It is no proof, and is
//! not meant to be one: what it cannot see is not held against a snapshot, since
//! a good update that is refused is a failure, too.

mod elf;
mod generated;
mod programs;
mod tree;
mod units;

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result};

use crate::sys::mountinfo::{self, FstabEntry};
use programs::Programs;
use tree::At;
use units::Unit;

pub use tree::{Place, Tree};

/// What the initrd starts, in the order in which it tries (systemd's switch-root).
const INITS: [&str; 4] = ["/usr/lib/systemd/systemd", "/sbin/init", "/etc/init", "/bin/init"];
const MODULES: [&str; 2] = ["/usr/lib/modules", "/lib/modules"];
/// Types without a device of this machine, and those that the network brings.
const NO_DEVICE: [&str; 14] = [
    "overlay", "tmpfs", "proc", "sysfs", "devpts", "efivarfs", "none", "swap", "nfs", "nfs4",
    "cifs", "ceph", "9p", "virtiofs",
];

/// What is asked about a snapshot.
pub struct Question<'a> {
    /// Its files.
    pub tree: &'a Tree,
    /// The release of the kernel that would run it; with none, any modules will do.
    pub kernel: Option<&'a str>,
    /// `e_machine` of the programs that this kernel runs.
    pub machine: u16,
    /// What `init=` on the kernel command line names.
    pub init: Option<&'a str>,
    /// The units without which a boot is not healthy.
    pub units: &'a [String],
    /// Those of which that only holds where they are there.
    pub usual_units: &'a [String],
    /// Whether the kernel insists on signed files (`ima_appraise=`).
    pub appraised: bool,
    /// Whether what the first field of an fstab entry names is there; `None`
    /// where that cannot be known.
    pub device: &'a dyn Fn(&FstabEntry) -> Option<bool>,
}

/// What speaks against starting it, in words for an administrator.
pub fn problems(question: &Question) -> Vec<String> {
    let mut found = Vec::new();
    let mut note = |what: &str, result: Result<Vec<String>>| match result {
        Ok(problems) => found.extend(problems),
        Err(e) => found.push(format!("{what}: {e:#}")),
    };
    note("os-release", os_release(question.tree));
    note("init", programs_of(question));
    note("modules", modules(question));
    note("/etc/fstab", fstab(question));
    found
}

/// The kind of machine that this program itself is for.
///
/// # Errors
/// It cannot read itself.
pub fn own_machine() -> Result<u16> {
    let path = Path::new("/proc/self/exe");
    let file = File::open(path).context("/proc/self/exe")?;
    let facts = elf::read(&file, path, file.metadata()?.len())?;
    Ok(facts.context("this program is no ELF file")?.machine)
}

fn os_release(tree: &Tree) -> Result<Vec<String>> {
    for path in ["/etc/os-release", "/usr/lib/os-release"] {
        if tree.text(Path::new(path))?.is_some_and(|text| !text.trim().is_empty()) {
            return Ok(Vec::new());
        }
    }
    Ok(vec!["there is no os-release, in neither /etc nor /usr/lib: is this a system?".to_owned()])
}

fn programs_of(question: &Question) -> Result<Vec<String>> {
    let tree = question.tree;
    let mut programs = Programs::new(tree, question.machine, question.appraised);
    let mut problems = Vec::new();
    match init(question)? {
        Some(init) => programs.program(Path::new(&init), "init"),
        None => problems.push(format!("there is no init: none of {}", INITS.join(", "))),
    }
    let named = question.units.iter().map(|unit| (unit, true));
    for (unit, must_be) in named.chain(question.usual_units.iter().map(|unit| (unit, false))) {
        match units::read(tree, unit)? {
            Unit::Starts(commands) => {
                for command in commands {
                    programs.program(&units::found_in_path(tree, &command)?, unit);
                }
            }
            Unit::Broken(why) if must_be => problems.push(why),
            Unit::Broken(_) | Unit::Unknown => {}
        }
    }
    problems.extend(programs.problems());
    Ok(problems)
}

fn init<'a>(question: &'a Question) -> Result<Option<&'a str>> {
    if let Some(init) = question.init {
        return Ok(Some(init));
    }
    for init in INITS {
        if !matches!(question.tree.at(Path::new(init))?, At::Missing) {
            return Ok(Some(init));
        }
    }
    Ok(None)
}

fn modules(question: &Question) -> Result<Vec<String>> {
    let tree = question.tree;
    let Some(kernel) = question.kernel else {
        for dir in MODULES {
            if !tree.names(Path::new(dir))?.is_empty() {
                return Ok(Vec::new());
            }
        }
        return Ok(vec![format!("there are no kernel modules in {}", MODULES[0])]);
    };
    if has_modules(tree, kernel)? {
        return Ok(Vec::new());
    }
    Ok(vec![format!("{}/{kernel}, the modules of the kernel, is not there", MODULES[0])])
}

/// Whether the modules of a kernel of this release are there.
///
/// # Errors
/// A directory cannot be looked into.
pub fn has_modules(tree: &Tree, kernel: &str) -> Result<bool> {
    for dir in MODULES {
        let index = Path::new(dir).join(kernel).join("modules.dep");
        match tree.at(&index)? {
            At::There(_, _, metadata) if metadata.len() > 0 => return Ok(true),
            At::Unknown => return Ok(true),
            At::There(..) | At::Missing | At::Null => {}
        }
    }
    Ok(false)
}

fn fstab(question: &Question) -> Result<Vec<String>> {
    let text = question.tree.text(Path::new("/etc/fstab"))?.unwrap_or_default();
    let entries = mountinfo::parse_fstab(&text)?;
    let missing = |entry: &&FstabEntry| is_needed(entry) && (question.device)(entry) == Some(false);
    let say = |entry: &FstabEntry| {
        format!("/etc/fstab: {} for {} is not there", entry.spec, entry.target.display())
    };
    Ok(entries.iter().filter(missing).map(say).collect())
}

/// Whether a boot waits for an entry, and for a device of this machine in it.
fn is_needed(entry: &FstabEntry) -> bool {
    let optional = ["noauto", "nofail", "_netdev", "bind", "rbind", "x-systemd.automount"];
    !optional.iter().any(|option| entry.has(option))
        && !NO_DEVICE.contains(&entry.fstype.as_str())
        && !entry.fstype.starts_with("fuse")
}

#[cfg(test)]
mod tests;
