//! Makes the changes of a [`Plan`]: one arm a change, no decisions. What is to become of a
//! tree is decided in `plan` alone.

use std::fs::OpenOptions;
use std::io::{IsTerminal, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use jiff::Timestamp;

use super::configuration::Owner;
use super::plan::{Change, NewFile, Plan, Run, names::Names, shadow};
use crate::sys::random;
use crate::sys::tree::{Kind, Tree};

/// What passwords at random are made of: 64 characters, so that each is as likely as the
/// others. Without l, 1, I, O and 0, which are taken for each other.
const ALPHABET: &[u8; 64] = b"abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789.,-+=%/";
/// 120 bits.
const LENGTH: usize = 20;

/// Changes a tree as planned; `runner` runs a program within it. Everything that is at
/// addresses has been fetched before ([`Plan::fetch`]).
///
/// # Errors
/// The first step that failed; what was done before it stays.
pub fn apply(plan: &Plan, tree: &Tree, runner: &dyn Fn(&Run) -> Result<()>) -> Result<()> {
    apply_and_say(plan, tree, runner, &say)
}

/// As [`apply`], with somebody else to tell new passwords to.
///
/// # Errors
/// As [`apply`].
pub fn apply_and_say(
    plan: &Plan,
    tree: &Tree,
    runner: &dyn Fn(&Run) -> Result<()>,
    say: &dyn Fn(&str) -> Result<()>,
) -> Result<()> {
    let mut applying = Applying { tree, names: None, say };
    for change in &plan.base {
        applying.change(change)?;
    }
    for run in &plan.runs {
        runner(run).with_context(|| run.reason.clone())?;
    }
    // Packages bring users.
    applying.names = None;
    for change in &plan.deferred {
        applying.change(change)?;
    }
    Ok(())
}

struct Applying<'a> {
    tree: &'a Tree,
    /// Who is known, until that may have changed.
    names: Option<Names>,
    say: &'a dyn Fn(&str) -> Result<()>,
}

impl Applying<'_> {
    fn change(&mut self, change: &Change) -> Result<()> {
        match change {
            Change::Directory { path, keeps: true, .. } if self.is_directory(path)? => Ok(()),
            Change::Directory { path, mode, owner, .. } => {
                let ids = self.ids(path, owner)?;
                self.tree.make_dirs(path, *mode)?;
                self.tree.chown(path, ids)?;
                self.tree.chmod(path, *mode)
            }
            Change::File { path, file } => {
                let bytes = bytes(path, file)?;
                self.write(path, file, bytes)
            }
            Change::Append { path, file } => {
                let mut all = self.tree.read(path)?.unwrap_or_default();
                all.extend_from_slice(bytes(path, file)?);
                self.write(path, file, &all)
            }
            Change::Link { path, target } => {
                self.make_parents(path)?;
                self.tree.link(path, target)
            }
            Change::Remove { path } => self.tree.remove(path),
            Change::RandomPassword { user, expire } => self.random_password(user, *expire),
        }
    }

    fn is_directory(&self, path: &Path) -> Result<bool> {
        Ok(self.tree.lstat(path)?.is_some_and(|it| it.kind == Kind::Directory))
    }

    fn write(&mut self, path: &Path, file: &NewFile, bytes: &[u8]) -> Result<()> {
        let ids = self.ids(path, &file.owner)?;
        self.make_parents(path)?;
        self.tree.write(path, bytes, file.mode, ids)?;
        if path == Path::new("/etc/passwd") || path == Path::new("/etc/group") {
            self.names = None;
        }
        Ok(())
    }

    /// A program that ran in between may have taken them away.
    fn make_parents(&self, path: &Path) -> Result<()> {
        match path.parent().filter(|it| it.parent().is_some()) {
            Some(parent) => self.tree.make_dirs(parent, 0o755).map(drop),
            None => Ok(()),
        }
    }

    fn ids(&mut self, path: &Path, owner: &Owner) -> Result<(u32, u32)> {
        if self.names.is_none() {
            self.names = Some(Names::of(self.tree)?);
        }
        let Some(names) = &self.names else { bail!("nobody is known") };
        let group = owner.group.as_deref().unwrap_or("root");
        let uid = names.uid(&owner.user);
        let uid = uid.with_context(|| no_such(path, "user", &owner.user))?;
        let gid = names.gid(group).with_context(|| no_such(path, "group", group))?;
        Ok((uid, gid))
    }

    fn random_password(&self, user: &str, expire: bool) -> Result<()> {
        const FILE: &str = "/etc/shadow";
        let password: String = random::bytes::<LENGTH>()?
            .iter()
            .map(|byte| char::from(ALPHABET[usize::from(byte % 64)]))
            .collect();
        let hash = shadow::hash(&password, &random::bytes()?)?;
        let day = if expire { 0 } else { Timestamp::now().as_second().div_euclid(24 * 60 * 60) };
        let stat = self.tree.stat(FILE)?.context("there is no /etc/shadow")?;
        let before = self.tree.read(FILE)?.unwrap_or_default();
        let after = shadow::with_password(&before, user, &hash, Some(day));
        self.tree.write(FILE, &after, stat.mode, (stat.uid, stat.gid))?;
        (self.say)(&format!("The password of {user} is now: {password}"))
    }
}

fn no_such(path: &Path, kind: &str, name: &str) -> String {
    format!("{} cannot be given to the {kind} {name:?}, who is not there", path.display())
}

fn bytes<'a>(path: &Path, file: &'a NewFile) -> Result<&'a [u8]> {
    file.content.bytes().with_context(|| path.display().to_string())
}

/// To whoever started it by hand, else on the machine's console; never into the journal, which
/// keeps it and sends it on.
fn say(line: &str) -> Result<()> {
    let line = format!("{line}\n");
    let mut stderr = std::io::stderr();
    if stderr.is_terminal() {
        return stderr.write_all(line.as_bytes()).context("cannot say a new password");
    }
    OpenOptions::new()
        .write(true)
        .open("/dev/console")
        .and_then(|mut console| console.write_all(line.as_bytes()))
        .context("a new password cannot be said on /dev/console")
}
