//! A mapping, once its keys are known.

use crate::firstboot::yaml::{Node, Value};

/// The values of a mapping whose keys are known.
#[derive(Clone, Copy, Debug)]
pub(in crate::firstboot) struct Fields<'a>(&'a Node);

impl<'a> Fields<'a> {
    /// Of a mapping whose keys were looked at already.
    pub(in crate::firstboot) fn of(node: &'a Node) -> Self {
        Self(node)
    }

    /// What is at a key; nothing, if `null` is.
    pub(in crate::firstboot) fn get(self, key: &str) -> Option<&'a Node> {
        self.0.get(key).filter(|node| !node.is_null())
    }

    /// The same in both spellings, the own one first: cloud-init takes `-` for `_` in a user's keys.
    pub(super) fn get_either_spelling(self, key: &str) -> Option<&'a Node> {
        let with_hyphens = key.bytes().map(|it| if it == b'_' { b'-' } else { it });
        let is_it = |it: &str| it.bytes().eq(with_hyphens.clone());
        let Value::Map(pairs) = &self.0.value else { return None };
        let other = || pairs.iter().find(|(it, _)| it.as_str().is_some_and(is_it));
        self.get(key).or_else(|| other().map(|(_, value)| value).filter(|it| !it.is_null()))
    }

    /// Whether `null` is at a key: what takes away what is there by default.
    pub(super) fn is_null(self, key: &str) -> bool {
        self.0.get(key).is_some_and(Node::is_null)
    }
}
