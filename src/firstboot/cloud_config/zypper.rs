//! `zypper`: repositories as zypper's own files have them, and settings of zypp.conf(5). What is
//! read here is on one line each, and can be written as it is.

use super::Context;
use super::reader::Reader;
use crate::firstboot::configuration::{Configuration, Placed, Repository, SigningKey};
use crate::firstboot::yaml::{Node, Value};
use crate::sys::fetch::SUM_MARK;

/// What a repository has unless it says otherwise, as in cloud-init.
const DEFAULTS: [(&str, &str); 2] = [("enabled", "1"), ("autorefresh", "1")];
/// Where zypper looks for what is written here: with others, nothing of it would be found.
const DIRECTORIES: [&str; 2] = ["configdir", "reposdir"];

pub(super) fn read(reader: &mut Reader, context: &Context<'_>, to: &mut Configuration) {
    let Some(node) = context.get("zypper") else { return };
    let Some(fields) = reader.fields(node, "zypper", &["repos", "config"]) else { return };
    if let Some(node) = fields.get("config") {
        to.software.zypp_conf = zypp_conf(reader, node);
    }
    if let Some(node) = fields.get("repos") {
        let items = reader.list(node, "repos");
        to.software.repositories =
            items.iter().filter_map(|item| repository(reader, item)).collect();
    }
}

/// `null` leaves a setting as it is.
fn zypp_conf(reader: &mut Reader, node: &Node) -> Vec<(String, Placed<String>)> {
    let Value::Map(pairs) = &node.value else {
        reader.error(&node.place, "config of zypper must be a mapping of settings to values");
        return Vec::new();
    };
    let mut settings = Vec::new();
    for (key, value) in pairs.iter().filter(|(_, value)| !value.is_null()) {
        let Some(key) = setting_name(reader, key) else { continue };
        if DIRECTORIES.contains(&key.value.as_str()) {
            let what = format!(
                "{} cannot be set: repositories are written where zypper looks without it",
                key.value
            );
            reader.error(&key.place, what);
            continue;
        }
        let text = match &value.value {
            Value::Bool(it) => Some(it.to_string()),
            _ => reader.line(value, &key.value).and_then(|it| printable(reader, &it, &key.value)),
        };
        let place = key.place;
        settings.extend(text.map(|text| (key.value, Placed { value: text, place })));
    }
    settings
}

fn repository(reader: &mut Reader, item: &Node) -> Option<Repository> {
    let Value::Map(pairs) = &item.value else {
        reader.error(&item.place, "a repository must be a mapping with id and baseurl");
        return None;
    };
    let field = |key: &str| item.get(key).filter(|it| !is_nothing(it));
    if let Some(empty) = item.get("baseurl").filter(|it| !it.is_null() && is_nothing(it)) {
        reader.error(&empty.place, "baseurl is an empty list: write the repository's address");
        return None;
    }
    let (Some(id), Some(address)) = (field("id"), field("baseurl")) else {
        reader.error(&item.place, "a repository must have id and baseurl");
        return None;
    };
    let id = repository_id(reader, id)?;
    let address = reader.lines(address, "baseurl").into_iter().next()?;
    let mut settings = Vec::new();
    for (key, value) in pairs.iter().filter(|(key, _)| key.as_str() != Some("id")) {
        if is_nothing(value) {
            continue;
        }
        let key = setting_name(reader, key)?.value;
        let value = setting(reader, &key, value)?;
        let value = if key == "gpgkey" { without_sums(&value) } else { value };
        settings.push((key, value));
    }
    for (key, default) in DEFAULTS {
        if !settings.iter().any(|(it, _)| it == key) {
            settings.push((key.to_owned(), default.to_owned()));
        }
    }
    let keys = field("gpgkey").map_or_else(Vec::new, |node| signing_keys(reader, node));
    let is_off = |key: &str| {
        let found = settings.iter().find(|(it, _)| it == key);
        found.is_some_and(|(_, value)| matches!(&**value, "0" | "no" | "false" | "off"))
    };
    let enabled = !is_off("enabled");
    let is_verified = !is_off("gpgcheck") && !is_off("repo_gpgcheck");
    if enabled && is_verified && field("gpgkey").is_none() {
        let what = format!(
            "repository {:?} names no key, so that nothing is taken from it unless the system \
             trusts its key already: write gpgkey, with the address of the key",
            id.value
        );
        reader.warn(&item.place, what);
    }
    let id = Placed { place: item.place.clone(), ..id };
    Some(Repository { id, address: address.value, settings, keys, enabled })
}

/// `null`, and a list without a value: there is nothing that a line of a file could hold.
fn is_nothing(node: &Node) -> bool {
    match &node.value {
        Value::Seq(items) => items.iter().all(Node::is_null),
        _ => node.is_null(),
    }
}

/// With underscores for blanks, as in cloud-init: it becomes a file's name.
fn repository_id(reader: &mut Reader, node: &Node) -> Option<Placed<String>> {
    let id = reader.line(node, "id of a repository")?;
    let name = id.value.replace(' ', "_");
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if !name.chars().all(is_name) || name.starts_with(['.', '-']) || name.len() > 200 {
        let what =
            format!("id {:?} becomes a file's name: letters, digits, hyphens and dots", id.value);
        reader.error(&id.place, what);
        return None;
    }
    Some(Placed { value: name, ..id })
}

fn setting_name(reader: &mut Reader, node: &Node) -> Option<Placed<String>> {
    let name = reader.line(node, "a setting's name")?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if !name.value.chars().all(is_name) {
        let what = format!("{:?} is no name of a setting: letters, digits and _", name.value);
        reader.error(&name.place, what);
        return None;
    }
    Some(name)
}

/// A setting's value: of a list, all on one line, which zypper takes apart. `None` is said: the
/// repository is left out because of it.
fn setting(reader: &mut Reader, key: &str, node: &Node) -> Option<String> {
    if let Value::Bool(it) = node.value {
        return Some(u8::from(it).to_string());
    }
    let lines = reader.lines(node, key);
    let lines: Option<Vec<_>> = lines.iter().map(|it| printable(reader, it, key)).collect();
    lines.filter(|lines| !lines.is_empty()).map(|lines| lines.join(" "))
}

fn printable(reader: &mut Reader, text: &Placed<String>, name: &str) -> Option<String> {
    if text.value.chars().any(char::is_control) {
        reader.error(&text.place, format!("{name} has control characters in it"));
        return None;
    }
    Some(text.value.clone())
}

/// Each address, of one text or of a list; blanks and commas are between them.
fn signing_keys(reader: &mut Reader, node: &Node) -> Vec<Placed<SigningKey>> {
    let mut keys = Vec::new();
    for line in reader.lines(node, "gpgkey") {
        for word in line.value.split([' ', ',']).filter(|it| !it.is_empty()) {
            if let Some(value) = signing_key(word) {
                keys.push(Placed { value, place: line.place.clone() });
            } else {
                let what =
                    format!("gpgkey {word:?} is no address of a key: write https://… or file:///…");
                reader.error(&line.place, what);
            }
        }
    }
    keys
}

/// The addresses as zypper knows them: the sums are checked when we fetch the keys.
fn without_sums(value: &str) -> String {
    let one = |piece: &str| match piece.split_once(SUM_MARK) {
        Some((address, rest)) => {
            format!("{address}{}", rest.trim_start_matches(|c: char| c.is_ascii_hexdigit()))
        }
        None => piece.to_owned(),
    };
    value.split_inclusive([' ', ',']).map(one).collect()
}

fn signing_key(word: &str) -> Option<SigningKey> {
    if word.starts_with("https://") || word.starts_with("http://") {
        return Some(SigningKey::Url(word.to_owned()));
    }
    let path = word.strip_prefix("file://").or_else(|| word.strip_prefix("file:")).unwrap_or(word);
    path.starts_with('/').then(|| SigningKey::File(path.to_owned()))
}
