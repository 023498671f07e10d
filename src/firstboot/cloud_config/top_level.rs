//! The top level of a cloud-config: what its keys hold, and what becomes of those that are not
//! applied.

use std::collections::HashMap;

use super::keys::{KEYS, Key, Support};
use super::reader::Reader;
use crate::firstboot::problem::{Place, shown};
use crate::firstboot::yaml::{Node, Value};

/// The values of the keys that are known. Each is looked for on its own, and a small file can
/// have tens of thousands of others, so these are left out.
pub(super) struct TopLevel<'a> {
    place: &'a Place,
    values: HashMap<&'static str, &'a Node>,
}

impl<'a> TopLevel<'a> {
    /// Says of each key what becomes of it, if that is not what was asked for. `None` if it is no
    /// mapping.
    pub(super) fn read(reader: &mut Reader, config: &'a Node) -> Option<Self> {
        let mut top = Self { place: &config.place, values: HashMap::new() };
        let pairs = match &config.value {
            Value::Map(pairs) => pairs,
            // An empty one asks for what is done without being asked for.
            Value::Null => return Some(top),
            _ => {
                let kind = config.kind();
                let what =
                    format!("a cloud-config is a mapping of keys to values, and this is {kind}");
                reader.error(&config.place, what);
                return None;
            }
        };
        let known: HashMap<&str, &Key> = KEYS.iter().map(|key| (key.name, key)).collect();
        let names: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
        for (key, value) in pairs {
            let written = key.text().unwrap_or_default();
            match known.get(&*written) {
                Some(known) => {
                    top.values.insert(known.name, value);
                    tell(reader, known, key, value);
                }
                None if value.is_null() => {}
                None => {
                    let hint = reader.did_you_mean(&written, &names);
                    let shown = shown(&written);
                    let what = format_args!("there is no key {shown:?}, so it is ignored{hint}");
                    reader.warn(&key.place, what);
                }
            }
        }
        Some(top)
    }

    /// What is at a key; nothing, if `null` is.
    pub(super) fn get(&self, key: &str) -> Option<&'a Node> {
        self.get_or_null(key).filter(|node| !node.is_null())
    }

    /// What is at a key, also `null`: of a few keys it says as much as an empty mapping.
    pub(super) fn get_or_null(&self, key: &str) -> Option<&'a Node> {
        self.values.get(key).copied()
    }

    /// Where it is, for what has no place of its own.
    pub(super) fn place(&self) -> &'a Place {
        self.place
    }
}

fn tell(reader: &mut Reader, known: &Key, key: &Node, value: &Node) {
    let Key { name, support } = known;
    match support {
        Support::Full | Support::Part(_) => {}
        _ if value.is_null() => {}
        Support::Refused(why) => {
            reader.error(&key.place, format_args!("{name:?} is not supported: {why}"));
        }
        Support::Ignored(why) => {
            reader.warn(&key.place, format_args!("{name:?} is ignored: {why}"));
        }
    }
}
