//! Where the keys of a mapping are.

use std::collections::HashMap;

use super::{Node, Value};

/// So many keys are quicker compared one by one.
pub(super) const FEW: usize = 8;

/// Finds keys in a mapping that is being made; of few keys the mapping itself is asked.
pub(in crate::firstboot) struct Index(Option<HashMap<Name, usize>>);

/// What makes keys equal: the number 1 is not the text "1".
type Name = (&'static str, String);

impl Index {
    /// For a mapping in which this many keys are looked for.
    pub(in crate::firstboot) fn new(keys: usize) -> Self {
        Self((keys > FEW).then(|| HashMap::with_capacity(keys)))
    }

    /// Where a key is: as it was [inserted](Self::insert), or as `compared` one by one.
    pub(in crate::firstboot) fn find(
        &self,
        key: &Node,
        compared: impl FnOnce() -> Option<usize>,
    ) -> Option<usize> {
        match &self.0 {
            Some(index) => index.get(&name(key)).copied(),
            None => compared(),
        }
    }

    /// A key is there now.
    pub(in crate::firstboot) fn insert(&mut self, key: &Node, at: usize) {
        if let Some(index) = &mut self.0 {
            index.insert(name(key), at);
        }
    }

    /// It is no longer.
    pub(in crate::firstboot) fn remove(&mut self, key: &Node) {
        if let Some(index) = &mut self.0 {
            index.remove(&name(key));
        }
    }
}

fn name(key: &Node) -> Name {
    let text = match &key.value {
        Value::Bytes(bytes) => format!("{bytes:?}"),
        _ => key.text().unwrap_or_default().into_owned(),
    };
    (key.kind(), text)
}
