//! Where the keys of a mapping are.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use hashbrown::HashTable;

use super::Value;

/// Finds keys in a mapping that is being made, without a copy of any: there may be very many,
/// and each of any length.
pub(in crate::firstboot) struct Index {
    /// A key's hash, and its position.
    entries: HashTable<(u64, usize)>,
    /// Another one each time: nobody can write keys of which all have the same hash.
    state: RandomState,
}

impl Index {
    /// For a mapping of so many keys.
    pub(in crate::firstboot) fn new(keys: usize) -> Self {
        Self { entries: HashTable::with_capacity(keys), state: RandomState::new() }
    }

    /// The position at which a key was [inserted](Self::insert); `is_at` tells whether a position
    /// has this key.
    pub(in crate::firstboot) fn find(
        &self,
        key: &Value,
        is_at: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let hash = self.hash(key);
        let found = self.entries.find(hash, |it| it.0 == hash && is_at(it.1));
        found.map(|(_, at)| *at)
    }

    /// A key that was not there is at this position now.
    pub(in crate::firstboot) fn insert(&mut self, key: &Value, at: usize) {
        let hash = self.hash(key);
        self.entries.insert_unique(hash, (hash, at), |it| it.0);
    }

    /// It is no longer.
    pub(in crate::firstboot) fn remove(&mut self, key: &Value, at: usize) {
        if let Ok(entry) = self.entries.find_entry(self.hash(key), |it| it.1 == at) {
            entry.remove();
        }
    }

    /// Of equal keys the same: the number 1 is not the text "1".
    fn hash(&self, key: &Value) -> u64 {
        let mut hasher = self.state.build_hasher();
        std::mem::discriminant(key).hash(&mut hasher);
        match key {
            Value::Bool(it) => it.hash(&mut hasher),
            Value::Int(it) => it.hash(&mut hasher),
            // 0.0 and -0.0 are equal, and the sum of both is 0.0.
            Value::Float(it) => (it + 0.0).to_bits().hash(&mut hasher),
            Value::Str(it) => it.hash(&mut hasher),
            Value::Bytes(it) => it.hash(&mut hasher),
            // Lists and mappings are no keys.
            Value::Null | Value::Seq(_) | Value::Map(_) => {}
        }
        hasher.finish()
    }
}
