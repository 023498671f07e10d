//! One user: the fields of an entry of `users`, or of `user`.

use crate::firstboot::cloud_config::reader::{Fields, Reader};
use crate::firstboot::cloud_config::{authorized, passwords};
use crate::firstboot::configuration::{Lock, Placed, User};
use crate::firstboot::yaml::{Node, Value};

/// The keys of a user.
pub(super) const KEYS: &[&str] = &[
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

/// What the fields say, over what is said of the user already.
pub(super) fn read(reader: &mut Reader, fields: Fields<'_>, base: User) -> User {
    let name = base.name.value.clone();
    let mut user = base;
    let text = |reader: &mut Reader, key: &str| {
        let node = fields.get_either_spelling(key)?;
        reader.line(node, &format!("{key} of user {name:?}"))
    };
    let flag = |reader: &mut Reader, key: &str| {
        let node = fields.get_either_spelling(key)?;
        reader.boolean(node, &format!("{key} of user {name:?}"))
    };
    user.gecos = text(reader, "gecos").map(|it| it.value).or(user.gecos);
    user.homedir = absolute(reader, text, "homedir").or(user.homedir);
    user.shell = absolute(reader, text, "shell").or(user.shell);
    user.primary_group = text(reader, "primary_group").or(user.primary_group);
    user.no_create_home = flag(reader, "no_create_home").unwrap_or(user.no_create_home);
    user.no_user_group = flag(reader, "no_user_group").unwrap_or(user.no_user_group);
    user.only_groups_there =
        flag(reader, "create_groups").map_or(user.only_groups_there, |makes| !makes);
    user.system = flag(reader, "system").unwrap_or(user.system);
    user.expire_date = expire_date(reader, text).or(user.expire_date);
    if let Some(node) = fields.get_either_spelling("ssh_redirect_user") {
        user.redirect_to = redirected(reader, node, &name);
    }
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
        let new = members(reader, node);
        user.groups.retain(|it| !new.iter().any(|new| new.value == it.value));
        user.groups.extend(new);
    }
    if let Some(node) = fields.get("sudo") {
        user.sudo = sudo(reader, node);
    } else if fields.is_null("sudo") {
        // Said of the default user: left with its rule, it could do what was taken from it.
        user.sudo.clear();
    }
    if let Some(node) = fields.get_either_spelling("ssh_authorized_keys") {
        user.ssh_keys = authorized::keys(reader, node, "ssh_authorized_keys");
    }
    user.password = passwords::of_user(reader, fields, user.lock).or(user.password);
    let resets = ["hashed_passwd", "plain_text_passwd"];
    user.resets_password |= resets.iter().any(|key| fields.get_either_spelling(key).is_some());
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

/// Whom to is settled once it is known whether there is a default user.
fn redirected(reader: &mut Reader, node: &Node, name: &str) -> Option<Placed<String>> {
    let what = format!("ssh_redirect_user of user {name:?}");
    let is_asked = node.as_str() == Some("default") || reader.boolean(node, &what)?;
    is_asked.then(|| Placed { value: String::new(), place: node.place.clone() })
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
        if let Some(node) = fields.get_either_spelling(key) {
            let what = format!("{key} of user {name:?} is not supported: {why}");
            reader.error(&node.place, what);
        }
    }
}
