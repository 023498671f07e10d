//! Options of bonds, in any of their spellings: `mii-monitor-interval`, `bond-miimon`,
//! `bond_miimon`, `miimon`.

use super::fields;
use crate::firstboot::cloud_config::reader::Reader;
use crate::firstboot::configuration::{
    BOND_OPTIONS, Bond, BondOption, BondSetting, BondType, Placed,
};
use crate::firstboot::yaml::{Node, Value};

/// Reads a mapping of options.
pub(super) fn read(reader: &mut Reader, node: &Node, to: &mut Bond) {
    let Value::Map(pairs) = &node.value else {
        let what = format!("the parameters of a bond are a mapping, and this is {}", node.kind());
        return reader.error(&node.place, what);
    };
    for (key, value) in pairs {
        if !value.is_null() {
            option(reader, key, value, to);
        }
    }
    complete(reader, to);
}

/// Reads those keys of a link that begin with `bond_`.
pub(super) fn read_prefixed(reader: &mut Reader, node: &Node, to: &mut Bond) {
    let Value::Map(pairs) = &node.value else { return };
    for (key, value) in pairs {
        let is_option = key.as_str().is_some_and(|it| it.starts_with("bond_"));
        if is_option && key.as_str() != Some("bond_links") && !value.is_null() {
            option(reader, key, value, to);
        }
    }
    complete(reader, to);
}

/// In the order of the table, each once. Of two spellings of one option the last counts.
fn complete(reader: &mut Reader, to: &mut Bond) {
    let mut settings = Vec::new();
    for option in &BOND_OPTIONS {
        settings.extend(to.settings.iter().rev().find(|it| it.option == option).cloned());
    }
    if settings.len() < to.settings.len()
        && let Some(member) = to.members.first()
    {
        reader.warn(&member.place, "an option of this bond is there twice: the last counts");
    }
    to.settings = settings;
}

fn option(reader: &mut Reader, key: &Node, value: &Node, to: &mut Bond) {
    let written = key.text().unwrap_or_default();
    let plain = written.replace('_', "-");
    let name = plain.strip_prefix("bond-").unwrap_or(&plain);
    if name == "primary" {
        to.primary = fields::id(reader, value, "primary");
        return;
    }
    if matches!(name, "slaves" | "use-carrier" | "master") {
        reader.warn(&key.place, format!("{written:?} changes nothing here, and is ignored"));
        return;
    }
    let is_it = |it: &&BondOption| it.netplan == name || it.kernel.replace('_', "-") == name;
    let Some(option) = BOND_OPTIONS.iter().find(is_it) else {
        let what = format!(
            "a bond has no option {written:?}: write one of the kernel's, such as bond-mode, or of \
             netplan's, such as mode"
        );
        return reader.error(&key.place, what);
    };
    if let Some(value) = checked(reader, option, value) {
        to.settings.push(BondSetting { option, value });
    }
}

/// The value as the kernel takes it.
fn checked(reader: &mut Reader, option: &BondOption, node: &Node) -> Option<String> {
    let name = format!("the bond's {}", option.netplan);
    Some(match option.takes {
        BondType::Word(words) => word(reader, node, &name, words)?.to_owned(),
        BondType::Number(most) => {
            fields::number(reader, node, &name, 0..=i64::from(most))?.to_string()
        }
        BondType::Seconds => duration(reader, node, &name, 1)?.to_string(),
        BondType::Milliseconds => duration(reader, node, &name, 1000)?.to_string(),
        BondType::Switch => u8::from(reader.boolean(node, &name)?).to_string(),
        BondType::Addresses => addresses(reader, node, &name)?,
    })
}

fn word(
    reader: &mut Reader,
    node: &Node,
    name: &str,
    words: &'static [&'static str],
) -> Option<&'static str> {
    let text = reader.text(node, name)?.value;
    let by_number = text.parse().ok().and_then(|number: usize| words.get(number));
    let word = words.iter().find(|word| **word == text).or(by_number).copied();
    if word.is_none() {
        let what = format!("{name} {text:?} does not exist: write one of {}", words.join(", "));
        reader.error(&node.place, what);
    }
    word
}

/// A number of the smallest unit that counts, of which there are `per_second`; text may have a
/// unit.
fn duration(reader: &mut Reader, node: &Node, name: &str, per_second: u32) -> Option<u32> {
    let text = node.as_str().unwrap_or_default().trim();
    let number = |text: &str| text.trim().parse::<u32>().ok().filter(|it| *it < u32::MAX >> 11);
    let with_unit = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(it), _) if per_second == 1000 => number(it),
        (None, Some(it)) => number(it).map(|it| it * per_second),
        _ => None,
    };
    with_unit.or_else(|| fields::number(reader, node, name, 0..=i64::from(u32::MAX >> 1)))
}

fn addresses(reader: &mut Reader, node: &Node, name: &str) -> Option<String> {
    let text = node.as_str().filter(|text| text.contains(','));
    let all: Vec<Placed<_>> = match text {
        Some(text) => text
            .split(',')
            .map(|it| Node::new(node.place.clone(), Value::Str(it.to_owned())))
            .filter_map(|it| fields::address(reader, &it, name))
            .collect(),
        None => fields::each(reader, node, name, fields::address),
    };
    if let Some(other) = all.iter().find(|it| !it.value.is_ipv4()) {
        reader.error(&other.place, format!("{name} must be IPv4 addresses"));
        return None;
    }
    let all: Vec<String> = all.iter().map(|it| it.value.to_string()).collect();
    Some(all.join(",")).filter(|it| !it.is_empty())
}
