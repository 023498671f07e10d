//! Meta-data: a mapping of names, written in YAML or JSON, some of which are known.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value};

use super::json::{self, is_json, kind, said, text_of};
use super::{Named, Overlay};
use crate::firstboot::problem::{Place, Problem};
use crate::firstboot::yaml::{self, Node};

/// The longest name of a machine or an instance: it becomes part of a file's name.
const LONGEST: usize = 255;

/// Meta-data that was read.
#[derive(Debug)]
pub(super) struct Meta {
    file: Arc<str>,
    map: Map<String, Value>,
    /// Where the keys are, if the format tells.
    places: HashMap<String, Place>,
}

impl Meta {
    /// Reads YAML, of which JSON is nearly a part; nothing is an empty mapping.
    pub(super) fn yaml(named: &Named) -> Result<Self> {
        let text = text_of(named)?;
        let root = match yaml::load(text, &named.source) {
            Ok(document) => document.root,
            // Tabs between its values are JSON, and no YAML.
            Err(_) if is_json(text) => return Self::json(named),
            Err(problem) => return Err(said(&problem)),
        };
        let mut places = HashMap::new();
        let map = match &root.value {
            yaml::Value::Null => Map::new(),
            yaml::Value::Map(pairs) => {
                for (key, value) in pairs {
                    places.insert(name_of(key), value.place.clone());
                }
                pairs.iter().map(|(key, value)| (name_of(key), to_json(value))).collect()
            }
            _ => {
                let what = format!(
                    "{} is here: meta-data is a mapping, as in `instance-id: my-machine`",
                    root.kind()
                );
                return Err(said(&Problem::error(&root.place, what)));
            }
        };
        Ok(Self { file: named.source.clone(), map, places })
    }

    /// Reads JSON.
    pub(super) fn json(named: &Named) -> Result<Self> {
        match json::read(named)? {
            Value::Object(map) => {
                Ok(Self { file: named.source.clone(), map, places: HashMap::new() })
            }
            other => Err(anyhow!("{}: {} instead of an object", named.source, kind(&other))),
        }
    }

    /// The same, where these keys win.
    pub(super) fn under(mut self, overlay: &Overlay) -> Self {
        for (key, value) in overlay {
            self.places.remove(key);
            self.map.insert(key.clone(), value.clone());
        }
        self
    }

    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.map.get(key)
    }

    pub(super) fn into_map(self) -> Map<String, Value> {
        self.map
    }

    /// What is wrong with the value of a key.
    pub(super) fn wrong(&self, key: &str, what: &str) -> anyhow::Error {
        match self.places.get(key) {
            Some(place) => said(&Problem::error(place, format!("{key}: {what}"))),
            None => anyhow!("{}: {key}: {what}", self.file),
        }
    }

    /// A name: text, or what cloud-init makes text of. Nothing counts as absent.
    pub(super) fn name(&self, key: &str) -> Result<Option<String>> {
        let name = match self.map.get(key) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(Value::Number(number)) => number.to_string(),
            Some(other) => {
                let what = format!("{} is here: a name belongs here", kind(other));
                return Err(self.wrong(key, &what));
            }
        };
        if name.is_empty() {
            return Ok(None);
        }
        if name.len() > LONGEST || name.chars().any(char::is_control) {
            let what =
                format!("a name of at most {LONGEST} characters, all printable, belongs here");
            return Err(self.wrong(key, &what));
        }
        Ok(Some(name))
    }

    /// Refuses the network in its old form, the text of Debian's interfaces(5), which `key` holds or
    /// names. cloud-init reads it unless there is a `newer` file; if `is_there`, it is only said.
    pub(super) fn refuse_interfaces(&self, key: &str, newer: &str, is_there: bool) -> Result<()> {
        if self.get(key).is_none_or(|it| it.is_null() || it == "") {
            return Ok(());
        }
        if is_there {
            let what = format!("it does not count, as in cloud-init, since there is {newer}");
            log::warn!("{}", self.wrong(key, &what));
            return Ok(());
        }
        let what = format!(
            "the network as text of Debian's interfaces(5) is not read here: write {newer} \
             instead, as docs/network-config.md has it"
        );
        Err(self.wrong(key, &what))
    }

    /// Public keys, in the shapes that clouds write: lines of text, a list, or a mapping whose
    /// values are either.
    pub(super) fn public_keys(&self, key: &str) -> Result<Vec<String>> {
        let mut keys = Vec::new();
        match self.map.get(key) {
            None | Some(Value::Null) => {}
            Some(Value::Object(map)) => {
                for (name, value) in map {
                    self.add_keys(&mut keys, &format!("{key}: {name}"), value)?;
                }
            }
            Some(value) => self.add_keys(&mut keys, key, value)?,
        }
        Ok(keys)
    }

    fn add_keys(&self, keys: &mut Vec<String>, name: &str, value: &Value) -> Result<()> {
        let texts = match value {
            Value::Null => return Ok(()),
            Value::String(text) => vec![text],
            Value::Array(items) => {
                let texts = items.iter().filter(|item| !item.is_null()).map(|item| match item {
                    Value::String(text) => Ok(text),
                    other => Err(self.wrong_key(name, other)),
                });
                texts.collect::<Result<_>>()?
            }
            other => return Err(self.wrong_key(name, other)),
        };
        let lines = texts.into_iter().flat_map(|text| text.lines()).map(str::trim);
        keys.extend(lines.filter(|line| !line.is_empty()).map(str::to_owned));
        Ok(())
    }

    fn wrong_key(&self, name: &str, found: &Value) -> anyhow::Error {
        let what = format!(
            "{} is here: a public key as ssh-keygen writes it belongs here, or a list of them",
            kind(found)
        );
        // The place is the whole value's: `public-keys`, of `public-keys: mine`.
        let (key, rest) = name.split_once(": ").unwrap_or((name, ""));
        let rest = if rest.is_empty() { String::new() } else { format!("{rest}: ") };
        self.wrong(key, &format!("{rest}{what}"))
    }
}

fn name_of(key: &Node) -> String {
    key.text().map_or_else(|| "null".to_owned(), Cow::into_owned)
}

/// As `instance.json` has it; what JSON cannot hold becomes text.
fn to_json(node: &Node) -> Value {
    match &node.value {
        yaml::Value::Null => Value::Null,
        yaml::Value::Bool(it) => Value::Bool(*it),
        yaml::Value::Int(it) => Value::from(*it),
        yaml::Value::Float(it) => Number::from_f64(*it)
            .map_or_else(|| Value::from(node.text().unwrap_or_default()), Value::Number),
        yaml::Value::Str(it) => Value::from(it.as_str()),
        yaml::Value::Bytes(it) => Value::from(STANDARD.encode(it)),
        // Not deeper than the reader of YAML allows.
        yaml::Value::Seq(items) => items.iter().map(to_json).collect(),
        yaml::Value::Map(pairs) => {
            pairs.iter().map(|(key, value)| (name_of(key), to_json(value))).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &[u8]) -> Named {
        Named { source: "meta-data".into(), bytes: text.to_vec() }
    }

    fn yaml(text: &str) -> Meta {
        Meta::yaml(&named(text.as_bytes())).unwrap()
    }

    #[test]
    fn keys_in_every_shape() {
        for (text, expected) in [
            ("", &[][..]),
            ("public-keys:", &[]),
            ("public-keys: ssh-rsa A", &["ssh-rsa A"]),
            ("public-keys: |\n  ssh-rsa A\n\n  ssh-rsa B\n", &["ssh-rsa A", "ssh-rsa B"]),
            ("public-keys: [ssh-rsa A, ssh-rsa B, '']", &["ssh-rsa A", "ssh-rsa B"]),
            ("public-keys: {a: ssh-rsa A, b: [ssh-rsa B, '']}", &["ssh-rsa A", "ssh-rsa B"]),
            ("{\"public-keys\":\n\t{\"a\": \"ssh-rsa A\"}}", &["ssh-rsa A"]),
        ] {
            assert_eq!(yaml(text).public_keys("public-keys").unwrap(), expected, "{text}");
        }
        for (text, says) in [
            ("a: b\npublic-keys: 7", "meta-data:2:14: public-keys: a number is here"),
            ("public-keys: [[x]]", "meta-data:1:14: public-keys: a list is here"),
            ("public-keys:\n  a: {openssh-key: x}", "meta-data:2:3: public-keys: a: a mapping is"),
        ] {
            let error = yaml(text).public_keys("public-keys").unwrap_err().to_string();
            assert!(error.contains(says) && error.contains("as ssh-keygen writes"), "{error}");
        }
    }

    #[test]
    fn names_are_text_and_numbers_become_it() {
        for (text, expected) in [
            ("", None),
            ("i:", None),
            ("i: ' '", None),
            ("i: a b", Some("a b")),
            ("i: 0755", Some("493")),
            ("i: '0755'", Some("0755")),
            ("{\"i\": 7}", Some("7")),
        ] {
            assert_eq!(yaml(text).name("i").unwrap().as_deref(), expected, "{text}");
        }
        let long = format!("i: {}", "x".repeat(256));
        for text in ["i: [a]", "i: {}", "i: yes", "i: \"a\\nb\"", &long] {
            let error = yaml(text).name("i").unwrap_err().to_string();
            assert!(error.starts_with("meta-data:1:4: i: "), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_no_mapping_is_named_with_its_place() {
        for (text, says) in [
            (&b"a: b\n c: d"[..], "meta-data:2:"),
            (b"just text", "meta-data:1:1: text is here: meta-data is a mapping"),
            (b"- a", "meta-data:1:1: a list is here"),
            (b"a: b\n\xff", "meta-data:2: this is no text in UTF-8"),
            (b"a: \0", "NUL bytes"),
            (b"{\"a\": ", "meta-data:1:"),
        ] {
            let error = Meta::yaml(&named(text)).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
        let error = Meta::json(&named(b"{\n\"a\": }")).unwrap_err().to_string();
        assert_eq!(error, "meta-data:2:6: this is not JSON: expected value");
        let error = Meta::json(&named(b"[]")).unwrap_err().to_string();
        assert_eq!(error, "meta-data: a list instead of an object");
    }
}
