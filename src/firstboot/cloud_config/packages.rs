//! `packages`, `package_update`, `package_upgrade`, `package_reboot_if_required`.

use super::Context;
use super::reader::Reader;
use crate::firstboot::configuration::{Configuration, Package, Placed};
use crate::firstboot::problem::Place;
use crate::firstboot::yaml::{Node, Value};
use crate::sys::fetch::without_secrets;

pub(super) fn read(reader: &mut Reader, context: &Context<'_>, to: &mut Configuration) {
    to.software.refresh = asked(reader, context, "package_update");
    to.software.upgrade = asked(reader, context, "package_upgrade");
    asked(reader, context, "package_reboot_if_required");
    if let Some(node) = context.get("packages") {
        for item in reader.list(node, "packages") {
            packages(reader, item, &mut to.software.packages);
        }
    }
}

/// Where it is asked for, if it is.
fn asked(reader: &mut Reader, context: &Context<'_>, key: &str) -> Option<Place> {
    let node = context.get(key)?;
    reader.boolean(node, key)?.then(|| node.place.clone())
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
                        of_manager(reader, item, to);
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

/// A mapping of managers is in no other one.
fn of_manager(reader: &mut Reader, item: &Node, to: &mut Vec<Package>) {
    if let Value::Map(_) = item.value {
        reader.error(&item.place, "a package of zypper is its name, or [name, version]");
    } else {
        packages(reader, item, to);
    }
}

/// One word, which no option of zypper's can be.
fn package_name(reader: &mut Reader, node: &Node) -> Option<Placed<String>> {
    let name = reader.line(node, "a package")?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_.+-~:=<>()/".contains(c);
    if name.value.starts_with('-') || !name.value.chars().all(is_name) {
        // An address of one may have a password in it.
        let shown = without_secrets(&name.value);
        reader.error(&name.place, format!("{shown:?} is no name of a package"));
        return None;
    }
    Some(name)
}
