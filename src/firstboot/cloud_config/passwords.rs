//! Passwords: a user's own, `password` and `chpasswd`.

use super::Context;
use super::reader::{Fields, Reader};
use crate::firstboot::configuration::{Configuration, Hash, Lock, NewPassword, Placed, Secret};
use crate::firstboot::yaml::{Node, Value};

/// Reads them; `default` is the default user, if there is one.
pub(super) fn read(
    reader: &mut Reader,
    context: &Context<'_>,
    default: Option<&str>,
    to: &mut Configuration,
) {
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
        let Some(user) = default else {
            let what = "password is the default user's, and there is none: add \"default\" to \
                        users, or use chpasswd";
            reader.error(&node.place, what);
            return;
        };
        let Some(text) = reader.line(node, "password") else { return };
        let user = Placed { value: user.to_owned(), place: node.place.clone() };
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

/// The password of a user's own entry.
pub(super) fn of_user(reader: &mut Reader, fields: Fields<'_>, lock: Lock) -> Option<Hash> {
    let plain = fields.get_either_spelling("plain_text_passwd");
    let node =
        fields.get_either_spelling("hashed_passwd").or_else(|| fields.get("passwd")).or(plain)?;
    let is_plain = plain.is_some_and(|it| std::ptr::eq(it, node));
    let text = reader.line(node, "a password")?;
    let given_lock = fields.get_either_spelling("lock_passwd").is_some();
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
fn is_hash(text: &str) -> bool {
    let locked_or_none = text.trim_start_matches('!');
    let fields = locked_or_none.split('$').count();
    locked_or_none.is_empty()
        || locked_or_none == "*"
        || (locked_or_none.starts_with('$') && fields >= 4 && !text.contains([':', ' ']))
        // DES, which is 13 characters of its own alphabet.
        || (locked_or_none.len() == 13
            && locked_or_none.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '/')))
}
