//! `users`, `user` and `groups`.

use super::reader::{Fields, Reader};
use super::{Context, authorized, passwords};
use crate::firstboot::configuration::{Configuration, Group, Lock, Placed, User};
use crate::firstboot::yaml::{Node, Value};

/// The keys of a user.
const USER: &[&str] = &[
    "name",
    "gecos",
    "homedir",
    "primary_group",
    "primary-group",
    "groups",
    "selinux_user",
    "selinux-user",
    "lock_passwd",
    "lock-passwd",
    "inactive",
    "expiredate",
    "passwd",
    "hashed_passwd",
    "hashed-passwd",
    "plain_text_passwd",
    "plain-text-passwd",
    "no_create_home",
    "no-create-home",
    "no_user_group",
    "no-user-group",
    "no_log_init",
    "no-log-init",
    "ssh_authorized_keys",
    "ssh-authorized-keys",
    "ssh_import_id",
    "ssh-import-id",
    "ssh_redirect_user",
    "ssh-redirect-user",
    "sudo",
    "doas",
    "shell",
    "system",
    "uid",
    "snapuser",
    "create_groups",
    "default",
];

pub(super) fn read(reader: &mut Reader, context: &Context<'_>, to: &mut Configuration) {
    if let Some(node) = context.get("groups") {
        to.groups = groups(reader, node);
    }
    to.users = users(reader, context);
    authorized::distribute(reader, context, to);
}

fn groups(reader: &mut Reader, node: &Node) -> Vec<Group> {
    let alone = |name| Group { name, members: Vec::new() };
    let mut groups = Vec::new();
    match &node.value {
        Value::Map(_) => groups.extend(with_members(reader, node)),
        Value::Seq(items) => {
            for item in items {
                match &item.value {
                    Value::Map(_) => groups.extend(with_members(reader, item)),
                    _ => groups.extend(reader.line(item, "a group").map(alone)),
                }
            }
        }
        _ => groups.extend(reader.comma_list(node, "groups").into_iter().map(alone)),
    }
    groups
}

/// `docker: [alice, bob]`
fn with_members(reader: &mut Reader, node: &Node) -> Vec<Group> {
    let Value::Map(pairs) = &node.value else { return Vec::new() };
    let mut groups = Vec::new();
    for (name, members) in pairs {
        let Some(name) = reader.line(name, "a group's name") else { continue };
        let members = if members.is_null() {
            Vec::new()
        } else {
            reader.comma_list(members, "a group's members")
        };
        groups.push(Group { name, members });
    }
    groups
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
                    users.push(plain(name));
                } else if let Some(fields) = reader.fields(fields, "a user", USER) {
                    users.push(user(reader, fields, plain(name)));
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
    let Some(fields) = reader.fields(item, "a user", USER) else { return };
    let is_default = fields.get("default").is_some_and(|it| it.value == Value::Bool(true));
    let Some(name) = fields.get("name") else {
        if is_default {
            let default = default_user(reader, context);
            users.push(user(reader, fields, default));
        } else {
            reader.error(&item.place, "a user has no name: add the line \"name: …\"");
        }
        return;
    };
    let Some(name) = reader.line(name, "a user's name") else { return };
    let name = Placed { place: item.place.clone(), ..name };
    users.push(user(reader, fields, plain(name)));
}

fn named(reader: &mut Reader, context: &Context<'_>, name: Placed<String>, users: &mut Vec<User>) {
    match name.value.as_str() {
        "default" => users.push(default_user(reader, context)),
        _ => users.push(plain(name)),
    }
}

/// One who is only named.
pub(super) fn plain(name: Placed<String>) -> User {
    User {
        name,
        gecos: None,
        homedir: None,
        no_create_home: false,
        shell: None,
        uid: None,
        primary_group: None,
        groups: Vec::new(),
        no_user_group: false,
        system: false,
        expire_date: None,
        inactive: None,
        password: None,
        lock: Lock::Locked,
        sudo: Vec::new(),
        ssh_keys: Vec::new(),
        redirect_to: None,
        resets_password: false,
    }
}

/// As cloud images have it: locked, may do everything, in by the platform's keys. `user:`
/// changes it.
fn default_user(reader: &mut Reader, context: &Context<'_>) -> User {
    let place = context.get("users").map_or_else(|| context.place().clone(), |it| it.place.clone());
    let name = Placed { value: context.defaults.user.clone(), place: place.clone() };
    let mut default = plain(name);
    default.gecos = Some("Cloud User".to_owned());
    default.shell = Some("/bin/bash".to_owned());
    default.sudo = vec![Placed { value: "ALL=(ALL) NOPASSWD:ALL".to_owned(), place }];
    match context.get("user") {
        None => default,
        Some(node) if matches!(node.value, Value::Map(_)) => {
            let Some(fields) = reader.fields(node, "user", USER) else { return default };
            if let Some(name) = fields.get("name") {
                default.name = reader.line(name, "the name in user").unwrap_or(default.name);
            }
            user(reader, fields, default)
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

fn user(reader: &mut Reader, fields: Fields<'_>, base: User) -> User {
    let name = base.name.value.clone();
    let mut user = base;
    let text = |reader: &mut Reader, key: &str| {
        let node = either(fields, key)?;
        reader.line(node, &format!("{key} of user {name:?}"))
    };
    let flag = |reader: &mut Reader, key: &str| {
        let node = either(fields, key)?;
        reader.boolean(node, &format!("{key} of user {name:?}"))
    };
    user.gecos = text(reader, "gecos").map(|it| it.value).or(user.gecos);
    user.homedir = absolute(reader, text, "homedir").or(user.homedir);
    user.shell = absolute(reader, text, "shell").or(user.shell);
    user.primary_group = text(reader, "primary_group").or(user.primary_group);
    user.no_create_home = flag(reader, "no_create_home").unwrap_or(user.no_create_home);
    user.no_user_group = flag(reader, "no_user_group").unwrap_or(user.no_user_group);
    user.system = flag(reader, "system").unwrap_or(user.system);
    user.expire_date = expire_date(reader, text).or(user.expire_date);
    user.redirect_to = flag(reader, "ssh_redirect_user").unwrap_or(false).then(String::new);
    if let Some(locked) = flag(reader, "lock_passwd") {
        user.lock = if locked { Lock::Locked } else { Lock::Open };
    }
    if let Some(node) = fields.get("uid") {
        let number = reader.number(node, "uid", 0..=i64::from(u32::MAX) - 2);
        user.uid = number.and_then(|it| u32::try_from(it).ok());
    }
    if let Some(node) = fields.get("inactive") {
        user.inactive = reader.number(node, "inactive", -1..=99_999);
    }
    if let Some(node) = fields.get("groups") {
        user.groups = members(reader, node);
    }
    if let Some(node) = fields.get("sudo") {
        user.sudo = sudo(reader, node);
    }
    if let Some(node) = either(fields, "ssh_authorized_keys") {
        user.ssh_keys = authorized::keys(reader, node, "ssh_authorized_keys");
    }
    user.password = passwords::of_user(reader, fields, user.lock).or(user.password);
    let resets = ["hashed_passwd", "plain_text_passwd"];
    user.resets_password = resets.iter().any(|key| either(fields, key).is_some());
    unsupported(reader, fields, &name);
    user
}

/// Of a mapping only the names count, as cloud-init has it.
fn members(reader: &mut Reader, node: &Node) -> Vec<Placed<String>> {
    match &node.value {
        Value::Map(pairs) => {
            pairs.iter().filter_map(|(name, _)| reader.line(name, "a group")).collect()
        }
        _ => reader.comma_list(node, "groups of a user"),
    }
}

fn absolute(
    reader: &mut Reader,
    text: impl Fn(&mut Reader, &str) -> Option<Placed<String>>,
    key: &str,
) -> Option<String> {
    let path = text(reader, key)?;
    if !path.value.starts_with('/') || path.value.contains(':') {
        let what = format!("{key} {:?} must be an absolute path without a colon", path.value);
        reader.error(&path.place, what);
        return None;
    }
    Some(path.value)
}

fn expire_date(
    reader: &mut Reader,
    text: impl Fn(&mut Reader, &str) -> Option<Placed<String>>,
) -> Option<String> {
    let date = text(reader, "expiredate")?;
    if date.value.parse::<jiff::civil::Date>().is_err() {
        let what = format!("expiredate {:?} is no date: write it as 2030-12-31", date.value);
        reader.error(&date.place, what);
        return None;
    }
    Some(date.value)
}

fn sudo(reader: &mut Reader, node: &Node) -> Vec<Placed<String>> {
    match &node.value {
        Value::Bool(false) => Vec::new(),
        Value::Bool(true) => {
            let what = "sudo must be a rule or false: write \"ALL=(ALL) NOPASSWD:ALL\" for all";
            reader.error(&node.place, what);
            Vec::new()
        }
        _ => reader.lines(node, "sudo"),
    }
}

fn unsupported(reader: &mut Reader, fields: Fields<'_>, name: &str) {
    for (key, why) in [
        ("ssh_import_id", "it would ask a server of others; write the keys themselves"),
        ("doas", "this system has sudo"),
        ("selinux_user", "write a rule with semanage in runcmd"),
        ("snapuser", "this system has no snaps"),
    ] {
        if let Some(node) = either(fields, key) {
            let what = format!("{key} of user {name:?} is not supported: {why}");
            reader.error(&node.place, what);
        }
    }
}
