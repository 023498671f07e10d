//! Each rule of the formats is a row: what is written, and what is made of it, in few words.

mod network_data;
mod problems;
mod v1;
mod v2;

use std::fmt::Write;

use super::*;
use crate::firstboot::configuration::{Link, LinkKind};

fn read_text(text: &str) -> (Option<Network>, Vec<String>) {
    let (network, problems) = read(&Named { source: "n".into(), bytes: text.as_bytes().to_vec() });
    (network, problems.iter().map(ToString::to_string).collect())
}

/// A link in few words.
fn told(link: &Link) -> String {
    let mut out = link.id.value.clone();
    match &link.kind {
        LinkKind::Ethernet(by) => {
            if let Some(mac) = &by.mac {
                write!(out, " mac={}", mac.value).unwrap();
            }
            for (key, value) in [("name", &by.name), ("driver", &by.driver)] {
                if let Some(value) = value {
                    write!(out, " {key}={}", value.value).unwrap();
                }
            }
        }
        LinkKind::Vlan(vlan) => {
            write!(out, " vlan={}@{}", vlan.number, vlan.parent.value).unwrap();
        }
        LinkKind::Bond(bond) => {
            let settings = bond.settings.iter();
            let settings: Vec<_> =
                settings.map(|it| format!("{}={}", it.option.kernel, it.value)).collect();
            write!(out, " bond({})", settings.join(" ")).unwrap();
        }
        LinkKind::Bridge(bridge) => {
            write!(out, " bridge(stp={} fd={:?})", bridge.stp, bridge.forward_delay_s).unwrap();
        }
    }
    for member in link.members() {
        write!(out, " +{}", member.value).unwrap();
    }
    if let Some(name) = &link.set_name {
        write!(out, " rename={}", name.value).unwrap();
    }
    let it = &link.addressing;
    for (is_so, word) in
        [(it.dhcp4, " dhcp4"), (it.dhcp6, " dhcp6"), (it.accept_ra == Some(true), " ra")]
    {
        out.push_str(if is_so { word } else { "" });
    }
    for address in &it.addresses {
        write!(out, " {}", address.value).unwrap();
    }
    for route in &it.routes {
        let via = route.via.map_or("-".to_owned(), |it| it.to_string());
        write!(out, " {}>{via}", route.to).unwrap();
        if let Some(metric) = route.metric {
            write!(out, "*{metric}").unwrap();
        }
    }
    for server in &it.nameservers {
        write!(out, " dns={}", server.value).unwrap();
    }
    for domain in &it.search {
        write!(out, " in={}", domain.value).unwrap();
    }
    out
}

fn links(text: &str) -> Vec<String> {
    let (network, problems) = read_text(text);
    assert_eq!(problems, [""; 0], "{text}");
    network.map_or_else(Vec::new, |it| it.links.iter().map(told).collect())
}

#[test]
fn what_asks_for_nothing() {
    for text in [
        "",
        "{}",
        "config: disabled",
        "network: {config: disabled}",
        "network:",
        "version: 2",
        "version: 2\nethernets: {}",
        "version: 1\nconfig: []",
        r#"{"links": [{"id": "a", "type": "phy"}], "networks": [], "services": []}"#,
    ] {
        assert_eq!(read_text(text), (None, Vec::new()), "{text}");
    }
}

#[test]
fn many_links_take_time_in_proportion() {
    let vlans: String = (1..=4094).map(|it| format!(" v{it}: {{id: {it}, link: e}}\n")).collect();
    let (network, problems) =
        read_text(&format!("version: 2\nethernets: {{e: {{}}}}\nvlans:\n{vlans}"));
    assert_eq!((network.unwrap().links.len(), problems.len()), (4095, 0));
    let ethernets: String = (1..=8193).map(|it| format!(" e{it}: {{}}\n")).collect();
    let (_, problems) = read_text(&format!("version: 2\nethernets:\n{ethernets}"));
    assert_eq!(problems, ["n:1:1: error: more than 8192 links"]);
}
