//! Whether a program can be loaded: its interpreter and every library that it
//! needs, and that those need, found as the dynamic loader finds them (ld.so(8)).

use std::collections::{HashMap, HashSet, VecDeque};
use std::fs::{File, Metadata};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::elf::{self, Facts};
use super::tree::{At, Tree, is_executable};

/// Where the loader looks at last. Where distributions put more, ld.so.conf says.
const DEFAULT_DIRS: [&str; 4] = ["/lib64", "/usr/lib64", "/lib", "/usr/lib"];
/// Directories below a library directory, for processors that can do more; the
/// plain one is what there must be, so these are looked into last.
const FLAVOURS: [&str; 3] =
    ["glibc-hwcaps/x86-64-v2", "glibc-hwcaps/x86-64-v3", "glibc-hwcaps/x86-64-v4"];
/// Scripts whose interpreter is a script, whose interpreter is … (execve(2): 4).
const MOST_INTERPRETERS: u32 = 4;
/// A bound for what damaged files may lead through.
const MOST_FILES: usize = 4000;
/// The first line of a script (execve(2)).
const SHEBANG: usize = 256;

/// `e_machine` of x86-64, whose kernels run programs of i386, too.
const EM_X86_64: u16 = 62;
const EM_386: u16 = 3;

/// Looks at programs, each file once.
pub(super) struct Programs<'a> {
    tree: &'a Tree,
    machine: u16,
    appraised: bool,
    dirs: Vec<PathBuf>,
    seen: HashMap<PathBuf, Option<Facts>>,
    problems: Vec<String>,
}

impl<'a> Programs<'a> {
    pub(super) fn new(tree: &'a Tree, machine: u16, appraised: bool) -> Self {
        let mut problems = Vec::new();
        let configured = configured_dirs(tree).unwrap_or_else(|e| {
            problems.push(format!("{e:#}"));
            Vec::new()
        });
        let dirs = configured.into_iter().chain(DEFAULT_DIRS.map(PathBuf::from)).collect();
        Self { tree, machine, appraised, dirs, seen: HashMap::new(), problems }
    }

    /// What was found to be wrong.
    pub(super) fn problems(self) -> Vec<String> {
        self.problems
    }

    /// Looks at a program that `wanted_by` starts.
    pub(super) fn program(&mut self, path: &Path, wanted_by: &str) {
        if let Err(e) = self.interpreted(path, wanted_by, MOST_INTERPRETERS) {
            self.problems.push(format!("{wanted_by}: {e:#}"));
        }
    }

    fn interpreted(&mut self, path: &Path, wanted_by: &str, depth: u32) -> Result<()> {
        let (at, real, metadata) = match self.tree.at(path)? {
            At::There(at, real, metadata) => (at, real, metadata),
            At::Unknown => return Ok(()),
            At::Missing | At::Null => {
                self.problems.push(format!("{wanted_by}: {} is not there", path.display()));
                return Ok(());
            }
        };
        if !is_executable(&metadata) {
            self.problems.push(format!("{wanted_by}: {} cannot be executed", path.display()));
            return Ok(());
        }
        if self.seen.contains_key(&at) {
            return Ok(());
        }
        if let Some(facts) = self.look(&at, &real, &metadata)? {
            let runs = facts.machine == self.machine
                || (self.machine, facts.machine) == (EM_X86_64, EM_386);
            if !runs {
                let path = path.display();
                self.problems.push(format!("{wanted_by}: {path} is for another kind of machine"));
                return Ok(());
            }
            if let Some(interpreter) = &facts.interpreter {
                let why = format!("{} needs {interpreter}", at.display());
                self.interpreted(Path::new(interpreter), &why, depth.saturating_sub(1))?;
            }
            self.libraries(&at, &facts);
            return Ok(());
        }
        match shebang(&real, &metadata)? {
            Some(interpreter) if depth > 0 => {
                let why = format!("{wanted_by}: {} asks for it", at.display());
                self.interpreted(Path::new(&interpreter), &why, depth - 1)
            }
            _ => {
                let path = path.display();
                self.problems
                    .push(format!("{wanted_by}: {path} is neither a program nor a script"));
                Ok(())
            }
        }
    }

    /// Looks at a file, and remembers that it was looked at.
    fn look(&mut self, at: &Path, real: &Path, metadata: &Metadata) -> Result<Option<Facts>> {
        self.seen.insert(at.to_owned(), None);
        let file = File::open(real).with_context(|| format!("cannot open {}", at.display()))?;
        if self.appraised && !is_signed(&file) {
            self.problems.push(format!(
                "{} has no signature (security.ima), which the kernel is told to insist on",
                at.display()
            ));
        }
        let facts = elf::read(&file, at, metadata.len())?;
        self.seen.insert(at.to_owned(), facts.clone());
        Ok(facts)
    }

    /// Walks through everything that a program needs, in the loader's order: what
    /// was loaded for one library under some name is there for all after it.
    fn libraries(&mut self, program: &Path, facts: &Facts) {
        let mut loaded = HashSet::new();
        let mut to_see = VecDeque::from([(program.to_owned(), facts.clone())]);
        while let Some((who, facts)) = to_see.pop_front() {
            for name in &facts.needed {
                if self.seen.len() > MOST_FILES {
                    return;
                }
                if !loaded.insert(name.clone()) {
                    continue;
                }
                match self.library(name, &who, &facts) {
                    Ok(Some(found)) => to_see.push_back(found),
                    Ok(None) => {}
                    Err(e) => {
                        let who = who.display();
                        self.problems.push(format!("{who} needs {name}: {e:#}"));
                    }
                }
            }
        }
    }

    /// Finds a library, and returns it if it is seen for the first time.
    fn library(
        &mut self,
        name: &str,
        who: &Path,
        facts: &Facts,
    ) -> Result<Option<(PathBuf, Facts)>> {
        let mut unknown = false;
        let mut unfit = None;
        for path in self.places(name, who, facts) {
            let (at, real, metadata) = match self.tree.at(&path)? {
                At::There(at, real, metadata) if metadata.is_file() => (at, real, metadata),
                At::Unknown => {
                    unknown = true;
                    continue;
                }
                At::There(..) | At::Missing | At::Null => continue,
            };
            let known = self.seen.get(&at).cloned();
            let first = known.is_none();
            let own = match known {
                Some(own) => own,
                None => self.look(&at, &real, &metadata)?,
            };
            match own {
                // The loader passes over what is not of the program's kind.
                Some(own) if (own.is_64, own.machine) == (facts.is_64, facts.machine) => {
                    return Ok(first.then_some((at, own)));
                }
                Some(_) => unfit = Some(format!("{} is for another kind of machine", at.display())),
                // Damaged, which was said when it was looked at first.
                None if !first => return Ok(None),
                None => unfit = Some(format!("{} is no library", at.display())),
            }
        }
        if unknown {
            return Ok(None);
        }
        Err(anyhow::anyhow!(unfit.unwrap_or_else(|| "it is not there".to_owned())))
    }

    fn places(&self, name: &str, who: &Path, facts: &Facts) -> Vec<PathBuf> {
        if name.contains('/') {
            return vec![name.into()];
        }
        let origin = who.parent().unwrap_or(Path::new("/")).to_string_lossy();
        let own = facts.search.iter().map(|dir| {
            PathBuf::from(dir.replace("${ORIGIN}", &origin).replace("$ORIGIN", &origin))
        });
        let dirs: Vec<PathBuf> = own.chain(self.dirs.iter().cloned()).collect();
        let plain = dirs.iter().map(|dir| dir.join(name));
        let flavoured = FLAVOURS.iter().flat_map(|it| dirs.iter().map(move |d| d.join(it)));
        plain.chain(flavoured.map(|dir| dir.join(name))).collect()
    }
}

/// The interpreter that a script's first line names.
fn shebang(real: &Path, metadata: &Metadata) -> Result<Option<String>> {
    let mut bytes = [0; SHEBANG];
    let length = usize::try_from(metadata.len()).unwrap_or(SHEBANG).min(SHEBANG);
    File::open(real)
        .and_then(|file| file.read_exact_at(&mut bytes[..length], 0))
        .with_context(|| format!("cannot read {}", real.display()))?;
    let text = String::from_utf8_lossy(&bytes[..length]);
    let line = text.strip_prefix("#!").and_then(|rest| rest.lines().next());
    Ok(line.and_then(|line| line.split_ascii_whitespace().next()).map(str::to_owned))
}

/// Whether a file bears what IMA appraises (ima(7) of the integrity subsystem).
fn is_signed(file: &File) -> bool {
    rustix::fs::fgetxattr(file, "security.ima", &mut [0u8; 4096][..]).is_ok_and(|size| size > 0)
}

/// The directories that `/etc/ld.so.conf` names, in its order (ldconfig(8)).
fn configured_dirs(tree: &Tree) -> Result<Vec<PathBuf>> {
    let mut dirs = Vec::new();
    read_conf(tree, Path::new("/etc/ld.so.conf"), &mut dirs, 4)?;
    Ok(dirs)
}

fn read_conf(tree: &Tree, path: &Path, dirs: &mut Vec<PathBuf>, depth: u32) -> Result<()> {
    let text = tree.text(path)?.unwrap_or_default();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        match line.strip_prefix("include") {
            Some(pattern) if depth > 0 => {
                for pattern in pattern.split_whitespace() {
                    for path in matching(tree, Path::new("/etc").join(pattern))? {
                        read_conf(tree, &path, dirs, depth - 1)?;
                    }
                }
            }
            None if line.starts_with('/') => dirs.push(line.into()),
            Some(_) | None => {}
        }
    }
    Ok(())
}

/// The files that fit a pattern with at most one `*`, in its last part.
fn matching(tree: &Tree, pattern: PathBuf) -> Result<Vec<PathBuf>> {
    let (Some(dir), Some(name)) = (pattern.parent(), pattern.file_name()) else {
        return Ok(Vec::new());
    };
    let name = name.to_string_lossy();
    let Some((before, after)) = name.split_once('*') else { return Ok(vec![pattern]) };
    let fits = |it: &std::ffi::OsString| {
        let it = it.to_string_lossy();
        it.len() >= before.len() + after.len() && it.starts_with(before) && it.ends_with(after)
    };
    Ok(tree.names(dir)?.into_iter().filter(fits).map(|name| dir.join(name)).collect())
}
