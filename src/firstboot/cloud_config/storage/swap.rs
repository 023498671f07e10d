//! `swap`: a file.

use crate::firstboot::cloud_config::reader::Reader;
use crate::firstboot::configuration::{SwapFile, SwapSize};
use crate::firstboot::yaml::{Node, Value};

/// mkswap(8) wants ten pages, and rounding to whole MiB leaves nothing of less.
const LEAST: u64 = 1 << 20;
/// No disk is larger: 1 PiB.
const MOST: u64 = 1 << 50;

/// `None` where there is to be none.
pub(super) fn read(reader: &mut Reader, node: &Node) -> Option<SwapFile> {
    let fields = reader.fields(node, "swap", &["filename", "size", "maxsize"])?;
    let size = match fields.get("size") {
        None => None,
        Some(node) if node.as_str() == Some("auto") => Some(SwapSize::Auto),
        Some(node) => match bytes(reader, node, "size")? {
            0 => None,
            bytes => Some(SwapSize::Bytes(bytes)),
        },
    };
    let most = match fields.get("maxsize") {
        None => None,
        Some(node) => Some(bytes(reader, node, "maxsize")?).filter(|it| *it > 0),
    };
    let file = match fields.get("filename") {
        None => None,
        Some(node) => {
            let file = reader.line(node, "filename")?;
            let is_path = file.value.starts_with('/')
                && !file.value.ends_with('/')
                && !file.value.split('/').any(|part| part == ".." || part == ".")
                && !file.value.chars().any(char::is_control);
            if !is_path || file.value.starts_with("/dev/") {
                let what = format!(
                    "filename {:?} must be an absolute path of a file: /var/swap.img",
                    file.value
                );
                reader.error(&file.place, what);
                return None;
            }
            Some(file)
        }
    };
    let Some(size) = size else {
        if fields.get("size").is_none() {
            reader.warn(&node.place, "swap has no size, so there is none: write size: auto");
        }
        return None;
    };
    Some(SwapFile { place: node.place.clone(), file, size, most })
}

/// A number of bytes, or one with a unit of powers of 1024; 0 is none at all.
fn bytes(reader: &mut Reader, node: &Node, name: &str) -> Option<u64> {
    let bytes = match &node.value {
        Value::Int(number) => u64::try_from(*number).ok(),
        Value::Str(text) => with_unit(text),
        _ => None,
    };
    let bytes = bytes.filter(|it| *it == 0 || (LEAST..=MOST).contains(it));
    if bytes.is_none() {
        let what = format!(
            "{name} must be bytes, or a number with K, M, G or T, from 1M to 1024T: write 2G"
        );
        reader.error(&node.place, what);
    }
    bytes
}

fn with_unit(text: &str) -> Option<u64> {
    let text = text.trim();
    let text = text.strip_suffix('B').unwrap_or(text);
    let (number, unit) = match text.chars().last()?.to_ascii_uppercase() {
        'K' => (&text[..text.len() - 1], 1u64 << 10),
        'M' => (&text[..text.len() - 1], 1 << 20),
        'G' => (&text[..text.len() - 1], 1 << 30),
        'T' => (&text[..text.len() - 1], 1 << 40),
        _ => (text, 1),
    };
    let number = number.trim();
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(unit);
    }
    let number: f64 = number.parse().ok()?;
    #[allow(clippy::cast_precision_loss, reason = "a power of two")]
    let bytes = number * unit as f64;
    #[allow(clippy::cast_precision_loss, reason = "a power of two")]
    let is_in_range = (0.0..=MOST as f64).contains(&bytes);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range")]
    is_in_range.then_some(bytes as u64)
}
