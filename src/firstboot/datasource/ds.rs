//! `ds=`: cloud-init's word for a datasource, with values behind semicolons, on the kernel
//! command line or in SMBIOS's serial number (cloud-init's documentation, "`NoCloud`", "Source
//! 1: Line configuration").

use crate::firstboot::machine::Machine;
use crate::firstboot::seed::Overlay;
use crate::sys::cmdline::Cmdline;

/// What `ds=NAME;key=value;…` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// The datasource, in small letters.
    pub(super) name: String,
    pairs: Vec<(String, String)>,
}

impl Word {
    /// The kernel command line's.
    pub(super) fn of_cmdline(machine: &Machine) -> Option<Self> {
        machine.cmdline.value("ds").map(Self::parse)
    }

    /// The one in SMBIOS's serial number, where a hypervisor puts it.
    pub(super) fn of_serial(machine: &Machine) -> Option<Self> {
        let serial = Cmdline::parse(&machine.dmi("product_serial")?);
        serial.value("ds").map(Self::parse)
    }

    fn parse(value: &str) -> Self {
        let mut words = value.split(';');
        let name = words.next().unwrap_or_default().trim().to_ascii_lowercase();
        let pair = |word: &str| {
            let (key, value) = word.split_once('=')?;
            let key = match key.trim() {
                "h" => "local-hostname",
                "i" => "instance-id",
                "s" => "seedfrom",
                key => key,
            };
            Some((key.to_owned(), value.to_owned())).filter(|(_, value)| !value.is_empty())
        };
        Self { name, pairs: words.filter_map(pair).collect() }
    }

    /// Whether it means `NoCloud`, by either of its names.
    pub(super) fn is_nocloud(&self) -> bool {
        matches!(&*self.name, "nocloud" | "nocloud-net")
    }

    /// A value; of two the last.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.pairs.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// Where the seed is, if it is one of `NoCloud`'s and says so.
    pub(super) fn seedfrom(&self) -> Option<&str> {
        self.get("seedfrom").filter(|_| self.is_nocloud())
    }
}

/// What is said of a `NoCloud` machine before its seed is read: SMBIOS's wins, as with
/// cloud-init. Names alone: anything more, such as keys, would be a configuration that nobody
/// can sign.
pub(in crate::firstboot) fn names(machine: &Machine) -> Overlay {
    let mut names = Overlay::new();
    for word in [Word::of_serial(machine), Word::of_cmdline(machine)].into_iter().flatten() {
        if !word.is_nocloud() {
            continue;
        }
        for key in ["local-hostname", "instance-id"] {
            if let Some(value) = word.get(key).filter(|_| !names.contains_key(key)) {
                names.insert(key.to_owned(), value.into());
            }
        }
        let known = ["local-hostname", "instance-id", "seedfrom", "dsmode"];
        for (key, _) in word.pairs.iter().filter(|(key, _)| !known.contains(&key.as_str())) {
            log::warn!("ds=nocloud: {key} is not used there: put it into meta-data");
        }
    }
    names
}

/// The instance-id that a hypervisor has written into SMBIOS's serial number.
pub(in crate::firstboot) fn instance_in_serial(machine: &Machine) -> Option<String> {
    let word = Word::of_serial(machine).filter(Word::is_nocloud)?;
    word.get("instance-id").map(str::to_owned)
}

/// The fields of DMI that an address may name, by cloud-init's names and those of sysfs.
const DMI: [(&str, &str); 14] = [
    ("baseboard-asset-tag", "board_asset_tag"),
    ("baseboard-manufacturer", "board_vendor"),
    ("baseboard-product-name", "board_name"),
    ("baseboard-serial-number", "board_serial"),
    ("baseboard-version", "board_version"),
    ("bios-release-date", "bios_date"),
    ("bios-vendor", "bios_vendor"),
    ("bios-version", "bios_version"),
    ("chassis-asset-tag", "chassis_asset_tag"),
    ("chassis-serial-number", "chassis_serial"),
    ("system-manufacturer", "sys_vendor"),
    ("system-product-name", "product_name"),
    ("system-serial-number", "product_serial"),
    ("system-uuid", "product_uuid"),
];

/// An address with `__dmi.system-uuid__` and the like filled in, so that one address serves
/// many machines. What this machine does not have becomes nothing.
pub(super) fn with_dmi(machine: &Machine, address: &str) -> String {
    let mut address = address.to_owned();
    for (name, field) in DMI {
        let written = format!("__dmi.{name}__");
        if address.contains(&written) {
            address = address.replace(&written, &machine.dmi(field).unwrap_or_default());
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::firstboot::machine::Facts;

    fn machine(cmdline: &str, serial: &str) -> Machine {
        let facts = serde_json::json!({
            "cmdline": cmdline, "dmi": {"product_serial": serial, "product_uuid": "u-1"}
        });
        Machine::described(Facts::parse(&facts.to_string(), Path::new("")).unwrap(), "/".into())
    }

    #[test]
    fn words_and_values() {
        for (cmdline, name, seedfrom) in [
            ("ds=nocloud", "nocloud", None),
            ("quiet ds=nocloud;s=http://a/;h=x", "nocloud", Some("http://a/")),
            ("\"ds=nocloud-net;seedfrom=http://a/?b=c\"", "nocloud-net", Some("http://a/?b=c")),
            ("ds=\"NoCloud;s=/seed\"", "nocloud", Some("/seed")),
            ("ds=nocloud;s;;s=", "nocloud", None),
            ("ds=nocloud;s=a;s=b", "nocloud", Some("b")),
            ("ds=openstack;s=http://a/", "openstack", None),
            ("ds=nocloudy;s=http://a/", "nocloudy", None),
        ] {
            let word = Word::of_cmdline(&machine(cmdline, "")).unwrap();
            assert_eq!((&*word.name, word.seedfrom()), (name, seedfrom), "{cmdline}");
            let serial = Word::of_serial(&machine("", cmdline)).unwrap();
            assert_eq!(serial, word, "{cmdline}");
        }
        assert_eq!(Word::of_cmdline(&machine("quiet adds=nocloud", "")), None);
        assert_eq!(Word::of_serial(&machine("ds=nocloud", "VMware-56 4d")), None);
    }

    #[test]
    fn smbios_names_first_and_nothing_but_names() {
        let of =
            |cmdline, serial| serde_json::to_string(&names(&machine(cmdline, serial))).unwrap();
        let both = r#"{"instance-id":"i","local-hostname":"a"}"#;
        assert_eq!(of("ds=nocloud;h=b;i=i", "ds=nocloud;h=a"), both);
        assert_eq!(of("ds=nocloud;h=a;i=i;public-keys=x", "1234"), both);
        assert_eq!(of("ds=openstack;h=b", ""), "{}");
    }

    #[test]
    fn addresses_name_the_machine() {
        let of = |address| with_dmi(&machine("", "S7"), address);
        assert_eq!(of("http://a/__dmi.system-uuid__/"), "http://a/u-1/");
        assert_eq!(of("/a?s=__dmi.system-serial-number__&x=__dmi.bios-vendor__"), "/a?s=S7&x=");
        assert_eq!(of("http://a/__dmi.other__"), "http://a/__dmi.other__");
    }
}
