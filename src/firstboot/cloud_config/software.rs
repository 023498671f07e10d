//! `zypper`, `packages`, `ca_certs`, `random_seed`.

use base64::Engine;

use super::Context;
use super::reader::Reader;
use crate::firstboot::configuration::{Configuration, Package, Placed, Repository};
use crate::firstboot::yaml::{Node, Value};

pub(super) fn read(reader: &mut Reader, context: &Context<'_>, to: &mut Configuration) {
    if let Some(node) = context.get("zypper") {
        to.repositories = zypper(reader, node);
    }
    if let Some(node) = context.get("packages") {
        for item in reader.list(node, "packages") {
            packages(reader, item, &mut to.packages);
        }
    }
    for key in ["ca_certs", "ca-certs"] {
        if let Some(node) = context.get(key) {
            ca_certs(reader, node, to);
        }
    }
    if let Some(node) = context.get("random_seed") {
        random_seed(reader, node, to);
    }
}

fn zypper(reader: &mut Reader, node: &Node) -> Vec<Repository> {
    let Some(fields) = reader.fields(node, "zypper", &["repos", "config"]) else {
        return Vec::new();
    };
    if let Some(node) = fields.get("config") {
        let what = "config of zypper is not supported: write /etc/zypp/zypp.conf with write_files";
        reader.error(&node.place, what);
    }
    let Some(node) = fields.get("repos") else { return Vec::new() };
    reader.list(node, "repos").iter().filter_map(|item| repository(reader, item)).collect()
}

fn repository(reader: &mut Reader, item: &Node) -> Option<Repository> {
    let Value::Map(pairs) = &item.value else {
        reader.error(&item.place, "a repository must be a mapping with id and baseurl");
        return None;
    };
    let field = |key: &str| item.get(key).filter(|it| !it.is_null());
    let (Some(id), Some(_)) = (field("id"), field("baseurl")) else {
        reader.error(&item.place, "a repository must have id and baseurl");
        return None;
    };
    let id = reader.line(id, "id of a repository")?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if !id.value.chars().all(is_name) || id.value.starts_with('.') {
        let what =
            format!("id {:?} becomes a file's name: letters, digits, hyphens and dots", id.value);
        reader.error(&id.place, what);
        return None;
    }
    let mut settings = Vec::new();
    for (key, value) in pairs.iter().filter(|(key, _)| key.as_str() != Some("id")) {
        let key = reader.line(key, "a setting")?.value;
        let value = match &value.value {
            Value::Bool(it) => u8::from(*it).to_string(),
            Value::Null => continue,
            _ => reader
                .lines(value, &key)
                .into_iter()
                .map(|it| it.value)
                .collect::<Vec<_>>()
                .join(" "),
        };
        settings.push((key, value));
    }
    for (key, default) in [("enabled", "1"), ("autorefresh", "1")] {
        if !settings.iter().any(|(it, _)| it == key) {
            settings.push((key.to_owned(), default.to_owned()));
        }
    }
    Some(Repository { id: Placed { place: item.place.clone(), ..id }, settings })
}

/// A name, a name with its version, or a mapping of package managers.
fn packages(reader: &mut Reader, item: &Node, to: &mut Vec<Package>) {
    match &item.value {
        Value::Seq(parts) => {
            let [name, version] = &parts[..] else {
                reader.error(&item.place, "a package with its version is [name, version]");
                return;
            };
            let name = package_name(reader, name);
            let version = package_name(reader, version);
            if let (Some(name), Some(version)) = (name, version) {
                to.push(Package { name, version: Some(version.value) });
            }
        }
        Value::Map(pairs) => {
            for (manager, of_it) in pairs {
                let manager_name = manager.text().unwrap_or_default();
                if manager_name == "zypper" {
                    for item in reader.list(of_it, "packages of zypper") {
                        packages(reader, item, to);
                    }
                } else {
                    let what =
                        format!("packages of {manager_name:?} are not supported: use zypper");
                    reader.error(&manager.place, what);
                }
            }
        }
        _ => {
            let name = package_name(reader, item);
            to.extend(name.map(|name| Package { name, version: None }));
        }
    }
}

/// One word, which no option of zypper's can be.
fn package_name(reader: &mut Reader, node: &Node) -> Option<Placed<String>> {
    let name = reader.line(node, "a package")?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_.+-~:=<>()/".contains(c);
    if name.value.starts_with('-') || !name.value.chars().all(is_name) {
        reader.error(&name.place, format!("{:?} is no name of a package", name.value));
        return None;
    }
    Some(name)
}

fn ca_certs(reader: &mut Reader, node: &Node, to: &mut Configuration) {
    let known = ["remove_defaults", "remove-defaults", "trusted"];
    let Some(fields) = reader.fields(node, "ca_certs", &known) else { return };
    let remove = fields.get("remove_defaults").or_else(|| fields.get("remove-defaults"));
    to.ca_certs.remove_defaults =
        remove.and_then(|it| reader.boolean(it, "remove_defaults")).unwrap_or(false);
    let Some(node) = fields.get("trusted") else { return };
    let items: Vec<&Node> = match &node.value {
        Value::Seq(items) => items.iter().collect(),
        _ => vec![node],
    };
    for item in items {
        let Some(text) = reader.text(item, "trusted") else { continue };
        if text.value.contains("-----BEGIN CERTIFICATE-----") {
            to.ca_certs.trusted.push(text);
        } else {
            let what = "this is no certificate in PEM: it begins with -----BEGIN CERTIFICATE-----";
            reader.error(&text.place, what);
        }
    }
}

fn random_seed(reader: &mut Reader, node: &Node, to: &mut Configuration) {
    let known = ["file", "data", "encoding", "command", "command_required"];
    let Some(fields) = reader.fields(node, "random_seed", &known) else { return };
    for key in ["file", "command", "command_required"] {
        if let Some(node) = fields.get(key) {
            reader.warn(&node.place, format!("{key} is ignored: the kernel gets the data itself"));
        }
    }
    let Some(data) = fields.get("data") else { return };
    let bytes = match &data.value {
        Value::Bytes(bytes) => bytes.clone(),
        _ => reader.text(data, "data").map(|it| it.value.into_bytes()).unwrap_or_default(),
    };
    let encoding = fields.get("encoding").and_then(Node::as_str).unwrap_or("raw");
    let decoded = match encoding {
        "raw" => Ok(bytes),
        "b64" | "base64" => base64::engine::general_purpose::STANDARD
            .decode(bytes.trim_ascii())
            .map_err(|e| e.to_string()),
        other => Err(format!("encoding {other:?} is none of raw and base64")),
    };
    match decoded {
        Ok(bytes) => to.random_seed.extend(bytes),
        Err(what) => reader.error(&data.place, format!("data of random_seed: {what}")),
    }
}
