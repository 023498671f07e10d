//! QEMU's `fw_cfg`: a script on the hypervisor's command line, by the name that Combustion
//! gave it (its README), which the kernel shows in sysfs
//! (`Documentation/ABI/testing/sysfs-firmware-qemu_fw_cfg`).

use std::path::Path;

use anyhow::{Context, Result};

use super::{Datasource, Fetched};
use crate::firstboot::copy;
use crate::sys::files::{self, Root};

const ITEM: &str = "opt/org.opensuse.combustion/script";
const DIR: &str = "/sys/firmware/qemu_fw_cfg/by_name";

/// The hypervisor's script.
#[derive(Clone, Debug)]
pub struct FwCfg {
    /// Where /sys is.
    pub root: Root,
}

impl Datasource for FwCfg {
    fn fetch(&self, into: &Path) -> Result<Option<Fetched>> {
        let source = format!("fw_cfg {ITEM}");
        let path = self.root.join(DIR).join(ITEM).join("raw");
        let Some(script) = files::read(&path).with_context(|| source.clone())? else {
            return Ok(None);
        };
        let sha256 = copy::script(&script, into).with_context(|| source.clone())?;
        Ok(Some(Fetched { source, sha256 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hypervisors_script_is_taken_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let (root, into) = (Root::new(dir.path()), dir.path().join("config"));
        let source = FwCfg { root: root.clone() };
        assert_eq!(source.fetch(&into).unwrap(), None);
        let raw = root.join(DIR).join(ITEM).join("raw");
        files::replace(&raw, b"#!/bin/sh\n\xff", 0o400).unwrap();
        let fetched = source.fetch(&into).unwrap().unwrap();
        assert_eq!(fetched.source, "fw_cfg opt/org.opensuse.combustion/script");
        assert_eq!(std::fs::read(into.join("script")).unwrap(), b"#!/bin/sh\n\xff");
    }
}
