//! `write_files`.

use std::path::{Component, Path};

use anyhow::{Result, ensure};

use super::accounts::names::Names;
use super::overlay::is_closed;
use super::{Change, Content, NewFile, Planner, root};
use crate::firstboot::configuration::{Configuration, FileContent, Owner, WriteFile};

/// File systems that the kernel makes up: nothing can be written there.
const MADE_UP: [&str; 3] = ["/proc", "/sys", "/dev"];
/// Empty at every start.
const FLEETING: [&str; 3] = ["/run", "/tmp", "/var/run"];

/// Who is there is listed in these.
const TABLES: [&str; 2] = ["/etc/passwd", "/etc/group"];

/// The files that are to be there before users and packages.
pub(super) fn plan(planner: &mut Planner, configuration: &Configuration) {
    for file in configuration.files.iter().filter(|file| !file.defer) {
        if let Err(e) = check(planner, file).and_then(|()| write(planner, file)) {
            planner.error(&file.path.place, format!("{e:#}"));
        }
    }
}

/// The files that are to be written when users and packages are there.
pub(super) fn deferred(planner: &mut Planner, configuration: &Configuration) -> Vec<Change> {
    let mut appended = Vec::new();
    // Users have been made since.
    planner.names = None;
    for file in configuration.files.iter().filter(|file| file.defer) {
        let result = check(planner, file).and_then(|()| {
            if file.append && !planner.runs.is_empty() {
                // What is there by then is not known now.
                appended.push(append(planner, file)?);
                return Ok(());
            }
            write(planner, file)
        });
        if let Err(e) = result {
            planner.error(&file.path.place, format!("{e:#}"));
        }
    }
    match planner.view.take() {
        Ok(mut changes) => {
            changes.append(&mut appended);
            changes
        }
        Err(e) => {
            planner.part("the deferred files", Err(e));
            appended
        }
    }
}

fn check(planner: &mut Planner, file: &WriteFile) -> Result<()> {
    let (named, place) = (&file.path.value, &file.path.place);
    let path = Path::new(named);
    ensure!(path.is_absolute(), "the path {named:?} is not absolute: write /{named}");
    ensure!(!named.contains('\0'), "the path {named:?} contains a NUL, which no path can");
    ensure!(
        !named.ends_with('/')
            && matches!(path.components().next_back(), Some(Component::Normal(_))),
        "the path {named:?} names no file: write a file's name at its end"
    );
    let resolved = planner.view.resolve(path, true)?;
    let below = |dirs: &[&str]| dirs.iter().any(|dir| resolved.starts_with(dir));
    ensure!(
        !below(&MADE_UP),
        "{named} cannot be written: the kernel makes up what is there; use bootcmd"
    );
    if below(&FLEETING) {
        planner.warning(
            place,
            format!("{named} is lost when the system starts: write it by bootcmd, or elsewhere"),
        );
    } else if below(&["/usr"]) && !below(&["/usr/local"]) {
        planner.warning(
            place,
            format!(
                "{named} is on the part of the system that is read-only once it has started, and \
                 an update may replace it: write below /etc, /var or /usr/local"
            ),
        );
    }
    Ok(())
}

fn write(planner: &mut Planner, file: &WriteFile) -> Result<()> {
    // Before anything is taken out of the plan: users are looked up in files that may be this one.
    let owner = owner(planner, file)?;
    let path = &file.path.value;
    let before = if file.append { planner.view.taken(path)? } else { Vec::new() };
    let new = new_file(file, before, owner);
    let owner = new.owner.clone();
    planner.view.write_below(path, new, &owner)?;
    forget_names(planner, path)
}

/// What was known of users and groups does not hold if this is one of the files that list them.
fn forget_names(planner: &mut Planner, path: &str) -> Result<()> {
    if planner.names.is_none() {
        return Ok(());
    }
    let written = planner.view.resolve(Path::new(path), true)?;
    for table in TABLES {
        if planner.view.resolve(Path::new(table), true)? == written {
            planner.names = None;
        }
    }
    Ok(())
}

fn append(planner: &mut Planner, file: &WriteFile) -> Result<Change> {
    let owner = owner(planner, file)?;
    let path = planner.view.resolve(Path::new(&file.path.value), true)?;
    planner.view.above(&path, &owner)?;
    let mut new = new_file(file, Vec::new(), owner);
    new.secret |= planner.view.is_secret(&path)?;
    Ok(Change::Append { path, file: new })
}

fn new_file(file: &WriteFile, mut before: Vec<u8>, owner: Owner) -> NewFile {
    let content = match file.content.clone() {
        FileContent::Bytes(bytes) => {
            before.extend(bytes);
            Content::Bytes(before)
        }
        FileContent::Fetched { uri, headers, fallback } => {
            Content::Fetched { before, uri, headers, fallback }
        }
    };
    NewFile { content, mode: file.mode, owner, secret: is_closed(file.mode) }
}

/// The owner, who has to be there by then: packages may bring users, which nobody knows yet.
fn owner(planner: &mut Planner, file: &WriteFile) -> Result<Owner> {
    let Some(owner) = &file.owner else { return Ok(root()) };
    let names = match planner.names.take() {
        Some(names) => names,
        None => Names::read(&planner.view)?,
    };
    let names = planner.names.insert(names);
    let Owner { user, group } = &owner.value;
    let group_there = group.as_ref().is_none_or(|group| names.gid(group).is_some());
    let missing = match (names.uid(user), group_there) {
        (Some(_), true) => return Ok(with_group(&owner.value)),
        (None, _) => format!("the user {user:?}"),
        (Some(_), false) => format!("the group {:?}", group.as_deref().unwrap_or_default()),
    };
    let path = &file.path.value;
    if !file.defer {
        planner.error(
            &owner.place,
            format!(
                "{path} is to belong to {missing}, which is not there yet when files are written, \
                 before users are made: write \"defer: true\" beside it"
            ),
        );
    } else if planner.runs.is_empty() {
        planner.error(
            &owner.place,
            format!("{path} is to belong to {missing}, which is not there and nothing makes it"),
        );
    }
    Ok(with_group(&owner.value))
}

fn with_group(owner: &Owner) -> Owner {
    let group = owner.group.clone().unwrap_or_else(|| "root".to_owned());
    Owner { user: owner.user.clone(), group: Some(group) }
}
