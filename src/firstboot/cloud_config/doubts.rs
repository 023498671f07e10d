//! What is legal and hurts on a machine that nobody can walk up to.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::Context;
use super::authorized::NOBODY;
use super::reader::Reader;
use crate::firstboot::configuration::{Configuration, Hash, Lock, User};
use crate::firstboot::problem::shown;

pub(super) fn find(reader: &mut Reader, context: &Context<'_>, of: &Configuration) {
    nobody_gets_in(reader, context, of);
    only_root_and_locked(reader, of);
    names_twice(reader, of);
}

fn can_log_in_by_password(of: &Configuration) -> bool {
    let is_open = |it: &&User| it.lock == Lock::Open && it.password.is_some();
    of.users.iter().any(|it| is_open(&it)) || !of.passwords.is_empty()
}

/// Users, and no way for any of them to come in.
fn nobody_gets_in(reader: &mut Reader, context: &Context<'_>, of: &Configuration) {
    let Some(node) = context.get("users") else { return };
    let has_keys = of.users.iter().any(|user| !user.ssh_keys.is_empty());
    if of.users.is_empty() || has_keys || can_log_in_by_password(of) {
        return;
    }
    let what = "none of the users has a key or a password that can be used, so nobody can log in: \
                add ssh_authorized_keys";
    reader.warn(&node.place, what);
}

/// root's keys are locked behind a command that names a user who is not there.
fn only_root_and_locked(reader: &mut Reader, of: &Configuration) {
    let is_locked = |it: &User| it.redirect_to.as_ref().is_some_and(|it| it.value == NOBODY);
    let others = of.users.iter().any(|it| !is_locked(it) && !it.ssh_keys.is_empty());
    if let Some(root) = of.users.iter().find(|it| is_locked(it))
        && !others
    {
        let what = "disable_root is true unless it says otherwise, and there is no default user: \
                    these keys open nothing; write disable_root: false, or \"default\" among users";
        reader.warn(&root.name.place, what);
    }
}

fn names_twice(reader: &mut Reader, of: &Configuration) {
    let (mut names, mut uids) = (HashMap::new(), HashMap::new());
    for user in &of.users {
        let (name, place) = (user.name.value.as_str(), &user.name.place);
        if *names.entry(name).or_insert(place) != place && name != "root" {
            reader.warn(place, format!("user {:?} is here a second time", shown(name)));
        }
        if let Some(uid) = user.uid {
            match uids.entry(uid) {
                Entry::Vacant(it) => {
                    it.insert(name);
                }
                Entry::Occupied(other) => {
                    let other = shown(other.get());
                    reader.error(place, format!("uid {uid} is that of user {other:?} already"));
                }
            }
        }
        if matches!(user.password, Some(Hash::Plain(_))) && name == "root" {
            reader.warn(place, "root has a password in plain text");
        }
    }
}
