//! Options of bridges: netplan's `parameters`, and version 1's `params`, which are those of
//! bridge-utils-interfaces(5).

use super::fields::{self, fields as fields_of};
use crate::firstboot::cloud_config::reader::{Fields, Reader};
use crate::firstboot::configuration::{Bridge, Placed};
use crate::firstboot::yaml::{Node, Value};

/// What numbers the kernel takes.
const SECONDS: std::ops::RangeInclusive<i64> = 0..=1_000_000;
const PRIORITIES: std::ops::RangeInclusive<i64> = 0..=65_535;
const COSTS: std::ops::RangeInclusive<i64> = 1..=65_535;
const PORT_PRIORITIES: std::ops::RangeInclusive<i64> = 0..=63;

/// Names of the options in one of the formats.
struct Names {
    ageing_time: &'static str,
    priority: &'static str,
    forward_delay: &'static str,
    hello_time: &'static str,
    max_age: &'static str,
    cost: &'static str,
    port_priority: &'static str,
    stp: &'static str,
    /// Those that change nothing.
    idle: &'static [&'static str],
}

const V1: Names = Names {
    ageing_time: "bridge_ageing",
    priority: "bridge_bridgeprio",
    forward_delay: "bridge_fd",
    hello_time: "bridge_hello",
    max_age: "bridge_maxage",
    cost: "bridge_pathcost",
    port_priority: "bridge_portprio",
    stp: "bridge_stp",
    idle: &["bridge_gcint", "bridge_maxwait", "bridge_ports", "bridge_waitport"],
};

const V2: Names = Names {
    ageing_time: "ageing-time",
    priority: "priority",
    forward_delay: "forward-delay",
    hello_time: "hello-time",
    max_age: "max-age",
    cost: "path-cost",
    port_priority: "port-priority",
    stp: "stp",
    idle: &[],
};

/// Version 1's; the spanning tree protocol is off unless asked for.
pub(super) fn read_v1(reader: &mut Reader, node: &Node, to: &mut Bridge) {
    read(reader, node, &V1, &["bridge_hw"], to);
}

/// Version 2's; the spanning tree protocol is on, as in netplan.
pub(super) fn read_v2(reader: &mut Reader, node: &Node, to: &mut Bridge) {
    read(reader, node, &V2, &[], to);
}

fn read(reader: &mut Reader, node: &Node, names: &Names, refused: &[&str], to: &mut Bridge) {
    let options = [
        names.ageing_time,
        names.priority,
        names.forward_delay,
        names.hello_time,
        names.max_age,
        names.cost,
        names.port_priority,
        names.stp,
    ];
    let known: Vec<&str> = options.iter().chain(names.idle).copied().collect();
    let name = "the parameters of a bridge";
    let Some(fields) = fields_of(reader, node, name, &known, refused) else { return };
    to.ageing_time_s = number(reader, fields, names.ageing_time, SECONDS);
    to.forward_delay_s = number(reader, fields, names.forward_delay, SECONDS);
    to.hello_time_s = number(reader, fields, names.hello_time, SECONDS);
    to.max_age_s = number(reader, fields, names.max_age, SECONDS);
    to.priority = number(reader, fields, names.priority, PRIORITIES);
    to.costs = of_ports(reader, fields, names.cost, COSTS);
    to.priorities = of_ports(reader, fields, names.port_priority, PORT_PRIORITIES);
    if let Some(node) = fields.get(names.stp) {
        to.stp = reader.boolean(node, names.stp).unwrap_or(to.stp);
    }
}

fn number(
    reader: &mut Reader,
    fields: Fields<'_>,
    name: &str,
    range: std::ops::RangeInclusive<i64>,
) -> Option<u32> {
    fields.get(name).and_then(|node| fields::number(reader, node, name, range))
}

/// Numbers by member: a mapping, or, in version 1, "eth0 50" or a list of such.
fn of_ports(
    reader: &mut Reader,
    fields: Fields<'_>,
    name: &str,
    range: std::ops::RangeInclusive<i64>,
) -> Vec<(Placed<String>, u32)> {
    let Some(node) = fields.get(name) else { return Vec::new() };
    let mut of_pair = |id: &Node, value: &Node| {
        let id = fields::id(reader, id, name)?;
        Some((id, fields::number(reader, value, name, range.clone())?))
    };
    if let Value::Map(pairs) = &node.value {
        return pairs.iter().filter_map(|(id, value)| of_pair(id, value)).collect();
    }
    let items = match &node.value {
        Value::Seq(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let mut all = Vec::new();
    for item in items {
        let text = item.text().unwrap_or_default();
        let (id, value) = text.trim().rsplit_once(' ').unwrap_or((&text, ""));
        let node = |text: &str| Node::new(item.place.clone(), Value::Str(text.trim().to_owned()));
        all.extend(of_pair(&node(id), &node(value)));
    }
    all
}
