//! udev's part (systemd.link(5)): names of interfaces, and what wakes a machine.

use super::Renderer;
use super::ini::Ini;
use crate::firstboot::configuration::{Link, LinkKind};
use crate::firstboot::problem::{Problem, Problems};

/// What systemd's own 99-default.link says: of several that match, the first file alone counts.
const DEFAULTS: [(&str, &str); 3] = [
    ("NamePolicy", "keep kernel database onboard slot path"),
    ("AlternativeNamesPolicy", "database onboard slot path mac"),
    ("MACAddressPolicy", "persistent"),
];

/// The file, if one is needed; `NetworkManager` wakes machines itself.
pub(super) fn text(link: &Link, renderer: Renderer, problems: &mut Problems) -> Option<String> {
    let LinkKind::Ethernet(by) = &link.kind else { return None };
    let wakes = link.wake_on_lan && renderer == Renderer::Networkd;
    if link.set_name.is_none() && !wakes {
        return None;
    }
    if link.set_name.is_none() && by.mac.is_none() {
        let what = "wakeonlan is left out: udev does not know the interface's name when it is to \
                    do it; write match: {macaddress: …}";
        problems.push(Problem::warning(&link.id.place, what));
        return None;
    }
    let mut ini = Ini::default();
    let section = ini.section("Match");
    section.some("PermanentMACAddress", by.mac.as_ref().map(|it| it.value));
    if by.mac.is_none() {
        section.some("OriginalName", by.name.as_ref().map(|it| &it.value));
        section.some("Driver", by.driver.as_ref().map(|it| &it.value));
        if by.name.is_none() && by.driver.is_none() {
            section.line("Type", "ether");
        }
    }
    let section = ini.section("Link");
    match &link.set_name {
        Some(name) => section.line("Name", &name.value),
        None => DEFAULTS.iter().for_each(|(key, value)| section.line(key, value)),
    }
    if wakes {
        section.line("WakeOnLan", "magic");
    }
    Some(ini.text())
}
