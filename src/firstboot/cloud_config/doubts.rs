//! What is legal and hurts on a machine that nobody can walk up to.

use super::Context;
use super::authorized::NOBODY;
use super::reader::Reader;
use crate::firstboot::configuration::{Configuration, Hash, Lock, User};

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
    for (at, user) in of.users.iter().enumerate() {
        let before = &of.users[..at];
        if before
            .iter()
            .any(|it| it.name.value == user.name.value && it.name.place != user.name.place)
            && user.name.value != "root"
        {
            let what = format!("user {:?} is here a second time", user.name.value);
            reader.warn(&user.name.place, what);
        }
        if let Some(other) = before.iter().find(|it| it.uid.is_some() && it.uid == user.uid) {
            let what = format!(
                "uid {} is that of user {:?} already",
                user.uid.unwrap_or_default(),
                other.name.value
            );
            reader.error(&user.name.place, what);
        }
        if matches!(user.password, Some(Hash::Plain(_))) && user.name.value == "root" {
            reader.warn(&user.name.place, "root has a password in plain text");
        }
    }
}
