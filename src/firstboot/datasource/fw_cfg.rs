//! QEMU's `fw_cfg`: a script on the hypervisor's command line, by the name that Combustion
//! gave it (its README), which the kernel shows in sysfs
//! (`Documentation/ABI/testing/sysfs-firmware-qemu_fw_cfg`).

use anyhow::{Context, Result};

use super::{Datasource, Ignored, Offer, Seen};
use crate::firstboot::machine::Machine;
use crate::firstboot::trust;

const DIR: &str = "opt/org.opensuse.combustion";

/// The hypervisor's script.
pub(super) struct FwCfg {
    pub(super) machine: Machine,
}

fn name_of() -> String {
    format!("fw_cfg {DIR}/script")
}

impl FwCfg {
    fn item(&self, name: &str) -> Result<Option<Vec<u8>>> {
        self.machine.fw_cfg(&format!("{DIR}/{name}")).with_context(name_of)
    }
}

impl Datasource for FwCfg {
    fn name(&self) -> &'static str {
        "fw_cfg"
    }

    fn look(&self) -> Result<Vec<Seen>> {
        Ok(self.item("script")?.map(|_| Seen::usable(name_of())).into_iter().collect())
    }

    fn fetch(&self, _: &mut Vec<Ignored>) -> Result<Option<Offer>> {
        let Some(script) = self.item("script")? else { return Ok(None) };
        let mut beside = Vec::new();
        for name in trust::FILES {
            beside.extend(self.item(name)?.map(|bytes| (name, bytes)));
        }
        Offer::script(name_of(), &script, &beside).map(Some)
    }
}
