//! `password` and `chpasswd`.

use super::Context;
use super::reader::Reader;
use super::users::is_hash;
use crate::firstboot::configuration::{Configuration, Hash, NewPassword, Placed, Secret};
use crate::firstboot::yaml::{Node, Value};

pub(super) fn read(reader: &mut Reader, context: &Context<'_>, to: &mut Configuration) {
    let chpasswd = context.get("chpasswd");
    let fields =
        chpasswd.and_then(|it| reader.fields(it, "chpasswd", &["list", "users", "expire"]));
    let expire = fields.and_then(|it| it.get("expire"));
    let expire = expire.and_then(|it| reader.boolean(it, "expire of chpasswd")).unwrap_or(true);
    if let Some(node) = fields.and_then(|it| it.get("users")) {
        for item in reader.list(node, "users of chpasswd") {
            to.passwords.extend(entry(reader, item, expire));
        }
    }
    if let Some(node) = fields.and_then(|it| it.get("list")) {
        to.passwords.extend(list(reader, node, expire));
    }
    if let Some(node) = context.get("password") {
        let user = context.get("user").and_then(|it| match &it.value {
            Value::Map(_) => it.get("name").and_then(Node::as_str).map(str::to_owned),
            _ => it.as_str().map(str::to_owned),
        });
        let user = user.unwrap_or_else(|| context.defaults.user.clone());
        if !to.users.iter().any(|it| it.name.value == user) {
            let what = "password is the default user's, and there is none: add \"default\" to \
                        users, or use chpasswd";
            reader.error(&node.place, what);
            return;
        }
        let Some(text) = reader.line(node, "password") else { return };
        let user = Placed { value: user, place: node.place.clone() };
        to.passwords.push(of_list(reader, user, &text.value, expire));
    }
}

fn entry(reader: &mut Reader, item: &Node, expire: bool) -> Option<NewPassword> {
    let fields = reader.fields(item, "a user of chpasswd", &["name", "password", "type"])?;
    let Some(name) = fields.get("name") else {
        reader.error(&item.place, "a user of chpasswd has no name");
        return None;
    };
    let user = reader.line(name, "name in chpasswd")?;
    let kind = match fields.get("type") {
        Some(node) => reader.line(node, "type in chpasswd")?,
        None => Placed { value: "hash".to_owned(), place: item.place.clone() },
    };
    if kind.value == "RANDOM" {
        return Some(NewPassword { user, password: Hash::Random, expire });
    }
    let Some(node) = fields.get("password") else {
        reader.error(&item.place, format!("user {:?} of chpasswd has no password", user.value));
        return None;
    };
    let text = reader.line(node, "password in chpasswd")?.value;
    let password = match kind.value.as_str() {
        "text" => Hash::Plain(Secret(text)),
        "hash" if is_hash(&text) => Hash::Hashed(Secret(text)),
        "hash" => {
            let what = "this is no hash, which a password is here unless it says \"type: text\"";
            reader.error(&node.place, what);
            return None;
        }
        other => {
            let what = format!("there is no type {other:?}: write hash, text or RANDOM");
            reader.error(&kind.place, what);
            return None;
        }
    };
    Some(NewPassword { user, password, expire })
}

/// The old form: lines of `name:password`.
fn list(reader: &mut Reader, node: &Node, expire: bool) -> Vec<NewPassword> {
    let lines: Vec<Placed<String>> = match &node.value {
        Value::Seq(items) => items.iter().filter_map(|it| reader.text(it, "list")).collect(),
        _ => reader.text(node, "list of chpasswd").into_iter().collect(),
    };
    let mut passwords = Vec::new();
    for Placed { value, place } in lines {
        for line in value.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let Some((user, password)) = line.split_once(':') else {
                reader.error(&place, "a line of chpasswd's list must be name:password");
                continue;
            };
            let user = Placed { value: user.trim().to_owned(), place: place.clone() };
            passwords.push(of_list(reader, user, password.trim(), expire));
        }
    }
    passwords
}

/// cloud-init knows a hash here by `$1$`, `$2a$`, `$2y$`, `$5$` and `$6$` alone; all else is a
/// password in plain text, a `$y$` hash too.
fn of_list(reader: &mut Reader, user: Placed<String>, text: &str, expire: bool) -> NewPassword {
    let known = ["$1$", "$2a$", "$2y$", "$5$", "$6$"];
    let is_known = known.iter().any(|prefix| text.starts_with(prefix)) && is_hash(text);
    if !is_known && text.starts_with('$') && is_hash(text) {
        let kind: String = text.chars().take_while(|c| *c != '.').take(4).collect();
        let what = format!(
            "{kind}… looks like a hash, and is taken here for a password in plain text, as \
             cloud-init takes it: write it under chpasswd: users: with type: hash"
        );
        reader.warn(&user.place, what);
    }
    let password = match text {
        "R" | "RANDOM" => Hash::Random,
        _ if is_known => Hash::Hashed(Secret(text.to_owned())),
        _ => Hash::Plain(Secret(text.to_owned())),
    };
    NewPassword { user, password, expire }
}
