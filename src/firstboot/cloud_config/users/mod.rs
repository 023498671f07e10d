//! `users`, `user` and `groups`.

mod groups;
mod user;

use super::reader::{Fields, Reader};
use super::{Context, authorized};
use crate::firstboot::configuration::{Configuration, Placed, User};
use crate::firstboot::yaml::{Node, Value};

pub(super) fn read(reader: &mut Reader, context: &Context<'_>, to: &mut Configuration) {
    if let Some(node) = context.get("groups") {
        to.groups = groups::read(reader, node);
    }
    to.users = users(reader, context);
    authorized::distribute(reader, context, to);
}

/// The users, the default one first where it is asked for.
fn users(reader: &mut Reader, context: &Context<'_>) -> Vec<User> {
    let Some(node) = context.get("users") else {
        // What cloud-init's own base configuration has.
        return vec![default_user(reader, context)];
    };
    let mut users = Vec::new();
    match &node.value {
        Value::Seq(items) => {
            for item in items.iter().filter(|item| !item.is_null()) {
                entry(reader, context, item, &mut users);
            }
        }
        Value::Map(pairs) => {
            // Names as keys.
            for (name, fields) in pairs {
                let Some(name) = reader.line(name, "a user's name") else { continue };
                if name.value == "default" {
                    users.push(default_user(reader, context));
                } else if fields.is_null() {
                    users.push(User::new(name));
                } else if let Some(fields) = reader.fields(fields, "a user", user::KEYS) {
                    users.push(user::read(reader, fields, User::new(name)));
                }
            }
        }
        _ => {
            for name in reader.comma_list(node, "users") {
                named(reader, context, name, &mut users);
            }
        }
    }
    users
}

fn entry(reader: &mut Reader, context: &Context<'_>, item: &Node, users: &mut Vec<User>) {
    let Value::Map(_) = &item.value else {
        for name in reader.comma_list(item, "a user") {
            named(reader, context, name, users);
        }
        return;
    };
    let Some(fields) = reader.fields(item, "a user", user::KEYS) else { return };
    let is_default = fields.get("default").is_some_and(|it| it.value == Value::Bool(true));
    let Some(name) = fields.get("name") else {
        if is_default {
            let default = default_user(reader, context);
            users.push(user::read(reader, fields, default));
        } else {
            reader.error(&item.place, "a user has no name: add the line \"name: …\"");
        }
        return;
    };
    let Some(name) = reader.line(name, "a user's name") else { return };
    let name = Placed { place: item.place.clone(), ..name };
    users.push(user::read(reader, fields, User::new(name)));
}

fn named(reader: &mut Reader, context: &Context<'_>, name: Placed<String>, users: &mut Vec<User>) {
    match name.value.as_str() {
        "default" => users.push(default_user(reader, context)),
        _ => users.push(User::new(name)),
    }
}

/// As cloud images have it: locked, may do everything, in by the platform's keys. `user:`
/// changes it.
fn default_user(reader: &mut Reader, context: &Context<'_>) -> User {
    let place = context.get("users").map_or_else(|| context.place().clone(), |it| it.place.clone());
    let name = Placed { value: context.defaults.user.clone(), place: place.clone() };
    let mut default = User::new(name);
    default.gecos = Some("Cloud User".to_owned());
    default.shell = Some("/bin/bash".to_owned());
    default.sudo = vec![Placed { value: "ALL=(ALL) NOPASSWD:ALL".to_owned(), place }];
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

/// Both spellings: cloud-init takes `-` for `_` in these keys.
pub(super) fn either<'a>(fields: Fields<'a>, name: &str) -> Option<&'a Node> {
    fields.get(name).or_else(|| fields.get(&name.replace('_', "-")))
}
