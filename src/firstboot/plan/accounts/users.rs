//! What becomes of a user that a configuration names.

use anyhow::Result;

use super::{Accounts, Planner, home::Home, password};
use crate::firstboot::configuration::{Hash, User};

/// Makes the user, or adds to one that is there; the home directory that it is to have.
pub(super) fn plan(
    planner: &mut Planner,
    accounts: &mut Accounts,
    user: &User,
) -> Result<Option<Home>> {
    let (name, place) = (user.name.value.as_str(), &user.name.place);
    let is_new = !accounts.passwd.has(name);
    if is_new {
        if let Err(what) = accounts.add_user(planner, user) {
            planner.error(place, what);
            return Ok(None);
        }
        let shell = accounts.passwd.get(name, 6).unwrap_or_default().to_owned();
        // A link to a file of the initrd's is none here: the view stays within the tree.
        if !planner.view.is_file(&shell)? {
            let says = format!("the shell {shell} of {name} is not there: no login will work");
            planner.warning(place, says);
        }
    } else {
        already_there(planner, accounts, user);
    }
    for group in &user.groups {
        if user.only_groups_there && !accounts.group.has(&group.value) {
            let says = format!(
                "there is no group {:?}, and none is made, as create_groups of {name} has it: \
                 {name} is not in it",
                group.value
            );
            planner.warning(&group.place, says);
            continue;
        }
        match accounts.ensure_group(&group.value, false) {
            Ok(()) => accounts.join(&group.value, name),
            Err(what) => planner.error(&group.place, what),
        }
    }
    password::of_user(planner, accounts, user, is_new)?;
    let has_home = is_new && !user.no_create_home && !user.system;
    Ok(has_home.then(|| Home { user: name.to_owned(), place: place.clone() }))
}

/// What is said of a user that is there and is not taken over, so that nobody waits for it.
fn already_there(planner: &mut Planner, accounts: &Accounts, user: &User) {
    let name = user.name.value.as_str();
    let is = |field: usize| accounts.passwd.get(name, field).unwrap_or_default().to_owned();
    let mut ignored = Vec::new();
    if let Some(uid) = user.uid.filter(|uid| uid.to_string() != is(2)) {
        ignored.push(format!("uid {uid} (it is {})", is(2)));
    }
    if let Some(home) = user.homedir.as_ref().filter(|home| **home != is(5)) {
        ignored.push(format!("homedir {home} (it is {})", is(5)));
    }
    if let Some(shell) = user.shell.as_ref().filter(|shell| **shell != is(6)) {
        ignored.push(format!("shell {shell} (it is {})", is(6)));
    }
    if matches!(user.password, Some(Hash::Hashed(_))) && !user.resets_password {
        ignored.push("passwd (write it into chpasswd's users)".to_owned());
    }
    if !ignored.is_empty() {
        let says = format!("the user {name} is there already: ignored are {}", ignored.join(", "));
        planner.warning(&user.name.place, says);
    }
}
