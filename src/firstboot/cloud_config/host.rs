//! The host's names, time and language.

use super::Context;
use super::reader::Reader;
use crate::firstboot::configuration::{Configuration, EtcHosts, Keyboard, Ntp, Placed};
use crate::firstboot::yaml::{Node, Value};

pub(super) fn read(reader: &mut Reader, context: &Context<'_>, to: &mut Configuration) {
    names(reader, context, to);
    if let Some(node) = context.get("manage_etc_hosts") {
        to.host.etc_hosts = hosts(reader, node);
        if to.host.etc_hosts != EtcHosts::Kept && to.host.hostname.is_none() {
            let what = "manage_etc_hosts leaves /etc/hosts as it is where neither this nor the \
                        platform gives the host a name that is written: write hostname: …";
            reader.warn(&node.place, what);
        }
    }
    to.host.timezone = context.get("timezone").and_then(|it| timezone(reader, it));
    to.host.locale = context.get("locale").and_then(|it| locale(reader, it));
    to.host.keyboard = context.get("keyboard").and_then(|it| keyboard(reader, it));
    to.host.ntp = context.top.get_or_null("ntp").and_then(|it| ntp(reader, it));
}

/// `fqdn` before a `hostname` with dots, before what the platform says.
fn names(reader: &mut Reader, context: &Context<'_>, to: &mut Configuration) {
    let flag = |reader: &mut Reader, key: &str| {
        context.get(key).and_then(|it| reader.boolean(it, key)).unwrap_or(false)
    };
    let keeps = flag(reader, "preserve_hostname");
    let prefers_long = flag(reader, "prefer_fqdn_over_hostname");
    let mut name = |key| context.get(key).and_then(|it| host_name(reader, it, key));
    let (hostname, fqdn) = (name("hostname"), name("fqdn"));
    let platforms = context.seed.local_hostname.as_deref().map(|it| context.of_platform(it));
    let long = fqdn.or_else(|| hostname.clone().filter(|it| it.value.contains('.')));
    let long = long.or_else(|| {
        let platforms = platforms.clone().filter(|it| it.value.contains('.'));
        platforms.filter(|_| hostname.is_none())
    });
    let short = |it: &Placed<String>| Placed {
        value: it.value.split('.').next().unwrap_or_default().to_owned(),
        place: it.place.clone(),
    };
    let plain = hostname.as_ref().map(&short);
    let plain =
        plain.or_else(|| long.as_ref().map(&short)).or_else(|| platforms.as_ref().map(&short));
    let writes =
        flag(reader, "create_hostname_file") || context.get("create_hostname_file").is_none();
    if !keeps && writes {
        to.host.hostname = long.clone().filter(|_| prefers_long).or(plain);
    }
    to.host.fqdn = long;
}

/// hostname(7), RFC 1123: letters, digits, hyphens, and dots between.
fn host_name(reader: &mut Reader, node: &Node, key: &str) -> Option<Placed<String>> {
    let name = reader.line(node, key)?;
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_name =
        name.value.len() <= 253 && name.value.trim_end_matches('.').split('.').all(is_label);
    if !is_name {
        let what = format!("{key} {:?} is no host name: letters, digits and hyphens", name.value);
        reader.error(&name.place, what);
        return None;
    }
    Some(name)
}

fn hosts(reader: &mut Reader, node: &Node) -> EtcHosts {
    match node.as_str() {
        Some("localhost") => EtcHosts::OwnLine,
        Some("template") => EtcHosts::Template,
        _ => match reader.boolean(node, "manage_etc_hosts (true, false or localhost)") {
            Some(true) => EtcHosts::Template,
            _ => EtcHosts::Kept,
        },
    }
}

fn timezone(reader: &mut Reader, node: &Node) -> Option<Placed<String>> {
    let name = reader.line(node, "timezone")?;
    let is_name = !name.value.starts_with('/')
        && name.value.split('/').all(|part| !part.is_empty() && part != "..")
        && name.value.chars().all(|c| c.is_ascii_alphanumeric() || "/_+-".contains(c));
    if !is_name {
        let what = format!("timezone {:?} is no name as Europe/Berlin", name.value);
        reader.error(&name.place, what);
        return None;
    }
    Some(name)
}

fn locale(reader: &mut Reader, node: &Node) -> Option<Placed<String>> {
    if node.value == Value::Bool(false) {
        return None;
    }
    let name = reader.line(node, "locale")?;
    if !name.value.chars().all(|c| c.is_ascii_alphanumeric() || "_.-@".contains(c)) {
        let what = format!("locale {:?} is no name as en_US.UTF-8", name.value);
        reader.error(&name.place, what);
        return None;
    }
    Some(name)
}

fn keyboard(reader: &mut Reader, node: &Node) -> Option<Keyboard> {
    let fields = reader.fields(node, "keyboard", &["layout", "model", "variant", "options"])?;
    let Some(layout) = fields.get("layout") else {
        reader.error(&node.place, "keyboard has no layout: layout: de");
        return None;
    };
    let mut word = |node: &Node, name: &str| {
        let word = reader.line(node, name)?;
        if word.value.chars().all(|c| c.is_ascii_alphanumeric() || "_:,-().+".contains(c)) {
            return Some(word);
        }
        let what = format!("{name} {:?} has other characters than a keyboard's name", word.value);
        reader.error(&word.place, what);
        None
    };
    let layout = word(layout, "layout")?;
    let mut other = |key| fields.get(key).and_then(|it| word(it, key)).map(|it| it.value);
    Some(Keyboard {
        layout,
        model: other("model"),
        variant: other("variant"),
        options: other("options"),
    })
}

/// `ntp:` with nothing behind it asks for it with what the system has, as in cloud-init.
fn ntp(reader: &mut Reader, node: &Node) -> Option<Ntp> {
    if node.is_null() {
        let place = node.place.clone();
        return Some(Ntp { place, client: None, pools: Vec::new(), servers: Vec::new() });
    }
    let known = ["enabled", "ntp_client", "pools", "servers", "peers", "allow", "config"];
    let fields = reader.fields(node, "ntp", &known)?;
    let enabled = fields.get("enabled").and_then(|it| reader.boolean(it, "enabled of ntp"));
    if enabled == Some(false) {
        return None;
    }
    for (key, why) in [
        ("config", "write the file with write_files"),
        ("peers", "write them with write_files"),
        ("allow", "write it with write_files"),
    ] {
        if let Some(node) = fields.get(key) {
            reader.error(&node.place, format!("{key} of ntp is not supported: {why}"));
        }
    }
    let client = fields.get("ntp_client").and_then(|it| reader.line(it, "ntp_client"));
    let client = client.filter(|it| it.value != "auto");
    if let Some(client) = &client
        && !["chrony", "systemd-timesyncd"].contains(&client.value.as_str())
    {
        let what = format!("ntp_client {:?} is none of chrony and systemd-timesyncd", client.value);
        reader.error(&client.place, what);
    }
    let mut servers = |key| fields.get(key).map_or_else(Vec::new, |it| servers(reader, it, key));
    Some(Ntp {
        place: node.place.clone(),
        client,
        pools: servers("pools"),
        servers: servers("servers"),
    })
}

fn servers(reader: &mut Reader, node: &Node, key: &str) -> Vec<Placed<String>> {
    let mut servers = reader.lines(node, key);
    servers.retain(|server| {
        let is_name = server.value.chars().all(|c| c.is_ascii_alphanumeric() || ".-:".contains(c));
        if !is_name {
            let what = format!("{key}: {:?} is no name or address", server.value);
            reader.error(&server.place, what);
        }
        is_name
    });
    servers
}
