//! The network as a datasource has it: not rendered yet. What asks for DHCP, which the system does
//! by itself, is fine; an address that nobody would get is an error, since the machine would be
//! out of reach.

use super::problem::Problem;
use super::seed::Named;
use super::yaml::{self, Node, Value};

/// Keys that ask for no more than DHCP, in any of the three formats: versions 1 and 2 of
/// cloud-init's, and `OpenStack`'s `network_data.json`.
const HARMLESS: [&str; 34] = [
    "accept-ra",
    "accept_ra",
    "config",
    "critical",
    "dhcp4",
    "dhcp6",
    "ethernet_mac_address",
    "ethernets",
    "id",
    "ipv6-privacy",
    "link",
    "links",
    "mac_address",
    "macaddress",
    "match",
    "mtu",
    "name",
    "network",
    "network_id",
    "networks",
    "optional",
    "renderer",
    "set-name",
    "services",
    "subnets",
    "type",
    "version",
    "vif_id",
    "wakeonlan",
    "dhcp-identifier",
    "driver",
    "dhcp4-overrides",
    "dhcp6-overrides",
    "control",
];
/// Types that are no more than that.
const TYPES: [&str; 14] = [
    "physical",
    "dhcp",
    "dhcp4",
    "dhcp6",
    "ipv6_slaac",
    "ipv6_dhcp",
    "ipv4_dhcp",
    "phy",
    "vif",
    "ovs",
    "bridge",
    "tap",
    "ipv6_dhcpv6-stateless",
    "ipv6_dhcpv6-stateful",
];

/// What is wrong with it.
pub(super) fn problem(network: &Named) -> Option<Problem> {
    let text = String::from_utf8_lossy(&network.bytes);
    let root = match yaml::load(&text, &network.source) {
        Ok(document) => document.root,
        Err(problem) => return Some(problem),
    };
    if root.get("config").is_some_and(|it| it.as_str() == Some("disabled")) {
        return None;
    }
    let (key, value) = beyond_dhcp(&root, true)?;
    let what = format!(
        "{key:?} in the network's configuration is not applied yet, and the machine might be out \
         of reach without: configure the network in the image, or by a script of Combustion's"
    );
    Some(Problem::error(&value.place, what))
}

/// The first key that asks for more; names of interfaces are no keys of that kind.
fn beyond_dhcp(node: &Node, keys: bool) -> Option<(String, &Node)> {
    match &node.value {
        Value::Seq(items) => items.iter().find_map(|item| beyond_dhcp(item, true)),
        Value::Map(pairs) => pairs.iter().find_map(|(key, value)| {
            let name = key.text().unwrap_or_default();
            let is_empty = match &value.value {
                Value::Null | Value::Bool(false) => true,
                Value::Seq(items) => items.is_empty(),
                Value::Map(pairs) => pairs.is_empty(),
                _ => false,
            };
            if is_empty || name == "match" {
                return None;
            }
            let is_type = name == "type" && keys;
            let type_fits = value.as_str().is_some_and(|it| TYPES.contains(&it));
            if keys && (!HARMLESS.contains(&name.as_str()) || (is_type && !type_fits)) {
                return Some((name, value));
            }
            beyond_dhcp(value, name != "ethernets")
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dhcp_is_what_the_system_does_anyway() {
        for (text, expected) in [
            ("version: 2\nethernets: {eth0: {dhcp4: true, match: {macaddress: 'a:b'}}}", None),
            ("network: {config: disabled}", None),
            ("config: disabled", None),
            ("version: 1\nconfig: [{type: physical, name: eth0, subnets: [{type: dhcp}]}]", None),
            (
                r#"{"links": [{"id": "a", "type": "phy"}], "networks": [{"type": "ipv4_dhcp", "link": "a"}], "services": []}"#,
                None,
            ),
            ("", None),
            (
                "version: 2\nethernets: {eth0: {addresses: [10.0.0.2/24]}}",
                Some("n:2:31: error: \"addresses\""),
            ),
            (
                "version: 1\nconfig: [{type: physical, name: e, subnets: [{type: static, address: 10.0.0.2}]}]",
                Some("n:2:53: error: \"type\""),
            ),
            ("version: 2\nbonds: {b: {}}", Some("n:2:8: error: \"bonds\"")),
            (
                r#"{"networks": [{"type": "ipv4", "ip_address": "10.0.0.2"}]}"#,
                Some("n:1:24: error: \"type\""),
            ),
            ("a: [", Some("n:1:")),
        ] {
            let named = Named { source: "n".into(), bytes: text.as_bytes().to_vec() };
            let got = problem(&named).map(|it| it.to_string());
            match expected {
                None => assert_eq!(got, None, "{text}"),
                Some(begin) => {
                    assert!(got.as_deref().unwrap_or("").starts_with(begin), "{text}: {got:?}");
                }
            }
        }
    }
}
