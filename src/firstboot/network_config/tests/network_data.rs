//! `network_data.json` of `OpenStack`.

use super::links;

#[test]
fn network_data() {
    let phy = |id: &str, last: u8| {
        format!(
            r#"{{"id": "{id}", "type": "ovs", "ethernet_mac_address": "fa:16:3e:00:00:0{last}", "mtu": null, "vif_id": "x"}}"#
        )
    };
    let text = format!(
        r#"{{"links": [{{"id": "v", "type": "vlan", "vlan_link": "tap00000000-02", "vlan_id": 101,
            "vlan_mac_address": "fa:16:3e:00:00:09"}}, {}, {}, {},
           {{"id": "agg", "type": "bond", "bond_links": ["p1", "p2"], "bond_mode": "802.3ad",
             "bond_miimon": 100, "bond_xmit_hash_policy": "layer3+4"}},
           {{"id": "w", "type": "vlan", "vlan_link": "agg", "vlan_id": 7}}],
          "networks": [
           {{"id": "n0", "type": "ipv4", "link": "v", "ip_address": "10.0.0.2", "netmask": "255.255.255.0",
             "network_id": "x", "routes": [{{"network": "0.0.0.0", "netmask": "0.0.0.0", "gateway": "10.0.0.1"}}],
             "services": [{{"type": "dns", "address": "10.0.0.3"}}]}},
           {{"id": "n1", "type": "ipv6", "link": "v", "ip_address": "2001:db8::2/64",
             "routes": [{{"network": "::", "netmask": "::", "gateway": "2001:db8::1"}}]}},
           {{"id": "n2", "type": "ipv6_dhcpv6-stateful", "link": "tap00000000-02"}},
           {{"id": "n3", "type": "ipv4_dhcp", "link": "w"}}],
          "services": [{{"type": "dns", "address": "9.9.9.9"}}]}}"#,
        phy("tap00000000-02", 1),
        phy("p1", 2),
        phy("p2", 3),
    );
    let expected = [
        "tap00000000-02 mac=fa:16:3e:00:00:01 dhcp6 ra",
        "p1 mac=fa:16:3e:00:00:02",
        "p2 mac=fa:16:3e:00:00:03",
        "bond0 bond(mode=802.3ad miimon=100 xmit_hash_policy=layer3+4) +p1 +p2",
        // "tap00000000-02.101" would be too long for an interface.
        "vlan101 vlan=101@tap00000000-02 10.0.0.2/24 2001:db8::2/64 0.0.0.0/0>10.0.0.1 \
         ::/0>2001:db8::1 dns=10.0.0.3 dns=9.9.9.9",
        "bond0.7 vlan=7@bond0 dhcp4",
    ];
    assert_eq!(links(&text), expected);
}
