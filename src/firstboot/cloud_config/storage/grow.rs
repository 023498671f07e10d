//! `growpart` and `resize_rootfs`: both are done where nothing is said of them.

use crate::firstboot::cloud_config::Context;
use crate::firstboot::cloud_config::reader::Reader;
use crate::firstboot::configuration::{Grow, Placed, ResizeRoot};
use crate::firstboot::yaml::Value;

pub(super) fn partitions(reader: &mut Reader, context: &Context<'_>) -> Option<Grow> {
    let root = Placed { value: "/".to_owned(), place: context.place().clone() };
    let Some(node) = context.get("growpart") else {
        return Some(Grow { devices: vec![root], ignores_disabled: false, is_asked: false });
    };
    let known = ["mode", "devices", "ignore_growroot_disabled"];
    let fields = reader.fields(node, "growpart", &known)?;
    if let Some(mode) = fields.get("mode") {
        match (&mode.value, mode.as_str()) {
            (Value::Bool(false), _) | (_, Some("off" | "false")) => return None,
            (_, Some("auto" | "growpart")) => {}
            (_, Some("gpart")) => {
                reader.warn(&mode.place, "gpart is FreeBSD's program: sfdisk is used");
            }
            _ => {
                reader.error(&mode.place, "mode of growpart must be auto, growpart or off");
                return None;
            }
        }
    }
    let devices = match fields.get("devices") {
        None => vec![Placed { place: node.place.clone(), ..root }],
        Some(node) => reader.lines(node, "devices of growpart"),
    };
    let devices: Vec<_> = devices.into_iter().filter(|it| is_path(reader, it)).collect();
    let ignores = fields.get("ignore_growroot_disabled");
    let ignores = ignores.and_then(|it| reader.boolean(it, "ignore_growroot_disabled"));
    Some(Grow { devices, ignores_disabled: ignores.unwrap_or(false), is_asked: true })
}

fn is_path(reader: &mut Reader, device: &Placed<String>) -> bool {
    let is_path = device.value.starts_with('/') && !device.value.split('/').any(|it| it == "..");
    if !is_path {
        let what = format!(
            "{:?} is neither a mount point nor a partition: write / or /dev/vda3",
            device.value
        );
        reader.error(&device.place, what);
    }
    is_path
}

pub(super) fn root(reader: &mut Reader, context: &Context<'_>) -> Option<ResizeRoot> {
    let Some(node) = context.get("resize_rootfs") else {
        return Some(ResizeRoot { place: context.place().clone(), is_asked: false });
    };
    // In the background: nothing waits for it here in any case.
    let is_asked = node.as_str() == Some("noblock")
        || match node.as_str() {
            Some("off" | "false") => false,
            _ => reader.boolean(node, "resize_rootfs")?,
        };
    is_asked.then(|| ResizeRoot { place: node.place.clone(), is_asked })
}
