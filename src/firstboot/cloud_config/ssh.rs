//! The ssh server: `ssh_pwauth`, `ssh_keys`, `ssh_deletekeys`, `disable_root_opts`.

use super::Context;
use super::reader::Reader;
use crate::firstboot::configuration::{Configuration, Placed, Secret};
use crate::firstboot::yaml::Value;

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
    if let Some(node) = context.get("ssh_genkeytypes") {
        for kind in reader.comma_list(node, "ssh_genkeytypes") {
            if !TYPES.contains(&kind.value.as_str()) {
                let what = format!("there is no key type {:?}: {}", kind.value, TYPES.join(", "));
                reader.error(&kind.place, what);
            }
        }
    }
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
        let looks_right = !is_secret || text.value.contains("PRIVATE KEY-----");
        if !looks_right {
            let what = format!("{name} is no private key: it begins with -----BEGIN");
            reader.error(&text.place, what);
            continue;
        }
        let algorithm = split.map_or("", |(algorithm, _)| algorithm);
        let whole = format!("{}\n", text.value.trim_end());
        to.ssh.host_keys.push((
            format!("ssh_host_{algorithm}_key{suffix}"),
            Secret(whole),
            is_secret,
        ));
    }
}
