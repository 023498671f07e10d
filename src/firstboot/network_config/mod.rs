//! The configuration of the network as a datasource has it, in one of three formats, to a
//! [`Network`]. What one of them says, by the rule of docs/cloud-config.md: a key without which the
//! network would be another one is an error, one that nobody knows a warning.
//! docs/network-config.md has all keys.

mod addressing;
mod bond;
mod bridge;
mod check;
mod fields;
mod global;
mod network_data;
mod subnet;
#[cfg(test)]
mod tests;
mod v1;
mod v2;

use super::cloud_config::reader::Reader;
use super::configuration::Network;
use super::problem::{Place, Problem, Problems};
use super::seed::Named;
use super::yaml::{self, Node, Value};

/// More links than a machine has: a trunk of 4094 VLANs among them.
const MOST_LINKS: usize = 8192;

/// Reads it, whichever it is; `None` if it asks for nothing, or cannot be used. With it comes all
/// that is wrong.
pub fn read(named: &Named) -> (Option<Network>, Problems) {
    let Ok(text) = std::str::from_utf8(&named.bytes) else {
        let what = "the network's configuration is not UTF-8";
        return (None, Problem::error(&Place::whole(named.source.clone()), what).into());
    };
    let document = match yaml::load(text, &named.source) {
        Ok(document) => document,
        Err(problem) => return (None, problem.into()),
    };
    let mut reader = Reader::after(document.doubts);
    let mut network = document_of(&mut reader, &document.root);
    if let Some(network) = &mut network {
        check::once(network);
    }
    match &network {
        Some(it) if it.links.len() > MOST_LINKS => {
            reader.error(&it.place, format!("more than {MOST_LINKS} links"));
        }
        Some(it) => check::check(&mut reader, it),
        None => {}
    }
    let mut problems = reader.problems;
    problems.sort();
    let is_usable = !problems.iter().any(Problem::is_error);
    (network.filter(|it| is_usable && !it.links.is_empty()), problems)
}

/// Whether it is one by its looks: a mapping with the keys by which [`read`] tells the formats. For
/// whoever has it without the name that a datasource gives it.
pub fn is_one(named: &Named) -> bool {
    let text = std::str::from_utf8(&named.bytes).ok();
    let Some(document) = text.and_then(|text| yaml::load(text, &named.source).ok()) else {
        return false;
    };
    // Beside other keys, `network` may as well be one of a cloud-config.
    let node = match &document.root.value {
        Value::Map(pairs) if pairs.len() > 1 => &document.root,
        _ => document.root.get("network").unwrap_or(&document.root),
    };
    let is = |key: &str| node.get(key).is_some();
    let version = node.get("version").and_then(Node::text);
    matches!(version.as_deref(), Some("1" | "2")) || is("links") && is("networks")
}

/// By what is in it.
fn document_of(reader: &mut Reader, root: &Node) -> Option<Network> {
    if root.is_null() {
        return None;
    }
    let node = within(reader, root)?;
    let is = |key: &str| node.get(key).is_some_and(|it| !it.is_null());
    if node.get("config").and_then(Node::as_str) == Some("disabled") {
        return None;
    }
    let version = node.get("version").and_then(Node::text);
    match version.as_deref() {
        Some("1") => v1::read(reader, node),
        Some("2") => v2::read(reader, node),
        None if is("links") || is("networks") || is("services") => network_data::read(reader, node),
        Some(_) => {
            let place = node.get("version").map_or(&node.place, |it| &it.place);
            reader.error(place, "the version of the network's configuration must be 1 or 2");
            None
        }
        None if node.value == Value::Map(Vec::new()) => None,
        None => {
            let what = "this is no configuration of the network: write version: 1 or version: 2 \
                        into it; OpenStack's has links and networks";
            reader.error(&node.place, what);
            None
        }
    }
}

/// The mapping that counts: all of it, or what stands under `network`.
fn within<'a>(reader: &mut Reader, root: &'a Node) -> Option<&'a Node> {
    let Value::Map(pairs) = &root.value else {
        let what = format!("the network's configuration is a mapping, and this is {}", root.kind());
        reader.error(&root.place, what);
        return None;
    };
    let Some(inner) = root.get("network") else { return Some(root) };
    for (key, _) in pairs.iter().filter(|(key, _)| key.as_str() != Some("network")) {
        let name = key.text().unwrap_or_default();
        reader.warn(&key.place, format!("{name:?} beside \"network\" is ignored"));
    }
    if inner.is_null() {
        return None;
    }
    if !matches!(inner.value, Value::Map(_)) {
        reader.error(&inner.place, format!("network is a mapping, and this is {}", inner.kind()));
        return None;
    }
    Some(inner)
}

/// Whether a name can be an interface's.
pub fn is_interface(name: &str) -> bool {
    fields::is_interface(name)
}
