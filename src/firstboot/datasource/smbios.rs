//! SMBIOS: strings that a hypervisor puts into the machine's own description.
//!
//! A type 11 string `combustion.url=URL` names a script as the kernel command line would.
//! cloud-init's `ds=nocloud…` in the serial number is named, and left to it.

use anyhow::Result;

use super::{Datasource, Ignored, Offer, Seen, url};
use crate::firstboot::machine::Machine;

const PREFIX: &str = "combustion.url=";

/// What SMBIOS says.
pub(super) struct Smbios {
    pub(super) machine: Machine,
}

impl Smbios {
    fn url(&self) -> Option<String> {
        let strings = self.machine.oem_strings();
        strings.iter().find_map(|text| Some(text.strip_prefix(PREFIX)?.to_owned()))
    }

    fn foreign(&self) -> Option<Seen> {
        let serial = self.machine.dmi("product_serial")?;
        let is_seed = serial.split(';').next().is_some_and(|word| word.starts_with("ds=nocloud"));
        is_seed.then(|| {
            Seen::foreign(format!("SMBIOS serial number {serial}"), "a seed of cloud-init's")
        })
    }
}

fn name_of(url: &str) -> String {
    format!("{url} (named by SMBIOS)")
}

impl Datasource for Smbios {
    fn name(&self) -> &'static str {
        "smbios"
    }

    fn look(&self) -> Result<Vec<Seen>> {
        let url = self.url().map(|url| Seen::usable(name_of(&url)));
        Ok(url.into_iter().chain(self.foreign()).collect())
    }

    fn fetch(&self, ignored: &mut Vec<Ignored>) -> Result<Option<Offer>> {
        ignored.extend(self.foreign().and_then(Seen::passed_over));
        self.url().map(|url| url::fetch(&self.machine, name_of(&url), &url)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::cmdline::Cmdline;
    use crate::sys::files::{self, Root};

    #[test]
    fn strings_and_serial_number_are_read_from_sysfs() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::new(dir.path());
        for (path, bytes) in [
            (
                "/sys/firmware/dmi/entries/11-0/raw",
                &b"\x0b\x05\0\0\x02x\0combustion.url=http://a/b\0\0"[..],
            ),
            (
                "/sys/firmware/dmi/entries/1-0/raw",
                b"\x01\x05\0\0\x01combustion.url=http://wrong\0\0",
            ),
            ("/sys/class/dmi/id/product_serial", b"ds=nocloud;s=http://c/\n"),
        ] {
            files::replace(&root.join(path), bytes, 0o400).unwrap();
        }
        let source = Smbios { machine: Machine::new(root, "/".into(), Cmdline::default()) };
        let seen = source.look().unwrap();
        assert_eq!(seen[0], Seen::usable("http://a/b (named by SMBIOS)"));
        assert_eq!(seen[1].what, "SMBIOS serial number ds=nocloud;s=http://c/");
        assert!(seen[1].unusable.is_some() && seen.len() == 2);
    }
}
