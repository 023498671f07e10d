//! Disks: `device_aliases`, `disk_setup`, `fs_setup`, `mounts`, `swap`, `growpart` and
//! `resize_rootfs`.

mod aliases;
mod file_systems;
mod grow;
mod mounts;
mod swap;
mod tables;
#[cfg(test)]
mod tests;

use super::Context;
use super::reader::Reader;
use crate::firstboot::configuration::Configuration;
use aliases::Aliases;

pub(super) fn read(reader: &mut Reader, context: &Context<'_>, to: &mut Configuration) {
    let aliases = Aliases::read(reader, context);
    to.disks.tables = tables::read(reader, context, &aliases);
    to.disks.file_systems = file_systems::read(reader, context, &aliases);
    to.disks.swap = context.get("swap").and_then(|node| swap::read(reader, node));
    mounts::read(reader, context, &aliases, to);
    to.disks.grow = grow::partitions(reader, context);
    to.disks.resize_root = grow::root(reader, context);
}

/// A device's path: what `/dev/` has, in full, and no way out of it.
fn is_device(path: &str) -> bool {
    path.starts_with("/dev/")
        && path.len() > "/dev/".len()
        && !path.split('/').any(|part| part == ".." || part == ".")
        && !path.chars().any(|c| c.is_control() || c.is_whitespace())
}
