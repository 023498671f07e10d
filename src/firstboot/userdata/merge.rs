//! Merging two values: cloud-init's `mergers/m_dict.py`, `m_list.py` and `m_str.py`.

use crate::firstboot::problem::{Problem, Problems};
use crate::firstboot::yaml::{Index, Node, Value};

/// What becomes of two values in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// The new one, item by item in a list.
    Replace,
    /// The old one.
    Keep,
    /// Both, the new one last.
    Append,
    /// Both, the new one first.
    Prepend,
}

/// How values are merged, by the type of the old one. A type without a merger keeps the old.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mergers {
    pub(super) dict: Option<Dict>,
    pub(super) list: Option<List>,
    /// Whether text is appended to text; else it is replaced.
    pub(super) append_text: Option<bool>,
}

/// How mappings are merged. Mappings in them are, unless it replaces.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dict {
    /// A key that is in both gets the new value, whole.
    pub(super) replaces: bool,
    /// `null` removes a key.
    pub(super) deletes: bool,
    /// What else is merged, if it does not replace.
    pub(super) deeper: Deeper,
}

/// How lists are merged.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    pub(super) method: Method,
    /// What is merged with what has the same index, if it replaces.
    pub(super) deeper: Deeper,
}

/// Which new values are merged with old ones, rather than one of the two being dropped.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deeper {
    pub(super) mappings: bool,
    pub(super) lists: bool,
    pub(super) text: bool,
}

impl Deeper {
    fn has(self, new: &Node) -> bool {
        match new.value {
            Value::Map(_) => self.mappings,
            Value::Seq(_) => self.lists,
            Value::Str(_) => self.text,
            _ => false,
        }
    }
}

impl Mergers {
    /// Of parts that say nothing: top-level keys of a later one replace those of an earlier one.
    pub(super) const PARTS: Self = Self::new(true);
    /// Of layers: what the stronger one has stays, mappings are filled up.
    pub(super) const LAYERS: Self = Self::new(false);

    const fn new(replaces: bool) -> Self {
        let mappings = Deeper { mappings: true, lists: false, text: false };
        let nothing = Deeper { mappings: false, ..mappings };
        Self {
            dict: Some(Dict { replaces, deletes: false, deeper: mappings }),
            list: Some(List { method: Method::Replace, deeper: nothing }),
            append_text: Some(false),
        }
    }

    /// The two in one. Where they do not fit, the old value stays, and `problems` says so:
    /// cloud-init leaves the whole part out then.
    pub(super) fn merge(&self, old: Node, new: Node, problems: &mut Problems) -> Node {
        match (&old.value, self) {
            (Value::Map(_), Self { dict: Some(how), .. }) => self.dict(*how, old, new, problems),
            (Value::Seq(_), Self { list: Some(how), .. }) => self.list(*how, old, new, problems),
            (Value::Str(_), Self { append_text: Some(append), .. }) => {
                text(*append, old, new, problems)
            }
            _ => old,
        }
    }

    fn dict(&self, how: Dict, old: Node, new: Node, problems: &mut Problems) -> Node {
        let place = old.place.clone();
        // A mapping takes nothing but a mapping.
        let Value::Map(new) = new.value else { return old };
        let Value::Map(old) = old.value else { return old };
        // As it is with the first part, which is mostly the only one.
        if old.is_empty() {
            return Node::new(place, Value::Map(new));
        }
        let mut pairs = Pairs::new(old, new.len());
        for (key, value) in new {
            let Some(at) = pairs.find(&key) else {
                pairs.push(key, value);
                continue;
            };
            let Some((_, before)) = &mut pairs.slots[at] else { continue };
            if value.value == Value::Null && how.deletes {
                pairs.remove(at, &key);
                continue;
            }
            if how.replaces {
                *before = value;
            } else if how.deeper.has(&value) {
                let taken = std::mem::replace(before, empty(&value));
                *before = self.merge(taken, value, problems);
            }
        }
        Node::new(place, Value::Map(pairs.slots.into_iter().flatten().collect()))
    }

    fn list(&self, how: List, old: Node, new: Node, problems: &mut Problems) -> Node {
        let place = old.place.clone();
        let Value::Seq(mut items) = old.value else { return old };
        let Value::Seq(mut more) = new.value else {
            if how.method == Method::Replace {
                return new;
            }
            let what = format!("{} cannot be merged into the list of {place}", new.kind());
            problems.push(Problem::error(&new.place, what));
            return Node::new(place, Value::Seq(items));
        };
        match how.method {
            Method::Keep => {}
            Method::Append => items.append(&mut more),
            Method::Prepend => {
                more.append(&mut items);
                items = more;
            }
            Method::Replace => {
                if let Some(first) = more.get(items.len()) {
                    let what = format!(
                        "list(replace) keeps the length of the older list, of {place}: what is \
                         here and after it is dropped, as in cloud-init; use list(append)"
                    );
                    problems.push(Problem::warning(&first.place, what));
                }
                for (before, value) in items.iter_mut().zip(more) {
                    let is_merged = how.deeper.has(&value);
                    let taken = std::mem::replace(before, empty(&value));
                    *before = if is_merged { self.merge(taken, value, problems) } else { value };
                }
            }
        }
        Node::new(place, Value::Seq(items))
    }
}

fn text(append: bool, old: Node, new: Node, problems: &mut Problems) -> Node {
    if !append {
        return new;
    }
    if let (Value::Str(before), Value::Str(after)) = (&old.value, &new.value) {
        let joined = format!("{before}{after}");
        return Node::new(old.place, Value::Str(joined));
    }
    let what = format!("{} cannot be appended to the text of {}", new.kind(), old.place);
    problems.push(Problem::error(&new.place, what));
    old
}

/// What stands in a value's place while it is merged.
fn empty(node: &Node) -> Node {
    Node::new(node.place.clone(), Value::Null)
}

/// A mapping that is being changed.
struct Pairs {
    slots: Vec<Option<(Node, Node)>>,
    index: Index,
}

impl Pairs {
    /// Of a mapping to which so many keys may come.
    fn new(old: Vec<(Node, Node)>, more: usize) -> Self {
        let keys = old.len() + more;
        let mut pairs = Self { slots: Vec::with_capacity(keys), index: Index::new(keys) };
        for (key, value) in old {
            pairs.push(key, value);
        }
        pairs
    }

    fn find(&self, key: &Node) -> Option<usize> {
        let is_at =
            |at: usize| self.slots[at].as_ref().is_some_and(|(it, _)| it.value == key.value);
        self.index.find(&key.value, is_at)
    }

    fn push(&mut self, key: Node, value: Node) {
        self.index.insert(&key.value, self.slots.len());
        self.slots.push(Some((key, value)));
    }

    fn remove(&mut self, at: usize, key: &Node) {
        self.index.remove(&key.value, at);
        self.slots[at] = None;
    }
}
