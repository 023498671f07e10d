//! Vendor-data, in each of its shapes.

use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use serde_json::Value;

use crate::firstboot::seed::{Named, json};

/// What a file of vendor-data holds: text, a list of texts, or a mapping for several programs,
/// of which `cloud-init` has either of these.
///
/// # Errors
/// It holds something else.
pub fn vendor_data(named: &Named) -> Result<Vec<Named>> {
    if named.bytes.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    let mut value = json::read(named)?;
    if let Value::Object(map) = &mut value {
        value = map.remove("cloud-init").unwrap_or(Value::Null);
        ensure!(
            !value.is_object(),
            "{}: cloud-init: a mapping is here: text, or a list of texts, belongs here",
            named.source
        );
    }
    let text = |source: Arc<str>, value: Value| match value {
        Value::String(text) => Ok(Named { source, bytes: text.into_bytes() }),
        other => bail!("{source}: {} is here: user-data as text belongs here", json::kind(&other)),
    };
    let all: Result<Vec<_>> = match value {
        Value::Null => return Ok(Vec::new()),
        Value::Array(items) => {
            let of = |(at, item)| text(format!("{}[{at}]", named.source).into(), item);
            items.into_iter().enumerate().map(of).collect()
        }
        other => text(named.source.clone(), other).map(|it| vec![it]),
    };
    Ok(all?.into_iter().filter(|it| !it.bytes.is_empty()).collect())
}
