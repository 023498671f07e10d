//! The ssh server: `ssh_pwauth`, `ssh_keys`, `ssh_deletekeys`, `disable_root_opts`.

use ssh_key::PrivateKey;

use super::Context;
use super::reader::Reader;
use crate::firstboot::configuration::{Configuration, Placed, Secret};
use crate::firstboot::yaml::{Node, Value};

/// What ssh-keygen(1) makes.
const TYPES: [&str; 4] = ["rsa", "dsa", "ecdsa", "ed25519"];

pub(super) fn read(reader: &mut Reader, context: &Context<'_>, to: &mut Configuration) {
    if let Some(node) = context.get("ssh_pwauth") {
        let is_kept = node.as_str() == Some("unchanged");
        let allowed = if is_kept { None } else { reader.boolean(node, "ssh_pwauth") };
        to.ssh.password_authentication =
            allowed.map(|value| Placed { value, place: node.place.clone() });
    }
    host_keys(reader, context, to);
    // By default: an image's keys are everybody's.
    to.ssh.delete_host_keys = match context.get("ssh_deletekeys") {
        Some(node) => reader.boolean(node, "ssh_deletekeys").unwrap_or(true),
        None => true,
    };
    if let Some(node) = context.get("disable_root_opts") {
        let what = "disable_root_opts is ignored: root's keys get the options that they have by \
                    default";
        reader.warn(&node.place, what);
    }
}

fn host_keys(reader: &mut Reader, context: &Context<'_>, to: &mut Configuration) {
    let Some(node) = context.get("ssh_keys") else { return };
    let Value::Map(pairs) = &node.value else {
        reader.error(&node.place, "ssh_keys must be a mapping: rsa_private: |, and so on");
        return;
    };
    to.ssh.place = Some(node.place.clone());
    for (key, value) in pairs {
        let name = key.text().unwrap_or_default();
        let split = name.split_once('_').filter(|(algorithm, _)| TYPES.contains(algorithm));
        let (suffix, is_secret) = match split.map(|(_, part)| part) {
            Some("private") => ("", true),
            Some("public") => (".pub", false),
            Some("certificate") => ("-cert.pub", false),
            _ => {
                let what = format!(
                    "{name:?} is no key of ssh_keys: write a type ({}) and _private, _public or \
                     _certificate",
                    TYPES.join(", ")
                );
                reader.error(&key.place, what);
                continue;
            }
        };
        let Some(text) = reader.text(value, &name) else { continue };
        let file = format!("ssh_host_{}_key", split.map_or("", |(algorithm, _)| algorithm));
        let whole = format!("{}\n", text.value.trim_end());
        let whole = Placed { value: whole, place: text.place };
        if is_secret && !is_usable(reader, &name, &whole) {
            continue;
        }
        let public = name.replace("_private", "_public");
        if is_secret && node.get(&public).is_none_or(Node::is_null) {
            let derived = public_key(reader, &public, &whole);
            to.ssh.host_keys.extend(derived.map(|it| (format!("{file}.pub"), Secret(it), false)));
        }
        to.ssh.host_keys.push((format!("{file}{suffix}"), Secret(whole.value), is_secret));
    }
}

/// Whether sshd can use a private key: one that it cannot read it goes without.
fn is_usable(reader: &mut Reader, name: &str, private: &Placed<String>) -> bool {
    let Placed { value, place } = private;
    if !value.contains("PRIVATE KEY-----") {
        reader.error(place, format!("{name} is no private key: it begins with -----BEGIN"));
        return false;
    }
    let has_passphrase = PrivateKey::from_openssh(value).is_ok_and(|key| key.is_encrypted());
    if has_passphrase {
        let what = format!(
            "{name} has a passphrase, which sshd cannot ask for: remove it with `ssh-keygen -p`"
        );
        reader.error(place, what);
    }
    !has_passphrase
}

/// The public part of a private key, as `ssh-keygen -y` prints it.
fn public_key(reader: &mut Reader, name: &str, private: &Placed<String>) -> Option<String> {
    let key = PrivateKey::from_openssh(&private.value);
    let public = key.and_then(|key| key.public_key().to_openssh()).ok();
    if public.is_none() {
        let what = format!(
            "{name} is not given, and cannot be derived from a private key that is not in \
             OpenSSH's own format: write what `ssh-keygen -y` prints of it"
        );
        reader.warn(&private.place, what);
    }
    public
}
