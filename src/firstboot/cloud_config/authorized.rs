//! Keys to log in with: those of a user, `ssh_authorized_keys`, and the platform's.

use super::Context;
use super::reader::Reader;
use crate::firstboot::configuration::{Configuration, Placed, User};
use crate::firstboot::problem::Place;
use crate::firstboot::yaml::{Node, Value};

/// Whom root's keys name where there is no default user.
pub(super) const NOBODY: &str = "NONE";

/// Lines of `authorized_keys`.
pub(super) fn keys(reader: &mut Reader, node: &Node, name: &str) -> Vec<Placed<String>> {
    let nodes: &[Node] = match &node.value {
        Value::Seq(items) => items,
        _ => std::slice::from_ref(node),
    };
    // Before anything is said of a line: those that follow are the secret, in pieces.
    let is_secret = |it: &&Node| it.as_str().is_some_and(|text| text.contains("PRIVATE KEY"));
    if let Some(secret) = nodes.iter().find(is_secret) {
        let what = "this is a private key: only the public one, of the file .pub, goes here";
        reader.error(&secret.place, what);
        return Vec::new();
    }
    let mut keys = Vec::new();
    for node in nodes.iter().filter(|it| !it.is_null()) {
        let Some(Placed { value, place }) = reader.text(node, name) else { continue };
        // A text that is just one line, as most are, is taken as it is.
        if !value.contains('\n') && value.trim().len() == value.len() && !value.is_empty() {
            check_key(reader, &value, &place);
            keys.push(Placed { value, place });
            continue;
        }
        for line in value.lines().map(str::trim).filter(|line| !line.is_empty()) {
            check_key(reader, line, &place);
            keys.push(Placed { value: line.to_owned(), place: place.clone() });
        }
    }
    keys
}

/// sshd ignores a line that it cannot read, and the administrator stays outside. What begins as
/// no key may be a piece of something secret, and is not shown.
fn check_key(reader: &mut Reader, line: &str, place: &Place) {
    if line.starts_with('#') || line.parse::<ssh_key::authorized_keys::Entry>().is_ok() {
        return;
    }
    let why = "is no public key as sshd reads it, which will ignore it: write the whole line of \
               the file .pub, as ssh-ed25519 AAAA… comment";
    if ["ssh-", "ecdsa-", "sk-"].iter().any(|it| line.starts_with(it)) {
        let begin = line.char_indices().nth(20).map_or(line, |(end, _)| &line[..end]);
        reader.warn(place, format_args!("{begin:?}… {why}"));
    } else {
        reader.warn(place, format_args!("this {why}"));
    }
}

/// Top-level keys and the platform's go to the default user, and to root behind a forced
/// command, unless `disable_root` is false.
pub(super) fn distribute(
    reader: &mut Reader,
    context: &Context<'_>,
    default: Option<&str>,
    to: &mut Configuration,
) {
    let own = context.get("ssh_authorized_keys");
    let mut all = own.map_or_else(Vec::new, |it| keys(reader, it, "ssh_authorized_keys"));
    let platforms = context.seed.public_keys.iter();
    all.extend(platforms.map(|key| context.of_platform(key.trim())));
    for user in &mut to.users {
        let is_default = Some(&*user.name.value) == default;
        redirect(reader, user, default.filter(|_| !is_default));
        if is_default || user.redirect_to.is_some() {
            user.ssh_keys.extend(all.iter().cloned());
        }
    }
    let disabled = context.get("disable_root").and_then(|it| reader.boolean(it, "disable_root"));
    if let Some(first) = all.first() {
        // An entry of its own: the keys that root's own entry may have are not locked.
        let mut root = User::new(Placed { value: "root".to_owned(), place: first.place.clone() });
        root.redirect_to = disabled.unwrap_or(true).then(|| Placed {
            value: default.unwrap_or(NOBODY).to_owned(),
            place: first.place.clone(),
        });
        root.ssh_keys = all;
        to.users.push(root);
    }
}

/// Whom a user's `ssh_redirect_user` names: the default user, if that is another one. With nobody
/// to name there is no command to lock keys behind, and keys without it would be a login.
fn redirect(reader: &mut Reader, user: &mut User, default: Option<&str>) {
    let Some(asked) = user.redirect_to.take() else { return };
    let name = &user.name.value;
    if !user.ssh_keys.is_empty() {
        let what = format!(
            "ssh_redirect_user lets nobody in as {name:?}, and ssh_authorized_keys of the same \
             user would: remove one of them"
        );
        reader.error(&asked.place, what);
    }
    user.redirect_to =
        default.map(|it| Placed { value: it.to_owned(), place: asked.place.clone() });
    if default.is_none() {
        let what = format!(
            "ssh_redirect_user of user {name:?} is ignored, and no key is added: it names the \
             default user, and there is no other one; write \"default\" among users"
        );
        reader.warn(&asked.place, what);
    }
}
