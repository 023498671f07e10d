//! `random_seed`.

use base64::Engine;

use super::Context;
use super::reader::Reader;
use crate::firstboot::configuration::Configuration;
use crate::firstboot::yaml::{Node, Value};

pub(super) fn read(reader: &mut Reader, context: &Context<'_>, to: &mut Configuration) {
    let Some(node) = context.get("random_seed") else { return };
    let known = ["file", "data", "encoding", "command", "command_required"];
    let Some(fields) = reader.fields(node, "random_seed", &known) else { return };
    for key in ["file", "command", "command_required"] {
        if let Some(node) = fields.get(key) {
            reader.warn(&node.place, format!("{key} is ignored: the kernel gets the data itself"));
        }
    }
    let Some(data) = fields.get("data") else { return };
    let bytes = match &data.value {
        Value::Bytes(bytes) => bytes.clone(),
        _ => reader.text(data, "data").map(|it| it.value.into_bytes()).unwrap_or_default(),
    };
    let encoding = fields.get("encoding").and_then(Node::as_str).unwrap_or("raw");
    match decoded(bytes, encoding) {
        Ok(bytes) => to.random_seed.extend(bytes),
        Err(what) => reader.error(&data.place, format!("data of random_seed: {what}")),
    }
}

fn decoded(bytes: Vec<u8>, encoding: &str) -> Result<Vec<u8>, String> {
    match encoding {
        "raw" => Ok(bytes),
        "b64" | "base64" => base64::engine::general_purpose::STANDARD
            .decode(bytes.trim_ascii())
            .map_err(|e| e.to_string()),
        other => Err(format!("encoding {other:?} is none of raw and base64")),
    }
}
