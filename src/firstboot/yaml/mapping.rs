//! What the pairs of a mapping come to: merge keys and duplicates as `PyYAML` has them.

use super::index::Index;
use super::{Node, Value};
use crate::firstboot::problem::{Place, Problem, Problems};

/// So many keys are quicker compared one by one.
const FEW: usize = 8;

/// What is merged comes first and is overridden; of equal keys the last wins, in the place
/// of the first.
pub(super) fn mapping(
    pairs: Vec<(Node, Node)>,
    merged: Vec<(Node, Node)>,
    doubts: &mut Problems,
) -> Vec<(Node, Node)> {
    // Most mappings are as they are written.
    if merged.is_empty() && pairs.len() <= FEW && are_distinct(&pairs) {
        return pairs;
    }
    let own = merged.len();
    let mut index = Index::new(own + pairs.len());
    let mut all: Vec<(Node, Node)> = Vec::with_capacity(own + pairs.len());
    // Of each: whether it is the mapping's own, or merged.
    let mut are_own = Vec::with_capacity(own + pairs.len());
    for (number, (key, value)) in merged.into_iter().chain(pairs).enumerate() {
        let is_own = number >= own;
        let Some(at) = index.find(&key.value, |at| all[at].0.value == key.value) else {
            index.insert(&key.value, all.len());
            all.push((key, value));
            are_own.push(is_own);
            continue;
        };
        if are_own[at] && is_own {
            let (before, _) = &all[at];
            doubts.push(duplicate(before, &key));
        }
        are_own[at] = is_own;
        all[at] = (key, value);
    }
    all
}

/// Whether no key is there twice; of few.
fn are_distinct(pairs: &[(Node, Node)]) -> bool {
    let mut keys = pairs.iter().map(|(key, _)| &key.value).enumerate();
    keys.all(|(at, key)| pairs[..at].iter().all(|(before, _)| before.value != *key))
}

fn duplicate(before: &Node, again: &Node) -> Problem {
    let name = again.text().unwrap_or_default();
    let what = format!(
        "{name:?} is here a second time: the last one counts, and line {} is ignored",
        before.place.line
    );
    Problem::warning(&again.place, what)
}

/// The pairs that `<<` brings; of a list, the first that has a key wins.
pub(super) fn merge(node: Node, place: &Place) -> Result<Vec<(Node, Node)>, Problem> {
    match node.value {
        Value::Map(pairs) => Ok(pairs),
        Value::Seq(items) => {
            let mut all = Vec::new();
            for item in items.into_iter().rev() {
                let Value::Map(pairs) = item.value else {
                    return Err(Problem::error(
                        &item.place,
                        "<< merges mappings, and this is none",
                    ));
                };
                all.extend(pairs);
            }
            Ok(all)
        }
        _ => Err(Problem::error(place, "<< merges a mapping or a list of mappings: *name")),
    }
}
