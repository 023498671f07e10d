//! `VMware`'s guestinfo: a script, packed by gzip and written in base64, as Combustion's
//! README has it. `VMware`'s own program asks the hypervisor for it.

use std::io::Read;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::MultiGzDecoder;

use super::{Datasource, Ignored, Offer, Seen};
use crate::firstboot::copy::MAX_TOTAL;
use crate::firstboot::machine::Machine;
use crate::sys::command;

const NAME: &str = "guestinfo.combustion.script";
const LIMIT: Duration = Duration::from_secs(10);

/// What the hypervisor was told.
pub(super) struct Vmware {
    pub(super) machine: Machine,
}

impl Vmware {
    fn value(&self) -> Option<String> {
        let asks = self.machine.virtualization().as_deref() == Some("vmware");
        if !asks || self.machine.is_described() {
            return None;
        }
        let mut asking = Command::new("vmware-rpctool");
        asking.arg(format!("info-get {NAME}"));
        let asked = command::run_whole(&mut asking, LIMIT, MAX_TOTAL);
        let (output, value) =
            asked.inspect_err(|e| log::warn!("cannot ask VMware for {NAME}: {e:#}")).ok()?;
        // Its other exit status means "no such value" as well as "cannot ask".
        let value = String::from_utf8_lossy(&value).into_owned();
        (output.success() && !value.trim().is_empty()).then_some(value)
    }
}

impl Datasource for Vmware {
    fn name(&self) -> &'static str {
        "vmware"
    }

    fn look(&self) -> Result<Vec<Seen>> {
        Ok(self.value().map(|_| Seen::usable(format!("VMware {NAME}"))).into_iter().collect())
    }

    fn fetch(&self, _: &mut Vec<Ignored>) -> Result<Option<Offer>> {
        let Some(value) = self.value() else { return Ok(None) };
        let source = format!("VMware {NAME}");
        let script = unpacked(&value).with_context(|| source.clone())?;
        Offer::script(source, &script, &[]).map(Some)
    }
}

pub(in crate::firstboot) fn unpacked(value: &str) -> Result<Vec<u8>> {
    let text: String = value.split_ascii_whitespace().collect();
    let packed = STANDARD.decode(text).context("it is no base64")?;
    let mut script = Vec::new();
    MultiGzDecoder::new(&packed[..])
        .take(MAX_TOTAL + 1)
        .read_to_end(&mut script)
        .context("it is not packed by gzip")?;
    ensure!(script.len() as u64 <= MAX_TOTAL, "unpacked it is larger than {} MiB", MAX_TOTAL >> 20);
    Ok(script)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_script_is_unpacked_and_a_damaged_one_named() {
        // printf '#!/bin/sh\n' | gzip | base64
        let value = "H4sIAAAAAAAAA1NW1E/KzNMvzuAC\nAB2d+wQKAAAA\n";
        assert_eq!(unpacked(value).unwrap(), b"#!/bin/sh\n");
        assert_eq!(unpacked("#!/bin/sh").unwrap_err().to_string(), "it is no base64");
        assert_eq!(unpacked("AAAA").unwrap_err().to_string(), "it is not packed by gzip");
    }
}
