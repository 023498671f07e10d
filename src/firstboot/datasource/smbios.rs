//! SMBIOS: strings that a hypervisor puts into the machine's own description.
//!
//! A type 11 string `combustion.url=URL` names a script as the kernel command line would.
//! cloud-init's `ds=nocloud;s=ADDRESS` in the serial number names a seed; that a string names a
//! script comes first.

use anyhow::Result;

use super::ds::{self, Word};
use super::{Datasource, Ignored, Offer, Seen, nocloud, url};
use crate::firstboot::machine::Machine;
use crate::sys::fetch::without_secrets;

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

    fn seed(&self) -> Option<String> {
        let address = Word::of_serial(&self.machine)?.seedfrom()?.to_owned();
        Some(ds::with_dmi(&self.machine, &address))
    }
}

fn name_of_seed(address: &str) -> String {
    format!("{} (ds=nocloud in SMBIOS's serial number)", without_secrets(address))
}

fn name_of(url: &str) -> String {
    format!("{} (named by SMBIOS)", without_secrets(url))
}

impl Datasource for Smbios {
    fn name(&self) -> &'static str {
        "smbios"
    }

    fn look(&self) -> Result<Vec<Seen>> {
        let url = self.url().map(|url| url::look(name_of(&url), &url)).transpose()?;
        let seed = self.seed().map(|address| Seen::usable(name_of_seed(&address)));
        Ok(url.into_iter().chain(seed).collect())
    }

    fn fetch(&self, _: &mut Vec<Ignored>) -> Result<Option<Offer>> {
        if let Some(url) = self.url() {
            return url::fetch(&self.machine, name_of(&url), &url).map(Some);
        }
        let Some(address) = self.seed() else { return Ok(None) };
        let (machine, names) = (&self.machine, ds::names(&self.machine));
        nocloud::seedfrom(machine, &name_of_seed(&address), &address, names).map(Some)
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
        assert_eq!(seen[1..], [Seen::usable("http://c/ (ds=nocloud in SMBIOS's serial number)")]);
    }
}
