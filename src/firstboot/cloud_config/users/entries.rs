//! The forms that `users` has, as entries of one form.

use super::user;
use crate::firstboot::cloud_config::reader::{Fields, Reader};
use crate::firstboot::configuration::Placed;
use crate::firstboot::problem::Place;
use crate::firstboot::yaml::{Node, Value};

/// An entry of `users`.
pub(super) struct Entry<'a> {
    /// Where it begins.
    pub(super) place: Place,
    /// Whose it is; `None` is the default user, whatever that one is called.
    pub(super) name: Option<Placed<String>>,
    /// What it says of the user.
    pub(super) fields: Option<Fields<'a>>,
}

impl<'a> Entry<'a> {
    /// `default` is a name of no user, in none of the forms: taken for one, the rights and the
    /// keys that the default user is to have would be a stranger's.
    pub(super) fn of(name: Placed<String>, fields: Option<Fields<'a>>) -> Self {
        let place = name.place.clone();
        Self { place, name: Some(name).filter(|it| it.value != "default"), fields }
    }
}

/// All of them, in order.
pub(super) fn read<'a>(reader: &mut Reader, node: &'a Node) -> Vec<Entry<'a>> {
    let mut entries = Vec::new();
    match &node.value {
        Value::Seq(items) => {
            for item in items.iter().filter(|item| !item.is_null()) {
                match &item.value {
                    Value::Map(_) => entries.extend(with_fields(reader, item)),
                    _ => entries.extend(names(reader, item, "a user")),
                }
            }
        }
        Value::Map(pairs) => {
            for (name, value) in pairs {
                let Some(name) = reader.line(name, "a user's name") else { continue };
                entries.extend(at_name(reader, name, value));
            }
        }
        _ => entries.extend(names(reader, node, "users")),
    }
    entries
}

/// Names with commas between, or a list of them.
fn names<'a>(reader: &mut Reader, node: &Node, what: &str) -> Vec<Entry<'a>> {
    reader.comma_list(node, what).into_iter().map(|name| Entry::of(name, None)).collect()
}

/// An item of a list.
fn with_fields<'a>(reader: &mut Reader, item: &'a Node) -> Option<Entry<'a>> {
    let fields = reader.fields(item, "a user", user::KEYS)?;
    let Some(name) = fields.get("name") else {
        if fields.get("default").is_some_and(|it| it.value == Value::Bool(true)) {
            return Some(Entry { place: item.place.clone(), name: None, fields: Some(fields) });
        }
        reader.error(&item.place, "a user has no name: add the line \"name: …\"");
        return None;
    };
    let name = reader.line(name, "a user's name")?;
    Some(Entry::of(Placed { place: item.place.clone(), ..name }, Some(fields)))
}

/// What a mapping has at a name: fields, or whether the user is to be there at all.
fn at_name<'a>(reader: &mut Reader, name: Placed<String>, value: &'a Node) -> Option<Entry<'a>> {
    let fields = match &value.value {
        Value::Null => None,
        Value::Map(_) => Some(reader.fields(value, "a user", user::KEYS)?),
        _ if reader.boolean(value, "a user that is no mapping")? => None,
        _ => return None,
    };
    Some(Entry::of(name, fields))
}
