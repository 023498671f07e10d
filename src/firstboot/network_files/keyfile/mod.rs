//! A link as a connection of `NetworkManager`'s (nm-settings-keyfile(5)).

mod family;

use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

use super::ini::{Ini, Section};
use super::{Around, left_out};
use crate::firstboot::configuration::{
    Bond, Bridge, Link, LinkKind, Match, Network, Placed, UseDomains,
};
use crate::firstboot::problem::{Problem, Problems};
use family::Family;

const MANAGER: &str = "NetworkManager";
/// Above connections of the image's own, whose priority is 0, as cloud-init has it.
const PRIORITY: u32 = 120;
/// A magic packet (`NMSettingWiredWakeOnLan`).
const WAKE_ON_MAGIC: u32 = 0x40;
/// Several interfaces at once (`NMConnectionMultiConnect`).
const MULTIPLE: u32 = 3;

/// The file.
pub(super) fn text(
    network: &Network,
    link: &Link,
    around: &Around<'_>,
    problems: &mut Problems,
) -> String {
    let mut ini = Ini::default();
    connection(&mut ini, link, around);
    if let LinkKind::Ethernet(by) = &link.kind {
        patterns(ini.section("match"), link, by);
    }
    ethernet(ini.section("ethernet"), link);
    match &link.kind {
        LinkKind::Ethernet(_) => {}
        LinkKind::Bond(it) => bond(ini.section("bond"), network, it, problems),
        LinkKind::Bridge(it) => bridge(ini.section("bridge"), it),
        LinkKind::Vlan(vlan) => {
            let section = ini.section("vlan");
            section.line("id", vlan.number);
            section.line("parent", uuid(&vlan.parent.value));
        }
    }
    match around.controller.map(|it| &it.kind) {
        // A member has no addresses, and these sections would be refused.
        Some(LinkKind::Bridge(bridge)) => port(ini.section("bridge-port"), link, bridge),
        Some(_) => {}
        None => {
            Family::V4.section(ini.section("ipv4"), link, problems);
            Family::V6.section(ini.section("ipv6"), link, problems);
            hostname(ini.section("hostname"), link);
        }
    }
    ignored(link, problems);
    ini.text()
}

/// The same for the same link each time: others name it by this.
fn uuid(id: &str) -> Uuid {
    let hash = Sha256::digest(format!("cloud-init {id}"));
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(hash.iter()).for_each(|(to, from)| *to = *from);
    Builder::from_custom_bytes(bytes).into_uuid()
}

fn connection(ini: &mut Ini, link: &Link, around: &Around<'_>) {
    let section = ini.section("connection");
    section.line("id", format!("cloud-init {}", link.id.value));
    section.line("uuid", uuid(&link.id.value));
    let (kind, by) = match &link.kind {
        LinkKind::Ethernet(by) => ("ethernet", Some(by)),
        LinkKind::Bond(_) => ("bond", None),
        LinkKind::Bridge(_) => ("bridge", None),
        LinkKind::Vlan(_) => ("vlan", None),
    };
    section.line("type", kind);
    section.line("autoconnect-priority", PRIORITY);
    // By address where there is one: a rename may come late, or fail.
    let is_renamed = link.set_name.is_some() && by.is_some_and(|it| it.mac.is_some());
    section.some("interface-name", link.interface().filter(|_| !is_renamed));
    if by.is_some_and(|it| it.mac.is_none()) && link.interface().is_none() {
        section.line("multi-connect", MULTIPLE);
    }
    if let Some(controller) = around.controller {
        let kind = if let LinkKind::Bond(_) = controller.kind { "bond" } else { "bridge" };
        // The names that versions before 1.46 know, and later ones take as well.
        section.line("master", uuid(&controller.id.value));
        section.line("slave-type", kind);
    }
}

fn patterns(section: &mut Section, link: &Link, by: &Match) {
    if link.set_name.is_some() {
        return;
    }
    let pattern = by.name.as_ref().filter(|_| link.interface().is_none());
    section.some("interface-name", pattern.map(|it| format!("{};", it.value)));
    section.some("driver", by.driver.as_ref().map(|it| format!("{};", it.value)));
}

fn ethernet(section: &mut Section, link: &Link) {
    if let LinkKind::Ethernet(by) = &link.kind {
        section.some("mac-address", by.mac.as_ref().map(|it| it.value));
    }
    section.some("cloned-mac-address", link.mac.as_ref().map(|it| it.value));
    section.some("mtu", link.mtu.as_ref().map(|it| it.value));
    if link.wake_on_lan {
        section.line("wake-on-lan", WAKE_ON_MAGIC);
    }
}

fn bond(section: &mut Section, network: &Network, bond: &Bond, problems: &mut Problems) {
    for setting in &bond.settings {
        section.line(setting.option.kernel, &setting.value);
    }
    let Some(primary) = &bond.primary else { return };
    let member = network.links.iter().find(|it| it.id.value == primary.value);
    if let Some(name) = member.and_then(Link::interface) {
        section.line("primary", name);
        return;
    }
    let what = "primary is left out: NetworkManager wants the interface's name, which is not known; \
                write set-name for that link";
    problems.push(Problem::warning(&primary.place, what));
}

fn bridge(section: &mut Section, bridge: &Bridge) {
    section.line("stp", bridge.stp);
    section.some("priority", bridge.priority);
    section.some("ageing-time", bridge.ageing_time_s);
    section.some("forward-delay", bridge.forward_delay_s);
    section.some("hello-time", bridge.hello_time_s);
    section.some("max-age", bridge.max_age_s);
}

fn port(section: &mut Section, link: &Link, bridge: &Bridge) {
    let of = |all: &[(Placed<String>, u32)]| {
        all.iter().find(|(id, _)| id.value == link.id.value).map(|(_, value)| *value)
    };
    section.some("path-cost", of(&bridge.costs));
    section.some("priority", of(&bridge.priorities));
}

fn hostname(section: &mut Section, link: &Link) {
    let it = &link.addressing;
    if it.overrides4.use_hostname == Some(false) || it.overrides6.use_hostname == Some(false) {
        section.line("from-dhcp", false);
    }
}

/// What there is no word for.
fn ignored(link: &Link, problems: &mut Problems) {
    for (place, what) in [(&link.optional, "optional"), (&link.critical, "critical")] {
        if let Some(place) = place {
            left_out(problems, place, what, MANAGER);
        }
    }
    for overrides in [&link.addressing.overrides4, &link.addressing.overrides6] {
        let said = [(&overrides.use_mtu, "use-mtu: false"), (&overrides.use_ntp, "use-ntp: false")];
        for (said, what) in said {
            if let Some(it) = said.as_ref().filter(|it| !it.value) {
                left_out(problems, &it.place, what, MANAGER);
            }
        }
        if let Some(it) = overrides.use_domains.as_ref().filter(|it| it.value != UseDomains::Yes) {
            left_out(problems, &it.place, "use-domains other than true", MANAGER);
        }
    }
}
