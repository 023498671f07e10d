//! `groups`: names, and who is in them.

use crate::firstboot::cloud_config::reader::Reader;
use crate::firstboot::configuration::Group;
use crate::firstboot::yaml::{Node, Value};

/// The groups to be there.
pub(super) fn read(reader: &mut Reader, node: &Node) -> Vec<Group> {
    let alone = |name| Group { name, members: Vec::new() };
    let mut groups = Vec::new();
    match &node.value {
        Value::Map(_) => groups.extend(with_members(reader, node)),
        Value::Seq(items) => {
            for item in items {
                match &item.value {
                    Value::Map(_) => groups.extend(with_members(reader, item)),
                    _ => groups.extend(reader.line(item, "a group").map(alone)),
                }
            }
        }
        _ => groups.extend(reader.comma_list(node, "groups").into_iter().map(alone)),
    }
    groups
}

/// `docker: [alice, bob]`
fn with_members(reader: &mut Reader, node: &Node) -> Vec<Group> {
    let Value::Map(pairs) = &node.value else { return Vec::new() };
    let mut groups = Vec::new();
    for (name, members) in pairs {
        let Some(name) = reader.line(name, "a group's name") else { continue };
        let members = if members.is_null() {
            Vec::new()
        } else {
            reader.comma_list(members, "a group's members")
        };
        groups.push(Group { name, members });
    }
    groups
}
