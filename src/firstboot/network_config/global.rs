//! What version 1 and `network_data.json` say for no link in particular: name servers, search
//! domains and routes. The renderers have all of these at links.

use std::net::IpAddr;

use super::fields;
use super::subnet;
use crate::firstboot::cloud_config::reader::Reader;
use crate::firstboot::configuration::{Addressing, Link, Network, Placed, Route};
use crate::firstboot::yaml::Node;

/// More of either than anybody has: each is looked at for each link.
const MOST: usize = 256;

/// Name servers, domains and the link that they are for, if it is one.
#[derive(Debug, Default)]
struct Names {
    interface: Option<Placed<String>>,
    servers: Vec<Placed<IpAddr>>,
    search: Vec<Placed<String>>,
}

/// What is for all links.
#[derive(Debug, Default)]
pub(super) struct Global {
    names: Vec<Names>,
    routes: Vec<Route>,
}

impl Global {
    /// Reads an entry of the type `nameserver`.
    pub(super) fn nameserver(&mut self, reader: &mut Reader, node: &Node) {
        let known = ["address", "interface", "search", "type"];
        let Some(fields) = reader.fields(node, "a nameserver", &known) else { return };
        let mut names = Names::default();
        if let Some(node) = fields.get("address") {
            names.servers = subnet::addresses(reader, node, "the address of a name server");
        }
        if let Some(node) = fields.get("search") {
            names.search = fields::domains(reader, node, "search");
        }
        let interface = fields.get("interface");
        names.interface = interface.and_then(|it| fields::id(reader, it, "interface"));
        self.names.push(names);
    }

    /// A name server for all links.
    pub(super) fn server(&mut self, server: Placed<IpAddr>) {
        self.names.push(Names { servers: vec![server], ..Names::default() });
    }

    /// Reads an entry of the type `route`.
    pub(super) fn route(&mut self, reader: &mut Reader, node: &Node) {
        self.routes.extend(subnet::route(reader, node));
    }

    /// Gives it to the links that it is for.
    pub(super) fn give(self, reader: &mut Reader, network: &mut Network) {
        let names: usize = self.names.iter().map(|it| it.servers.len() + it.search.len()).sum();
        if names.max(self.names.len()).max(self.routes.len()) > MOST {
            let what = format!("more than {MOST} name servers or routes that are for all links");
            return reader.error(&network.place, what);
        }
        for names in self.names {
            give_names(reader, network, &names);
        }
        for route in self.routes {
            give_route(reader, network, route);
        }
    }
}

/// To the link that is named; else to those that have addresses of their own, since a DHCP
/// server names its own servers; else to all that have any.
fn give_names(reader: &mut Reader, network: &mut Network, names: &Names) {
    let is_fixed = |it: &Addressing| !it.addresses.is_empty();
    let any_fixed = network.links.iter().any(|it| is_fixed(&it.addressing));
    let is_meant = |link: &Link| match &names.interface {
        Some(name) => link.id.value == name.value,
        None if any_fixed => is_fixed(&link.addressing),
        None => !link.addressing.is_bare(),
    };
    let mut found = false;
    for link in network.links.iter_mut().filter(|link| is_meant(link)) {
        found = true;
        let to = &mut link.addressing;
        for server in &names.servers {
            if !to.nameservers.iter().any(|it| it.value == server.value) {
                to.nameservers.push(server.clone());
            }
        }
        for domain in &names.search {
            if !to.search.iter().any(|it| it.value == domain.value) {
                to.search.push(domain.clone());
            }
        }
    }
    if let Some(name) = names.interface.as_ref().filter(|_| !found) {
        reader.error(&name.place, format!("there is no link {:?} for the name server", name.value));
    }
}

/// To the link in one of whose networks it goes on.
fn give_route(reader: &mut Reader, network: &mut Network, route: Route) {
    let reaches = |link: &&mut Link| {
        let own = &link.addressing.addresses;
        route.via.is_some_and(|via| own.iter().any(|it| it.value.contains(via)))
    };
    if let Some(link) = network.links.iter_mut().find(reaches) {
        link.addressing.routes.push(route);
        return;
    }
    let what = "no link has an address in the network of this route's gateway: write the route \
                under \"routes\" of the subnet that it goes over";
    reader.error(&route.place, what);
}
