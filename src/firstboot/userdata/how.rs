//! How a part is merged: `merge_how`, `merge_type` and their header, as cloud-init's
//! `mergers/__init__.py` reads them.

use super::merge::{Deeper, Dict, List, Mergers, Method};
use crate::firstboot::problem::{Place, Problem, Problems};
use crate::firstboot::yaml::{Node, Value};

/// Keys of a cloud-config that say it; the first that is there counts.
pub(super) const KEYS: [&str; 2] = ["merge_how", "merge_type"];

/// `append` of `list(append)`, and where it stands.
type Word = (String, Place);

/// A merger and its options, not yet understood.
struct Raw {
    name: Word,
    options: Vec<Word>,
}

/// How a part wants to be merged: what its own keys say, then what its header says. `None` if
/// neither does.
///
/// # Errors
/// It cannot be understood; cloud-init leaves the part out then.
pub(super) fn of(
    root: &Node,
    header: Option<&str>,
    part: &Place,
    doubts: &mut Problems,
) -> Result<Option<Mergers>, Problem> {
    let mut raw = Vec::new();
    if let Some(node) = KEYS.iter().find_map(|key| root.get(key).filter(|it| !is_null(it))) {
        raw.extend(of_node(node)?);
    }
    if let Some(header) = header {
        raw.extend(of_text(header, part)?);
    }
    if raw.is_empty() {
        return Ok(None);
    }
    let at = raw[0].name.1.clone();
    let mut mergers = Mergers { dict: None, list: None, append_text: None };
    for one in raw {
        add(&mut mergers, &one, doubts)?;
    }
    if mergers.dict.is_none() {
        let what = "no dict(…) is named, without which nothing of this part is taken: write \
                    \"list(append)+dict(no_replace,recurse_list)+str()\", for example";
        return Err(Problem::error(&at, what));
    }
    Ok(Some(mergers))
}

fn is_null(node: &Node) -> bool {
    node.value == Value::Null
}

/// `list(append)+dict(recurse_array,no_replace)+str(append)`
fn of_text(text: &str, place: &Place) -> Result<Vec<Raw>, Problem> {
    let word = |it: &str| (it.trim().to_lowercase(), place.clone());
    let mut all = Vec::new();
    for piece in text.split('+').map(str::trim).filter(|piece| !piece.is_empty()) {
        let inner = piece.strip_suffix(')').and_then(|it| it.split_once('('));
        let Some((name, options)) = inner.filter(|(name, _)| is_name(name)) else {
            let what =
                format!("{piece:?} is no way of merging: write \"list(append)\", for example");
            return Err(Problem::error(place, what));
        };
        let options = options.split(',').filter(|it| !it.trim().is_empty()).map(word).collect();
        all.push(Raw { name: word(name), options });
    }
    Ok(all)
}

fn is_name(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(is_part)
}

/// Text, `[{name: list, settings: [append]}]`, or `[[list, append]]`.
fn of_node(node: &Node) -> Result<Vec<Raw>, Problem> {
    match &node.value {
        Value::Str(text) => of_text(text, &node.place),
        Value::Seq(items) => items.iter().map(of_item).collect(),
        _ => Err(wrong(node)),
    }
}

fn of_item(item: &Node) -> Result<Raw, Problem> {
    let word = |it: &Node| {
        let text = it.as_str().ok_or_else(|| wrong(it))?;
        Ok((text.trim().to_lowercase(), it.place.clone()))
    };
    let words = |items: &[Node]| items.iter().map(word).collect::<Result<Vec<_>, Problem>>();
    match &item.value {
        Value::Map(_) => {
            let name = item.get("name").ok_or_else(|| wrong(item))?;
            let options = match item.get("settings").map(|it| (&it.value, it)) {
                Some((Value::Seq(items), _)) => words(items)?,
                Some((Value::Str(_), it)) => vec![word(it)?],
                _ => return Err(wrong(item)),
            };
            Ok(Raw { name: word(name)?, options })
        }
        Value::Seq(items) if !items.is_empty() => {
            Ok(Raw { name: word(&items[0])?, options: words(&items[1..])? })
        }
        _ => Err(wrong(item)),
    }
}

fn wrong(node: &Node) -> Problem {
    let what = format!(
        "{} does not say how to merge: write \"list(append)+dict(no_replace,recurse_list)\", or a \
         list of {{name: list, settings: [append]}}",
        node.kind()
    );
    Problem::error(&node.place, what)
}

/// Options that each merger takes.
const COMMON: [&str; 6] =
    ["recurse_list", "recurse_array", "recurse_str", "recurse_dict", "replace", "no_replace"];

/// Of two mergers for one type, the first counts; of methods, the first in cloud-init's order.
fn add(mergers: &mut Mergers, raw: &Raw, doubts: &mut Problems) -> Result<(), Problem> {
    let (name, place) = &raw.name;
    let name = name.replace('-', "_");
    let has = |word: &str| raw.options.iter().any(|(it, _)| it == word);
    let method = |known: &[(&str, Method)]| {
        known.iter().find(|(word, _)| has(word)).map(|(_, method)| *method)
    };
    let deeper = Deeper {
        mappings: has("recurse_dict"),
        lists: has("recurse_list") || has("recurse_array"),
        text: has("recurse_str"),
    };
    let more: &[&str] = match name.strip_prefix("m_").unwrap_or(&name) {
        "dict" => {
            let known = [("replace", Method::Replace), ("no_replace", Method::Keep)];
            mergers.dict.get_or_insert(Dict {
                replaces: method(&known) == Some(Method::Replace),
                deletes: has("allow_delete"),
                deeper: Deeper { mappings: true, ..deeper },
            });
            &["allow_delete"]
        }
        "list" => {
            let known = [
                ("append", Method::Append),
                ("prepend", Method::Prepend),
                ("replace", Method::Replace),
                ("no_replace", Method::Keep),
            ];
            mergers
                .list
                .get_or_insert(List { method: method(&known).unwrap_or(Method::Replace), deeper });
            &["append", "prepend"]
        }
        "str" => {
            mergers.append_text.get_or_insert(has("append"));
            &["append"]
        }
        _ => {
            let what = format!("there is no merger {name:?}: there are list, dict and str");
            return Err(Problem::error(place, what));
        }
    };
    for (word, place) in &raw.options {
        if !COMMON.contains(&&**word) && !more.contains(&&**word) {
            let known = [&COMMON[..], more].concat().join(", ");
            let what = format!("{name}() knows no {word:?}, and ignores it; it knows {known}");
            doubts.push(Problem::warning(place, what));
        }
    }
    Ok(())
}
