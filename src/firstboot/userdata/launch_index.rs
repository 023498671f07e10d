//! For which of several machines, started together, a part is (cloud-init's
//! `filters/launch_index.py`).

use std::borrow::Cow;

use super::{Kind, Part};
use crate::firstboot::yaml;

/// What its header says, or the key of a cloud-config.
pub(super) fn asked(header: Option<&str>, part: &Part) -> Option<String> {
    const KEY: &str = "launch-index";
    if let Some(header) = header {
        return Some(header.to_owned());
    }
    let is_asked = part.kind == Kind::CloudConfig;
    let text = part.text().ok().filter(|text| is_asked && text.contains(KEY))?;
    // What is wrong with it is said by who reads it whole.
    let document = yaml::load(text, &part.source).ok()?;
    document.root.get(KEY)?.text().map(Cow::into_owned)
}
