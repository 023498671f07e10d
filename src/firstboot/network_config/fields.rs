//! Values that networks are made of, each checked. What passes here can stand in a line of a
//! keyfile or a unit file as it is: no white space, no quotes, none of their separators.

use std::net::IpAddr;
use std::str::FromStr;

use crate::firstboot::cloud_config::reader::{Fields, Reader};
use crate::firstboot::configuration::{
    Link, LinkKind, Mac, Placed, Prefix, address_of, is_pattern,
};
use crate::firstboot::problem::Place;
use crate::firstboot::yaml::{Node, Value};

/// The longest name of an interface, in bytes (`IFNAMSIZ` of the kernel, less its end).
const LONGEST_NAME: usize = 15;
/// The longest id, in bytes: it is a part of a file's name.
const LONGEST_ID: usize = 100;
/// The longest domain, in bytes (RFC 1035).
const LONGEST_DOMAIN: usize = 253;

/// A mapping of which some keys are known to others, and would make another network.
pub(super) fn fields<'a>(
    reader: &mut Reader,
    node: &'a Node,
    name: &str,
    known: &[&str],
    refused: &[&str],
) -> Option<Fields<'a>> {
    let all: Vec<&str> = known.iter().chain(refused).copied().collect();
    let fields = reader.fields(node, name, &all)?;
    let Value::Map(pairs) = &node.value else { return Some(fields) };
    for (key, value) in pairs {
        let refused = refused.iter().find(|it| key.as_str() == Some(it));
        if let Some(refused) = refused.filter(|_| !value.is_null()) {
            let what = format!(
                "{refused:?} of {name} is not supported, and without it the network would be \
                 another one: remove it, or write the files of the network by write_files"
            );
            reader.error(&key.place, what);
        }
    }
    Some(fields)
}

/// Text that reads as something; a number is what YAML 1.1 makes of digits and colons.
fn parsed<T: FromStr<Err = String>>(
    reader: &mut Reader,
    node: &Node,
    name: &str,
) -> Option<Placed<T>> {
    if let Value::Int(_) = node.value {
        let what = format!(
            "{name} must be text, and YAML takes this for a number (digits with colons between are \
             one in base 60): put it in quotes"
        );
        reader.error(&node.place, what);
        return None;
    }
    let text = reader.text(node, name)?;
    match text.value.trim().parse() {
        Ok(value) => Some(Placed { value, place: text.place }),
        Err(e) => {
            reader.error(&text.place, format!("{name}: {e}"));
            None
        }
    }
}

pub(super) fn mac(reader: &mut Reader, node: &Node, name: &str) -> Option<Placed<Mac>> {
    parsed(reader, node, name)
}

/// An address of an interface with its prefix.
pub(super) fn prefix(reader: &mut Reader, node: &Node, name: &str) -> Option<Placed<Prefix>> {
    parsed(reader, node, name)
}

pub(super) fn address(reader: &mut Reader, node: &Node, name: &str) -> Option<Placed<IpAddr>> {
    struct Address(IpAddr);
    impl FromStr for Address {
        type Err = String;
        fn from_str(text: &str) -> Result<Self, String> {
            address_of(text).map(Self)
        }
    }
    let it: Placed<Address> = parsed(reader, node, name)?;
    Some(Placed { value: it.value.0, place: it.place })
}

/// A list of values, or a single one.
pub(super) fn each<T>(
    reader: &mut Reader,
    node: &Node,
    name: &str,
    read: impl Fn(&mut Reader, &Node, &str) -> Option<T>,
) -> Vec<T> {
    match &node.value {
        Value::Seq(items) => {
            let items = items.iter().filter(|item| !item.is_null());
            items.filter_map(|item| read(reader, item, name)).collect()
        }
        _ => read(reader, node, name).into_iter().collect(),
    }
}

/// Whether text is one of these characters, letters and digits, and not too long.
fn is_made_of(text: &str, longest: usize, others: &str) -> bool {
    let is_fit = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    (1..=longest).contains(&text.len()) && text.chars().all(is_fit) && text != "." && text != ".."
}

/// Whether a name can be an interface's.
pub(super) fn is_interface(name: &str) -> bool {
    is_made_of(name, LONGEST_NAME, "-_.@+")
}

/// Text of these characters; `says` is what to write otherwise.
fn of_characters(
    reader: &mut Reader,
    node: &Node,
    name: &str,
    longest: usize,
    others: &str,
    says: &str,
) -> Option<Placed<String>> {
    let text = reader.text(node, name)?;
    if !is_made_of(&text.value, longest, others) {
        let shown: String = text.value.chars().take(longest + 1).collect();
        reader.error(&text.place, format!("{name} {shown:?} cannot be used: {says}"));
        return None;
    }
    Some(text)
}

/// The name of an interface.
pub(super) fn interface(reader: &mut Reader, node: &Node, name: &str) -> Option<Placed<String>> {
    let says = "an interface has 1 to 15 of the characters a-z, A-Z, 0-9, \"-\", \"_\", \".\", \
                \"@\" and \"+\"";
    of_characters(reader, node, name, LONGEST_NAME, "-_.@+", says)
}

/// What a link is called by others.
pub(super) fn id(reader: &mut Reader, node: &Node, name: &str) -> Option<Placed<String>> {
    let says = "it becomes a part of a file's name: write letters, digits, \"-\", \"_\", \".\"";
    of_characters(reader, node, name, LONGEST_ID, "-_.@+", says)
}

/// A name, or a pattern as of a shell.
pub(super) fn pattern(reader: &mut Reader, node: &Node, name: &str) -> Option<Placed<String>> {
    let says = "write a name such as \"eth0\", or a pattern such as \"en*\"";
    of_characters(reader, node, name, LONGEST_ID, "-_.@+*?[]", says)
}

/// A domain; one that begins with `~` only decides which name server is asked.
pub(super) fn domain(reader: &mut Reader, node: &Node, name: &str) -> Option<Placed<String>> {
    let says = "write a domain such as \"example.com\"";
    of_characters(reader, node, name, LONGEST_DOMAIN, "-_.~", says)
}

/// Domains, also several in one text.
pub(super) fn domains(reader: &mut Reader, node: &Node, name: &str) -> Vec<Placed<String>> {
    let several = node.as_str().filter(|text| text.contains([' ', ',']));
    let Some(text) = several else { return each(reader, node, name, domain) };
    let words = text.split([' ', ',']).filter(|word| !word.is_empty()).map(str::to_owned);
    let nodes: Vec<Node> = words.map(|it| Node::new(node.place.clone(), Value::Str(it))).collect();
    nodes.iter().filter_map(|it| domain(reader, it, name)).collect()
}

/// A number of 32 bits, without a sign.
pub(super) fn number(
    reader: &mut Reader,
    node: &Node,
    name: &str,
    range: std::ops::RangeInclusive<i64>,
) -> Option<u32> {
    reader.number(node, name, range).and_then(|it| u32::try_from(it).ok())
}

/// The largest packet: what the kernel takes for an Ethernet interface of either family.
pub(super) fn mtu(reader: &mut Reader, node: &Node) -> Option<Placed<u32>> {
    let value = number(reader, node, "mtu", 68..=65_535)?;
    Some(Placed { value, place: node.place.clone() })
}

/// The number of a VLAN (802.1Q; 0 is for priorities alone, and the kernel takes it).
pub(super) fn vlan_number(reader: &mut Reader, node: &Node, name: &str) -> Option<u16> {
    reader.number(node, name, 0..=4094).and_then(|it| u16::try_from(it).ok())
}

/// A link that is the interface of this name.
pub(super) fn named(id: Placed<String>) -> Link {
    let by =
        crate::firstboot::configuration::Match { name: Some(id.clone()), ..Default::default() };
    Link::new(id, LinkKind::Ethernet(by))
}

/// Makes sure that a name stands for one interface.
pub(super) fn single(reader: &mut Reader, name: Placed<String>) -> Option<Placed<String>> {
    if is_pattern(&name.value) || name.value.len() > LONGEST_NAME {
        let what = format!("{:?} is no interface's name: write match: {{name: …}}", name.value);
        reader.error(&name.place, what);
        return None;
    }
    Some(name)
}

/// That something must be there.
pub(super) fn required<'a>(
    reader: &mut Reader,
    fields: Fields<'a>,
    key: &str,
    of: &str,
    place: &Place,
) -> Option<&'a Node> {
    let node = fields.get(key);
    if node.is_none() {
        reader.error(place, format!("{of} has no {key:?}: it must be there"));
    }
    node
}
