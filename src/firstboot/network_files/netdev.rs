//! Links that systemd-networkd makes (systemd.netdev(5)).

use super::ini::{Ini, Section};
use crate::firstboot::configuration::{BondSetting, BondType, Bridge, Link, LinkKind};

/// The file, of a link that is to be made.
pub(super) fn text(link: &Link) -> Option<String> {
    let kind = match &link.kind {
        LinkKind::Ethernet(_) => return None,
        LinkKind::Bond(_) => "bond",
        LinkKind::Bridge(_) => "bridge",
        LinkKind::Vlan(_) => "vlan",
    };
    let mut ini = Ini::default();
    let section = ini.section("NetDev");
    section.line("Name", &link.id.value);
    section.line("Kind", kind);
    section.some("MTUBytes", link.mtu.as_ref().map(|it| it.value));
    section.some("MACAddress", link.mac.as_ref().map(|it| it.value));
    match &link.kind {
        LinkKind::Ethernet(_) => {}
        LinkKind::Bond(bond) => {
            let section = ini.section("Bond");
            bond.settings.iter().for_each(|it| section.line(it.option.networkd, value(it)));
        }
        LinkKind::Bridge(it) => bridge(ini.section("Bridge"), it),
        LinkKind::Vlan(vlan) => ini.section("VLAN").line("Id", vlan.number),
    }
    Some(ini.text())
}

fn value(setting: &BondSetting) -> String {
    let value = &setting.value;
    match setting.option.takes {
        BondType::Milliseconds => format!("{value}ms"),
        BondType::Seconds => format!("{value}s"),
        BondType::Switch => if value == "1" { "yes" } else { "no" }.to_owned(),
        BondType::Addresses => value.replace(',', " "),
        BondType::Word(_) | BondType::Number(_) => value.clone(),
    }
}

fn bridge(section: &mut Section, bridge: &Bridge) {
    section.yes_no("STP", Some(bridge.stp));
    section.some("Priority", bridge.priority);
    section.some("AgeingTimeSec", bridge.ageing_time_s);
    section.some("ForwardDelaySec", bridge.forward_delay_s);
    section.some("HelloTimeSec", bridge.hello_time_s);
    section.some("MaxAgeSec", bridge.max_age_s);
}
