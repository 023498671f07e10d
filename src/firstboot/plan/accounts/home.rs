//! Home directories.

use std::path::Path;

use anyhow::{Result, ensure};

use super::{Accounts, Planner};
use crate::firstboot::configuration::Owner;
use crate::firstboot::plan::{Content, NewFile};
use crate::firstboot::problem::Place;
use crate::sys::tree::Kind;

/// Directories in directories of `/etc/skel`, at most.
const DEEPEST: u32 = 16;

/// A home directory to be there.
pub(super) struct Home {
    pub(super) user: String,
    /// Where the user was asked for.
    pub(super) place: Place,
}

/// Whose the files of a user are.
pub(super) fn owner(accounts: &Accounts, user: &str) -> Option<Owner> {
    let gid = accounts.passwd.get(user, 3)?.to_owned();
    Some(Owner { user: user.to_owned(), group: Some(gid) })
}

/// Makes it, as `/etc/skel` has it. One that is there stays as it is.
pub(super) fn plan(planner: &mut Planner, accounts: &Accounts, home: &Home) -> Result<()> {
    let Home { user, place } = home;
    let (Some(path), Some(owner)) = (accounts.passwd.get(user, 5), owner(accounts, user)) else {
        return Ok(());
    };
    if planner.view.exists(path)? {
        let says = format!("{path} is there already: it is left as it is, and whose it is");
        planner.warning(place, says);
        return Ok(());
    }
    planner.view.directory(path, accounts.defaults.home_mode, &owner)?;
    copy(planner, Path::new(&accounts.defaults.skel), Path::new(path), &owner, DEEPEST)
}

fn copy(planner: &mut Planner, from: &Path, to: &Path, owner: &Owner, depth: u32) -> Result<()> {
    ensure!(depth > 0, "{} has directories in more than {DEEPEST} directories", from.display());
    for name in planner.view.list(from)? {
        let (from, to) = (from.join(&name), to.join(&name));
        let here = planner.view.resolve(&from, false)?;
        if let Some(target) = planner.view.target_of(&here)? {
            planner.view.link(&to, target)?;
            continue;
        }
        let Some((_, mode)) = planner.view.owner_and_mode(&from)? else { continue };
        match planner.view.kind(&from)? {
            Some(Kind::Directory) => {
                planner.view.directory(&to, mode, owner)?;
                copy(planner, &from, &to, owner, depth - 1)?;
            }
            Some(Kind::File) => {
                let content = Content::Bytes(planner.view.read(&from)?.unwrap_or_default());
                let owner = owner.clone();
                planner.view.write(&to, NewFile { content, mode, owner, secret: false })?;
            }
            _ => {}
        }
    }
    Ok(())
}
