//! Which machine this is to its platform, as SMBIOS has it: a finished machine whose disk was
//! copied for another one is configured again, for that one. Not by what a stick or the command
//! line says: whoever can plug in a stick would own the machine.

use super::datasource;
use super::machine::Machine;
use crate::record::Instance;

/// SMBIOS's system UUID, which `OpenStack` makes the instance's own (cloud-init's
/// documentation, "`OpenStack`").
const SYSTEM_UUID: &str = "product_uuid";

/// What SMBIOS says of the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Smbios {
    /// The instance-id in the serial number: `ds=nocloud;i=…`.
    serial: Option<String>,
    uuid: Option<String>,
}

impl Smbios {
    /// Of this machine.
    pub(super) fn of(machine: &Machine) -> Self {
        let serial = datasource::instance_in_serial(machine);
        Self { serial, uuid: machine.dmi(SYSTEM_UUID) }
    }

    /// An instance-id that a seed has, as it is noted.
    pub(super) fn noted(&self, id: String) -> Instance {
        let is = |uuid: &String| uuid.eq_ignore_ascii_case(&id);
        Instance { is_system_uuid: self.uuid.as_ref().is_some_and(is), id }
    }

    /// The instance that this is now, if it is another one than was configured.
    pub(super) fn other_than(&self, configured: &Instance) -> Option<Instance> {
        let serial = self.serial.clone().map(|id| Instance { id, is_system_uuid: false });
        let uuid = self.uuid.clone().filter(|_| configured.is_system_uuid);
        let uuid = uuid.map(|id| Instance { id, is_system_uuid: true });
        let now = serial.or(uuid)?;
        // SMBIOS writes it in capitals, or not.
        let is_same = if now.is_system_uuid {
            now.id.eq_ignore_ascii_case(&configured.id)
        } else {
            now.id == configured.id
        };
        (!is_same).then_some(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_machine_is_what_smbios_says_and_nothing_else() {
        let said = |serial: Option<&str>, uuid: Option<&str>| Smbios {
            serial: serial.map(str::to_owned),
            uuid: uuid.map(str::to_owned),
        };
        let then = said(None, Some("ABC"));
        for (id, now, expected) in [
            ("i-1", said(None, Some("DEF")), None),
            ("i-1", said(Some("i-1"), Some("DEF")), None),
            ("i-1", said(Some("i-2"), None), Some("i-2")),
            ("I-1", said(Some("i-1"), None), Some("i-1")),
            ("abc", said(None, Some("ABC")), None),
            ("abc", said(None, None), None),
            ("abc", said(None, Some("DEF")), Some("DEF")),
            ("abc", said(Some("i-2"), Some("ABC")), Some("i-2")),
        ] {
            let configured = then.noted(id.to_owned());
            assert_eq!(configured.is_system_uuid, id == "abc");
            let other = now.other_than(&configured).map(|it| it.id);
            assert_eq!(other.as_deref(), expected, "{id} {now:?}");
        }
    }
}
