//! `users`, `user` and `groups`.

mod entries;
mod groups;
mod user;

use super::reader::Reader;
use super::{Context, authorized};
use crate::firstboot::configuration::{Configuration, Placed, User};
use crate::firstboot::problem::Place;
use crate::firstboot::yaml::Value;
use entries::Entry;

/// Reads them; the name of the default user, where there is one.
pub(super) fn read(
    reader: &mut Reader,
    context: &Context<'_>,
    to: &mut Configuration,
) -> Option<String> {
    if let Some(node) = context.get("groups") {
        to.groups = groups::read(reader, node);
    }
    let entries = entries(reader, context);
    let default = default_user(reader, context, &entries);
    let name = default.as_ref().map(|it| it.name.value.clone());
    to.users = users(reader, &entries, default);
    authorized::distribute(reader, context, name.as_deref(), to);
    name
}

/// Who is asked for. `user` adds the default user to any `users`, as in cloud-init: without it
/// the machine would lack the only one who has rights and keys.
fn entries<'a>(reader: &mut Reader, context: &'a Context<'_>) -> Vec<Entry<'a>> {
    let default = |place: &Place| Entry { place: place.clone(), name: None, fields: None };
    let Some(node) = context.get("users") else {
        // What cloud-init's own base configuration has.
        let place = context.get("user").map_or_else(|| context.place(), |it| &it.place);
        return vec![default(place)];
    };
    let mut entries = entries::read(reader, node);
    let Some(user) = context.get("user") else { return entries };
    if node.get("default").is_some_and(|it| it.value == Value::Bool(false)) {
        let what = "user is ignored: it is the default user, and users says default: false";
        reader.warn(&user.place, what);
    } else if entries.iter().all(|it| it.name.is_some()) {
        entries.push(default(&user.place));
    }
    entries
}

/// In the order of the entries. Those of the default user's are one user, who stands where the
/// first of them does.
fn users(reader: &mut Reader, entries: &[Entry<'_>], mut default: Option<User>) -> Vec<User> {
    let default_name = default.as_ref().map(|it| it.name.value.clone());
    let mut users = Vec::new();
    for entry in entries {
        match &entry.name {
            Some(name) if Some(&name.value) != default_name.as_ref() => {
                let user = User::new(name.clone());
                users.push(match entry.fields {
                    Some(fields) => user::read(reader, fields, user),
                    None => user,
                });
            }
            _ => users.extend(default.take()),
        }
    }
    users
}

/// The default user, if one of the entries asks for it: as `user` has it, changed by the entries
/// of `default`, and those by what is said at its own name.
fn default_user(reader: &mut Reader, context: &Context<'_>, entries: &[Entry<'_>]) -> Option<User> {
    let asked = entries.iter().find(|it| it.name.is_none())?;
    let mut user = of_distribution(reader, context, &asked.place);
    let own = Some(user.name.value.clone());
    let at_default = entries.iter().filter(|it| it.name.is_none());
    let at_name = entries.iter().filter(|it| it.name.as_ref().map(|it| &it.value) == own.as_ref());
    for fields in at_default.chain(at_name).filter_map(|it| it.fields) {
        user = user::read(reader, fields, user);
    }
    Some(user)
}

/// As cloud images have it: locked, may do everything, in by the platform's keys. `user:`
/// changes it.
fn of_distribution(reader: &mut Reader, context: &Context<'_>, place: &Place) -> User {
    let name = Placed { value: context.defaults.user.clone(), place: place.clone() };
    let mut default = User::new(name);
    default.gecos = Some("Cloud User".to_owned());
    default.shell = Some("/bin/bash".to_owned());
    let rule = "ALL=(ALL) NOPASSWD:ALL".to_owned();
    default.sudo = vec![Placed { value: rule, place: place.clone() }];
    match context.get("user") {
        None => default,
        Some(node) if matches!(node.value, Value::Map(_)) => {
            let Some(fields) = reader.fields(node, "user", user::KEYS) else { return default };
            if let Some(name) = fields.get("name") {
                default.name = reader.line(name, "the name in user").unwrap_or(default.name);
            }
            user::read(reader, fields, default)
        }
        Some(node) => {
            let name = reader.line(node, "user").unwrap_or(default.name);
            User { name, ..default }
        }
    }
}
