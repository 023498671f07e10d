//! `mounts`.

use super::aliases::Aliases;
use crate::firstboot::cloud_config::Context;
use crate::firstboot::cloud_config::reader::Reader;
use crate::firstboot::configuration::{Configuration, Mount, Placed};
use crate::firstboot::yaml::{Node, Value};

/// What cloud-init puts where a field is missing: a disk that is not there does not stop a
/// start.
const FIELDS: [&str; 4] =
    ["auto", "defaults,nofail,x-systemd.after=cloud-init.service,_netdev", "0", "2"];

pub(super) fn read(
    reader: &mut Reader,
    context: &Context<'_>,
    aliases: &Aliases,
    to: &mut Configuration,
) {
    let defaults = defaults(reader, context);
    if let Some(node) = context.get("mounts") {
        for item in reader.list(node, "mounts") {
            let mount = mount(reader, item, &defaults).map(|it| aliased(it, aliases));
            to.mounts.extend(mount);
        }
    }
}

fn aliased(mut mount: Mount, aliases: &Aliases) -> Mount {
    mount.device.value = aliases.mounted(&mount.device.value);
    mount
}

/// Type, options, dump, pass. Nothing here waits for cloud-init.
fn defaults(reader: &mut Reader, context: &Context<'_>) -> [String; 4] {
    let mut fields = FIELDS.map(str::to_owned);
    "defaults,nofail".clone_into(&mut fields[1]);
    let Some(node) = context.get("mount_default_fields") else { return fields };
    let items = reader.list(node, "mount_default_fields");
    if items.len() != 6 {
        reader.error(&node.place, "mount_default_fields must have six items, as fstab has fields");
        return fields;
    }
    for (at, item) in items.iter().skip(2).enumerate() {
        if !item.is_null() {
            fields[at] = field(reader, item).unwrap_or_default();
        }
    }
    fields
}

/// A field of fstab(5).
fn field(reader: &mut Reader, node: &Node) -> Option<String> {
    reader.line(node, "a field of mounts").map(|it| it.value)
}

fn mount(reader: &mut Reader, item: &Node, defaults: &[String; 4]) -> Option<Mount> {
    let fields: Vec<&Node> = match &item.value {
        Value::Str(_) => vec![item],
        _ => reader.list(item, "an entry of mounts").iter().collect(),
    };
    let (Some(device), 1..=6) = (fields.first(), fields.len()) else {
        reader.error(&item.place, "an entry of mounts has one to six fields: [device, directory]");
        return None;
    };
    let value = field(reader, device)?;
    let device = Placed { value, place: item.place.clone() };
    let target = match fields.get(1) {
        None => None,
        Some(node) if node.is_null() => None,
        Some(node) => Some(target(reader, node)?),
    };
    let mut rest = defaults.clone();
    for (at, node) in fields.iter().skip(2).enumerate() {
        if !node.is_null() {
            rest[at] = field(reader, node)?;
        }
    }
    Some(Mount { device, target, rest })
}

fn target(reader: &mut Reader, node: &Node) -> Option<String> {
    let target = field(reader, node)?;
    let is_none = ["none", "swap"].contains(&target.as_str());
    if !is_none && (!target.starts_with('/') || target.split('/').any(|part| part == "..")) {
        let what = format!("the directory {target:?} must be an absolute path, without \"..\"");
        reader.error(&node.place, what);
        return None;
    }
    Some(target)
}
