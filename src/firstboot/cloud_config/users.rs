//! `users`, `user`, `groups`, `ssh_authorized_keys`, and the platform's keys.

use super::Context;
use super::reader::{Fields, Reader};
use crate::firstboot::configuration::{Configuration, Group, Hash, Lock, Placed, Secret, User};
use crate::firstboot::problem::Place;
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

/// Whom root's keys name where there is no default user.
pub(super) const NOBODY: &str = "NONE";

pub(super) fn read(reader: &mut Reader, context: &Context<'_>, to: &mut Configuration) {
    if let Some(node) = context.get("groups") {
        to.groups = groups(reader, node);
    }
    to.users = users(reader, context);
    distribute_keys(reader, context, to);
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

fn plain(name: Placed<String>) -> User {
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
fn either<'a>(fields: Fields<'a>, name: &str) -> Option<&'a Node> {
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
        user.ssh_keys = keys(reader, node, "ssh_authorized_keys");
    }
    user.password = password(reader, fields, user.lock).or(user.password);
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

/// Lines of `authorized_keys`.
pub(super) fn keys(reader: &mut Reader, node: &Node, name: &str) -> Vec<Placed<String>> {
    let mut keys = Vec::new();
    let texts: Vec<&Node> = match &node.value {
        Value::Seq(items) => items.iter().filter(|item| !item.is_null()).collect(),
        _ => vec![node],
    };
    for node in texts {
        let Some(text) = reader.text(node, name) else { continue };
        let place = &text.place;
        for line in text.value.lines().map(str::trim).filter(|line| !line.is_empty()) {
            check_key(reader, line, place);
            keys.push(Placed { value: line.to_owned(), place: place.clone() });
        }
    }
    keys
}

/// sshd ignores a line that it cannot read, and the administrator stays outside.
fn check_key(reader: &mut Reader, line: &str, place: &Place) {
    if line.starts_with('#') || line.parse::<ssh_key::authorized_keys::Entry>().is_ok() {
        return;
    }
    if line.contains("PRIVATE KEY") {
        reader.error(
            place,
            "this is a private key: only the public one, of the file .pub, goes here",
        );
        return;
    }
    let begin: String = line.chars().take(20).collect();
    let what = format!(
        "{begin:?}… is no public key as sshd reads it, which will ignore it: write the whole line \
         of the file .pub, as ssh-ed25519 AAAA… comment"
    );
    reader.warn(place, what);
}

fn password(reader: &mut Reader, fields: Fields<'_>, lock: Lock) -> Option<Hash> {
    let plain = either(fields, "plain_text_passwd");
    let node = either(fields, "hashed_passwd").or_else(|| fields.get("passwd")).or(plain)?;
    let is_plain = plain.is_some_and(|it| std::ptr::eq(it, node));
    let text = reader.line(node, "a password")?;
    let given_lock = either(fields, "lock_passwd").is_some();
    if lock == Lock::Locked && !given_lock {
        let what = "a password is set, and locked all the same, since lock_passwd is true unless \
                    it says otherwise: write lock_passwd: false if it is to be used";
        reader.warn(&text.place, what);
    }
    if is_plain {
        let what = "this password can be read by everybody who can read this file: \
                    hashed_passwd takes what `openssl passwd -6` prints";
        reader.warn(&text.place, what);
        return Some(Hash::Plain(Secret(text.value)));
    }
    if !is_hash(&text.value) {
        let what = "this is no hash, and nobody could log in with it: write what `openssl passwd \
                    -6` prints, or use plain_text_passwd";
        reader.error(&text.place, what);
        return None;
    }
    Some(Hash::Hashed(Secret(text.value)))
}

/// Whether crypt(5) knows it, or it says "none" as shadow(5) has it.
pub(super) fn is_hash(text: &str) -> bool {
    let locked_or_none = text.trim_start_matches('!');
    let fields = locked_or_none.split('$').count();
    locked_or_none.is_empty()
        || locked_or_none == "*"
        || (locked_or_none.starts_with('$') && fields >= 4 && !text.contains([':', ' ']))
        // DES, which is 13 characters of its own alphabet.
        || (locked_or_none.len() == 13
            && locked_or_none.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '/')))
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

/// Top-level keys and the platform's go to the default user, and to root behind a forced
/// command, unless `disable_root` is false.
fn distribute_keys(reader: &mut Reader, context: &Context<'_>, to: &mut Configuration) {
    let own = context.get("ssh_authorized_keys");
    let mut all = own.map_or_else(Vec::new, |it| keys(reader, it, "ssh_authorized_keys"));
    let platforms = context.seed.public_keys.iter();
    all.extend(platforms.map(|key| context.of_platform(key.trim())));
    let redirected: Vec<bool> = to.users.iter().map(|it| it.redirect_to.is_some()).collect();
    let default = default_name(context, to);
    for (user, redirected) in to.users.iter_mut().zip(redirected) {
        if redirected {
            user.redirect_to.clone_from(&default);
            user.ssh_keys.extend(all.iter().cloned());
        } else if Some(&user.name.value) == default.as_ref() {
            user.ssh_keys.extend(all.iter().cloned());
        }
    }
    let disabled = context.get("disable_root").and_then(|it| reader.boolean(it, "disable_root"));
    if let Some(first) = all.first() {
        // An entry of its own: the keys that root's own entry may have are not locked.
        let mut root = plain(Placed { value: "root".to_owned(), place: first.place.clone() });
        root.redirect_to =
            disabled.unwrap_or(true).then(|| default.unwrap_or_else(|| NOBODY.to_owned()));
        root.ssh_keys = all;
        to.users.push(root);
    }
}

/// The default user's name, if that one is among the users.
fn default_name(context: &Context<'_>, to: &Configuration) -> Option<String> {
    let asked = match context.get("user").map(|it| &it.value) {
        Some(Value::Str(name)) => name.clone(),
        Some(Value::Map(_)) => context
            .get("user")
            .and_then(|it| it.get("name"))
            .and_then(Node::as_str)
            .map_or_else(|| context.defaults.user.clone(), str::to_owned),
        _ => context.defaults.user.clone(),
    };
    to.users.iter().any(|user| user.name.value == asked).then_some(asked)
}
