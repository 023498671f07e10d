//! Version 2: netplan's format.

use super::links;

#[test]
fn version_2() {
    for (text, expected) in [
        ("{eth0: {dhcp4: true, dhcp6: 'yes'}}", "eth0 name=eth0 dhcp4 dhcp6"),
        ("{eth0: }", "eth0 name=eth0"),
        (
            "{a: {match: {macaddress: '02:00:00:00:00:01'}, set-name: lan}}",
            "a mac=02:00:00:00:00:01 rename=lan",
        ),
        ("{all: {match: {name: 'en*', driver: virtio_net}}}", "all name=en* driver=virtio_net"),
        ("{all: {match: {}}}", "all"),
        (
            "{eth0: {addresses: [10.0.0.2/24, '2001:db8::2/64', 10.0.0.3/24], gateway4: 10.0.0.1, \
             routes: [{to: default, via: 'fe80::1'}, {to: 10.9.0.1, via: 10.0.0.4, metric: 7}, \
             {to: 10.8.0.7/16, via: 10.0.0.4}], nameservers: {addresses: [1.1.1.1], search: [a.b]}}}",
            "eth0 name=eth0 10.0.0.2/24 2001:db8::2/64 10.0.0.3/24 0.0.0.0/0>10.0.0.1 \
             ::/0>fe80::1 10.9.0.1/32>10.0.0.4*7 10.8.0.0/16>10.0.0.4 dns=1.1.1.1 in=a.b",
        ),
    ] {
        let ethernets = format!("version: 2\nrenderer: networkd\nethernets: {text}");
        assert_eq!(links(&ethernets), [expected], "{text}");
        let outer = format!("network:\n  version: '2'\n  ethernets: {text}");
        assert_eq!(links(&outer), [expected], "{text}");
    }
}

#[test]
fn version_2_of_several_links() {
    let text = "version: 2\nethernets: {e1: {}, e2: {}, e3: {}}\n\
        bonds: {b: {interfaces: [e1, e2], parameters: {mode: active-backup, primary: e1, \
        mii-monitor-interval: 1s, arp-ip-targets: [10.0.0.1, 10.0.0.2], all-slaves-active: true}}}\n\
        bridges: {br: {interfaces: [e3], parameters: {forward-delay: 4, path-cost: {e3: 9}}}}\n\
        vlans: {v5: {id: 5, link: b, dhcp4: on}}";
    let expected = [
        "e1 name=e1",
        "e2 name=e2",
        "e3 name=e3",
        "b bond(mode=active-backup miimon=1000 all_slaves_active=1 \
         arp_ip_target=10.0.0.1,10.0.0.2) +e1 +e2",
        "br bridge(stp=true fd=Some(4)) +e3",
        "v5 vlan=5@b dhcp4",
    ];
    assert_eq!(links(text), expected);
}
