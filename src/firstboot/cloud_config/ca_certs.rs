//! `ca_certs`.

use super::Context;
use super::reader::Reader;
use crate::firstboot::configuration::{CaCerts, Configuration};
use crate::firstboot::yaml::{Node, Value};

/// How a certificate in PEM begins.
const PEM: &str = "-----BEGIN CERTIFICATE-----";

pub(super) fn read(reader: &mut Reader, context: &Context<'_>, to: &mut Configuration) {
    for key in ["ca_certs", "ca-certs"] {
        if let Some(node) = context.get(key) {
            ca_certs(reader, node, &mut to.ca_certs);
        }
    }
}

fn ca_certs(reader: &mut Reader, node: &Node, to: &mut CaCerts) {
    let known = ["remove_defaults", "remove-defaults", "trusted"];
    let Some(fields) = reader.fields(node, "ca_certs", &known) else { return };
    let remove = fields.get("remove_defaults").or_else(|| fields.get("remove-defaults"));
    if let Some(node) = remove
        && reader.boolean(node, "remove_defaults") == Some(true)
    {
        to.remove_defaults = Some(node.place.clone());
    }
    let Some(node) = fields.get("trusted") else { return };
    let items = match &node.value {
        Value::Seq(items) => &items[..],
        _ => std::slice::from_ref(node),
    };
    for item in items {
        let Some(text) = reader.text(item, "trusted") else { continue };
        if text.value.contains(PEM) {
            to.trusted.push(text);
        } else {
            let what = format!("this is no certificate in PEM: it begins with {PEM}");
            reader.error(&text.place, what);
        }
    }
}
