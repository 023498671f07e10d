//! The files that `meta_data.json` names: where each goes, and where its content is.

use std::path::{Component, Path};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::firstboot::seed::json;
use crate::firstboot::seed::meta::Meta;
use crate::firstboot::seed::{Injected, Named, Tree, tree};

/// All files that it brings, together: they are kept in memory.
const MOST_INJECTED: usize = 64 << 20;

/// The paths, below `openstack/`, of the contents that a `meta_data.json` names.
///
/// # Errors
/// It is not what it should be, or one of them leads out.
pub fn content_paths(named: &Named) -> Result<Vec<String>> {
    let files = files_of(&Meta::json(named)?)?;
    Ok(files.into_iter().map(|(_, content)| content).collect())
}

/// Where each file goes, and where in the tree its content is.
fn files_of(meta: &Meta) -> Result<Vec<(String, String)>> {
    let items = match meta.get("files") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(items)) => items,
        Some(other) => {
            let what = format!("{} is here: a list of files belongs here", json::kind(other));
            return Err(meta.wrong("files", &what));
        }
    };
    let file = |(at, item): (usize, &Value)| {
        let text = |key: &str| item.get(key).and_then(Value::as_str);
        let key = format!("files[{at}]");
        let (Some(path), Some(content)) = (text("path"), text("content_path")) else {
            return Err(meta.wrong(&key, "each file has a `path` and a `content_path`, both text"));
        };
        let to = Path::new(path);
        let goes_on = |part| matches!(part, Component::RootDir | Component::Normal(_));
        if !to.is_absolute() || !to.components().all(goes_on) || path.chars().any(char::is_control)
        {
            let what = format!("path {path:?}: an absolute path without `..` belongs here");
            return Err(meta.wrong(&key, &what));
        }
        let content = content.trim_start_matches('/');
        tree::confined(content).map_err(|e| meta.wrong(&key, &format!("content_path: {e}")))?;
        Ok((path.to_owned(), format!("openstack/{content}")))
    };
    items.iter().enumerate().map(file).collect()
}

pub(super) fn injected(tree: &Tree, meta: &Meta) -> Result<Vec<Injected>> {
    let mut left = MOST_INJECTED;
    let mut all = Vec::new();
    for (path, content) in files_of(meta)? {
        let named = tree.read(&content)?;
        let named = named.with_context(|| {
            format!("{} is not there: it is to become {path}", tree.name_of(&content))
        })?;
        left = left.checked_sub(named.bytes.len()).with_context(|| {
            format!("{path}: all files together are larger than {} MiB", MOST_INJECTED >> 20)
        })?;
        all.push(Injected { path, bytes: named.bytes });
    }
    Ok(all)
}
