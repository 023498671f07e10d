//! `device_aliases`: names for devices, in `disk_setup`, `fs_setup` and `mounts`.

use std::collections::BTreeMap;

use super::is_device;
use crate::firstboot::cloud_config::Context;
use crate::firstboot::cloud_config::reader::Reader;
use crate::firstboot::configuration::Placed;
use crate::firstboot::yaml::{Node, Value};
use crate::sys::block;

/// What only clouds' own metadata gives a meaning to.
const CLOUDS: [&str; 3] = ["ephemeral", "ebs", "ami"];

/// Names, and the devices that they stand for.
#[derive(Debug, Default)]
pub(super) struct Aliases(BTreeMap<String, String>);

impl Aliases {
    pub(super) fn read(reader: &mut Reader, context: &Context<'_>) -> Self {
        let mut aliases = BTreeMap::new();
        let Some(node) = context.get("device_aliases") else { return Self::default() };
        let Value::Map(pairs) = &node.value else {
            let what = format!("device_aliases must be a mapping, and this is {}", node.kind());
            reader.error(&node.place, what);
            return Self::default();
        };
        for (key, value) in pairs {
            let (Some(name), Some(device)) =
                (reader.line(key, "a name"), reader.line(value, "a device"))
            else {
                continue;
            };
            if name.value.contains(['/', '.']) {
                let what = format!("the name {:?} has a / or a dot in it", name.value);
                reader.error(&name.place, what);
            } else if is_device(&device.value) {
                aliases.insert(name.value, device.value);
            } else {
                not_a_device(reader, &device);
            }
        }
        Self(aliases)
    }

    /// The device that is meant by a path, by a name, or by `vdb`; and the number of its partition
    /// after a dot.
    pub(super) fn device(
        &self,
        reader: &mut Reader,
        node: &Node,
        name: &str,
    ) -> Option<(Placed<String>, Option<String>)> {
        let written = reader.line(node, name)?;
        let (stem, number) = match written.value.rsplit_once('.') {
            Some((stem, number)) if !written.value.contains('/') || is_number(number) => {
                (stem, Some(number.to_owned()))
            }
            _ => (written.value.as_str(), None),
        };
        let value = match self.0.get(stem) {
            Some(device) => device.clone(),
            None if stem.starts_with('/') => stem.to_owned(),
            None => format!("/dev/{stem}"),
        };
        let device = Placed { value, place: written.place.clone() };
        let is_clouds = !self.0.contains_key(stem) && CLOUDS.iter().any(|it| stem.starts_with(it));
        if is_clouds || !is_device(&device.value) {
            not_a_device(reader, &written);
            return None;
        }
        Some((device, number))
    }

    /// The same for `mounts`, where a name that is no alias is left as it is.
    pub(super) fn mounted(&self, written: &str) -> String {
        if let Some(device) = self.0.get(written) {
            return device.clone();
        }
        let dotted = written.rsplit_once('.');
        let dotted = dotted.and_then(|(stem, number)| Some((self.0.get(stem)?, number)));
        match dotted.map(|(device, number)| (device, number.parse::<u32>())) {
            // udev's links have the number after a word.
            Some((device, Ok(number))) if device.starts_with("/dev/disk/") => {
                format!("{device}-part{number}")
            }
            Some((device, Ok(number))) => block::partition_name(device, number),
            _ => written.to_owned(),
        }
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit())
}

fn not_a_device(reader: &mut Reader, written: &Placed<String>) {
    let what = format!(
        "{:?} is no device of this machine: write its path, as /dev/vdb, or a name of \
         device_aliases",
        written.value
    );
    reader.error(&written.place, what);
}
