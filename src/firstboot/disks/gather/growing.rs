//! What may grow: partitions, and the root's file system.

use std::path::Path;

use anyhow::{Context, Result};
use rustix::fs::statvfs;

use super::Gathering;
use crate::firstboot::plan::disks::{Growing, Growth, RootFs};
use crate::sys::block;

/// Closer to the end of its disk a partition does not grow: nobody has to read its table.
const NEAR: u64 = 2 << 20;

impl Gathering<'_> {
    pub(super) fn growing(&self, path: &str) -> Result<Option<Growing>> {
        let Some(name) = self.behind(path)? else { return Ok(None) };
        let is_mapped = block::is_mapped(&name);
        let partition = match block::disk_of(&name)? {
            Some(disk) => self.growth(&disk, &name)?,
            None => None,
        };
        Ok(Some(Growing { name, is_mapped, partition }))
    }

    fn growth(&self, disk: &str, name: &str) -> Result<Option<Growth>> {
        let disk_size = block::size(disk)?;
        let all = block::partitions(disk)?;
        let Some(own) = all.iter().find(|it| it.name == name) else { return Ok(None) };
        let end = own.start.saturating_add(own.size);
        let is_near = disk_size.saturating_sub(end) < NEAR;
        let table = if is_near { None } else { self.probe(disk)?.1 };
        Ok(Some(Growth {
            disk: disk.to_owned(),
            disk_size,
            table: table.unwrap_or_default(),
            number: own.number,
            end,
            is_last: !all.iter().any(|it| it.start > own.start),
        }))
    }

    /// The kernel's name of the device that a path is, or that is mounted there.
    fn behind(&self, path: &str) -> Result<Option<String>> {
        if path.starts_with("/dev/") {
            return block::name(Path::new(path));
        }
        match self.mounted(path) {
            Some(mount) if mount.source.starts_with("/dev") => block::name(&mount.source),
            _ => Ok(None),
        }
    }

    pub(super) fn root(&self) -> Result<Option<RootFs>> {
        let (Some(mount), Some(name)) = (self.mounted("/"), self.behind("/")?) else {
            return Ok(None);
        };
        let stat = statvfs(self.inside.root).context("cannot statfs the root")?;
        Ok(Some(RootFs {
            kind: mount.fstype.clone(),
            size: stat.f_blocks.saturating_mul(stat.f_frsize),
            device_size: block::size(&name)?,
            name,
        }))
    }
}
