//! There is a way out: a default route, and optionally a name that resolves.

use std::net::ToSocketAddrs;

use serde::{Deserialize, Serialize};

use super::value::On;
use super::{Check, Context, Finding, Keyed};

/// Flags of the kernel's lists of routes (`linux/route.h`).
const RTF_UP: u32 = 1;
const RTF_REJECT: u32 = 0x200;

/// `{network: true, resolve: example.com}`
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Network {
    network: On,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resolve: Option<String>,
}

impl Keyed for Network {
    const KEY: &'static str = "network";
}

impl Check for Network {
    fn required(&self) -> bool {
        false
    }

    fn look(&self, context: &Context) -> Finding {
        let ipv4 = context.text("/proc/net/route").ok().and_then(|text| route_v4(&text));
        let ipv6 = context.text("/proc/net/ipv6_route").ok().and_then(|text| route_v6(&text));
        let Some(interface) = ipv4.or(ipv6) else {
            return Finding::fail("there is no default route");
        };
        let seen = format!("default route over {interface}");
        match &self.resolve {
            None => Finding::pass(seen),
            Some(name) => match (name.as_str(), 0).to_socket_addrs().map(|mut it| it.next()) {
                Ok(Some(address)) => Finding::pass(format!("{seen}; {name} is {}", address.ip())),
                Ok(None) => Finding::fail(format!("{seen}, but {name} has no address")),
                Err(e) => Finding::fail(format!("{seen}, but {name} does not resolve: {e}")),
            },
        }
    }
}

/// The interface of the default route: interface, destination, gateway, flags,
/// three figures, mask.
fn route_v4(text: &str) -> Option<String> {
    text.lines().skip(1).find_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let [interface, "00000000", _, flags, _, _, _, "00000000", ..] = fields.as_slice() else {
            return None;
        };
        is_usable(flags).then(|| (*interface).to_owned())
    })
}

/// Destination, its length, source, its length, next hop, metric, two counts,
/// flags, interface.
fn route_v6(text: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let [destination, "00", _, _, _, _, _, _, flags, interface] = fields.as_slice() else {
            return None;
        };
        let any = destination.bytes().all(|byte| byte == b'0');
        (any && is_usable(flags) && *interface != "lo").then(|| (*interface).to_owned())
    })
}

fn is_usable(flags: &str) -> bool {
    u32::from_str_radix(flags, 16).is_ok_and(|it| it & RTF_UP != 0 && it & RTF_REJECT == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_route_is_found_and_a_rejecting_one_is_none() {
        let v4 = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n\
                  eth0\t0002000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n\
                  eth1\t00000000\t0202000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n";
        assert_eq!(route_v4(v4).as_deref(), Some("eth1"));
        assert_eq!(route_v4(&v4.replace("0003", "0202")), None);
        let zero = "0".repeat(32);
        let v6 = |flags: &str, interface: &str| {
            format!("{zero} 00 {zero} 00 {zero} ffffffff 00000001 00000000 {flags} {interface}\n")
        };
        assert_eq!(route_v6(&v6("00200200", "lo")), None);
        assert_eq!(route_v6(&v6("00000003", "eth0")).as_deref(), Some("eth0"));
    }
}
