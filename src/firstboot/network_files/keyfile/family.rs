//! Addresses, routes and name servers of one IP version: a section of its own.

use std::net::IpAddr;

use crate::firstboot::configuration::{Link, Route, RouteKind};
use crate::firstboot::network_files::ini::Section;
use crate::firstboot::problem::{Problem, Problems};

/// An IP version.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    V6,
}

impl Family {
    fn is(self, address: IpAddr) -> bool {
        address.is_ipv4() == (self == Self::V4)
    }

    /// Its section.
    pub(super) fn section(self, section: &mut Section, link: &Link, problems: &mut Problems) {
        let it = &link.addressing;
        let method = self.method(link);
        section.line("method", method);
        let takes_more = matches!(method, "auto" | "manual" | "dhcp");
        if takes_more {
            self.settings(section, link);
        } else {
            self.without_addresses(link, problems);
        }
        if self == Self::V4 && it.link_local.is_some_and(|it| it.ipv4) && takes_more {
            // Beside others (`NMSettingIP4LinkLocal`).
            section.line("link-local", 3);
        }
        if self == Self::V6 && method != "disabled" {
            // `NMSettingIP6ConfigPrivacy`: temporary addresses are preferred.
            section.some("ip6-privacy", it.privacy.map(|it| if it { 2 } else { 0 }));
        }
    }

    fn method(self, link: &Link) -> &'static str {
        let it = &link.addressing;
        let has_addresses = it.of_family(self == Self::V4).next().is_some();
        match (self, it.accept_ra) {
            (Self::V4, _) if it.dhcp4 => "auto",
            (Self::V4, _) if has_addresses => "manual",
            (Self::V4, _) if it.link_local.is_some_and(|it| it.ipv4) => "link-local",
            (Self::V4, _) => "disabled",
            (Self::V6, Some(false)) if it.dhcp6 => "dhcp",
            (Self::V6, Some(true)) => "auto",
            (Self::V6, _) if it.dhcp6 => "auto",
            // Waiting for a router that never comes would make the connection fail.
            (Self::V6, _) if has_addresses => "manual",
            (Self::V6, _) if it.is_bare() => "disabled",
            (Self::V6, ra) => match it.link_local {
                Some(local) if !local.ipv6 => "disabled",
                Some(_) if !it.dhcp4 && it.addresses.is_empty() => "link-local",
                _ if ra == Some(false) => "link-local",
                // As the kernel and systemd-networkd have it: routers are listened to.
                _ => "auto",
            },
        }
    }

    fn settings(self, section: &mut Section, link: &Link) {
        let it = &link.addressing;
        let addresses = it.addresses.iter().filter(|at| self.is(at.value.address));
        for (number, address) in (1..).zip(addresses) {
            section.line(&format!("address{number}"), address.value);
        }
        let routes = it.routes.iter().filter(|route| self.is(route.to.address));
        for (number, route) in (1..).zip(routes) {
            section.line(&format!("route{number}"), self.route(route));
            let options = options(link, route);
            let key = format!("route{number}_options");
            section.some(&key, (!options.is_empty()).then(|| options.join(",")));
        }
        let servers = it.nameservers.iter().map(|server| server.value).filter(|at| self.is(*at));
        let servers: Vec<String> = servers.map(|server| format!("{server};")).collect();
        section.some("dns", (!servers.is_empty()).then(|| servers.concat()));
        let domains: Vec<String> = it.search.iter().map(|it| format!("{};", it.value)).collect();
        section.some("dns-search", (!domains.is_empty()).then(|| domains.concat()));
        self.dhcp(section, link);
    }

    fn route(self, route: &Route) -> String {
        let nobody = if self == Self::V4 { "0.0.0.0" } else { "::" };
        let via = route.via.map_or_else(|| nobody.to_owned(), |it| it.to_string());
        let metric = route.metric.map(|it| format!(",{it}")).unwrap_or_default();
        if route.via.is_none() && metric.is_empty() {
            return route.to.to_string();
        }
        format!("{},{via}{metric}", route.to)
    }

    fn dhcp(self, section: &mut Section, link: &Link) {
        let it = &link.addressing;
        let overrides = if self == Self::V4 { &it.overrides4 } else { &it.overrides6 };
        if self == Self::V4 && it.dhcp4 && it.identifier_is_mac {
            section.line("dhcp-client-id", "mac");
        }
        if overrides.use_dns == Some(false) {
            section.line("ignore-auto-dns", true);
        }
        if overrides.use_routes == Some(false) {
            section.line("ignore-auto-routes", true);
        }
        section.some("route-metric", overrides.route_metric);
        section.some("dhcp-send-hostname", overrides.send_hostname);
        section.some("dhcp-hostname", overrides.hostname.as_ref());
    }

    /// Name servers and routes of a family of which the link has no address.
    fn without_addresses(self, link: &Link, problems: &mut Problems) {
        let it = &link.addressing;
        let servers = it.nameservers.iter().filter(|it| self.is(it.value)).map(|it| &it.place);
        let routes = it.routes.iter().filter(|it| self.is(it.to.address)).map(|it| &it.place);
        for place in servers.chain(routes) {
            let what = "it is left out: the link has no address of this family";
            problems.push(Problem::warning(place, what));
        }
    }
}

fn options(link: &Link, route: &Route) -> Vec<String> {
    let mut options = Vec::new();
    let mut option = |key: &str, value: Option<String>| {
        options.extend(value.map(|value| format!("{key}={value}")));
    };
    option("onlink", link.is_on_link(route).then(|| "true".to_owned()));
    option("table", route.table.map(|it| it.to_string()));
    option("src", route.from.map(|it| it.to_string()));
    option("mtu", route.mtu.map(|it| it.to_string()));
    let kind = (route.kind != RouteKind::Unicast).then(|| route.kind.word().to_owned());
    option("type", kind);
    options
}
