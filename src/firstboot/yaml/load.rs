//! Text to values: anchors, merge keys and duplicates as `PyYAML` has them, and limits.

use std::collections::HashMap;
use std::sync::Arc;

use yaml_events::{Event, Events, Marker, ScalarStyle, Span};

use super::mapping::{mapping, merge};
use super::scalar::{collection, scalar};
use super::{Node, Value, printable::printable};
use crate::firstboot::problem::{Origin, Place, Problem, Problems};

/// More values than anybody writes by hand, or than a generator has reason to: a tree of
/// them takes some 30 MB. Aliases count with all that they repeat, so that a few lines
/// cannot become millions.
pub const MOST_VALUES: usize = 250_000;
/// How much text aliases may repeat, in bytes.
const MOST_REPEATED: usize = 4 << 20;
/// The memory that so many items or pairs grew in is given back.
const LARGE: usize = 1024;
/// How deep lists and mappings may lie in each other. `PyYAML` gives up near 500.
const DEEPEST: usize = 100;

/// A document.
#[derive(Debug)]
pub struct Document {
    /// What it holds; nothing if it is empty.
    pub root: Node,
    /// How many values that is, aliases counted with all that they repeat.
    pub values: usize,
    /// What is legal and surely not meant.
    pub doubts: Problems,
}

/// Reads one document; `source` is its name in messages.
///
/// # Errors
/// It is not YAML, or more than one document, or larger or deeper than the limits: with the
/// place.
pub fn load(text: &str, source: &Arc<str>) -> Result<Document, Problem> {
    load_at(text, source, Origin::default())
}

/// The same of a text that begins somewhere in `source`; places are in all of that.
///
/// # Errors
/// As of [`load`].
pub fn load_at(text: &str, source: &Arc<str>, origin: Origin) -> Result<Document, Problem> {
    printable(text, source, origin)?;
    let mut loader = Loader { source: source.clone(), origin, ..Loader::default() };
    for next in Events::new(text, DEEPEST) {
        let (event, span) = next.map_err(|e| {
            let place = loader.place(*e.marker());
            Problem::error(&place, format!("this is not YAML: {}", e.info()))
        })?;
        loader.event(event, span)?;
    }
    let begin = origin.place(source, 1, 1);
    let root = loader.root.unwrap_or_else(|| Node::new(begin, Value::Null));
    Ok(Document { root, values: loader.values, doubts: loader.doubts })
}

/// A list or a mapping that is not complete yet.
struct Frame {
    place: Place,
    anchor: usize,
    within: Within,
}

/// With the number of items, or of pairs, that were open when it began.
enum Within {
    Seq { from: usize },
    Map { from: usize, merged: Vec<(Node, Node)>, key: Option<Key> },
}

enum Key {
    Merge(Place),
    Plain(Node),
}

#[derive(Default)]
struct Loader {
    source: Arc<str>,
    origin: Origin,
    frames: Vec<Frame>,
    /// What the lists that are open have so far, the innermost last: most are small, and would
    /// grow and shrink each by itself.
    items: Vec<Node>,
    /// The same of mappings.
    pairs: Vec<(Node, Node)>,
    anchors: HashMap<usize, Node>,
    root: Option<Node>,
    values: usize,
    repeated: usize,
    doubts: Problems,
}

impl Loader {
    fn place(&self, marker: Marker) -> Place {
        let number = |it: usize| u32::try_from(it).unwrap_or(u32::MAX);
        let (line, column) = (number(marker.line()), number(marker.col().saturating_add(1)));
        self.origin.place(&self.source, line, column)
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        let place = self.place(span.tag_start().unwrap_or(span.start));
        match event {
            Event::DocumentStart(..) if self.root.is_some() => {
                let what = "a second document begins here: cloud-init reads a single one; remove \
                            the line ---";
                Err(Problem::error(&place, what))
            }
            Event::Scalar(text, style, anchor, tag) => {
                let is_merge = style == ScalarStyle::Plain && tag.is_none() && text == "<<";
                if is_merge && self.is_key() {
                    return self.key(Key::Merge(place));
                }
                let value = scalar(&text, style, tag.as_deref(), &place)?;
                let is_number = matches!(value, Value::Int(_) | Value::Float(_));
                let mut node = Node::new(place, value);
                node.altered = is_number && node.text().as_deref() != Some(&*text);
                self.complete(node, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                collection(tag.as_deref(), "seq", &place)?;
                let within = Within::Seq { from: self.items.len() };
                self.open(Frame { place, anchor, within })
            }
            Event::MappingStart(_, anchor, tag) => {
                collection(tag.as_deref(), "map", &place)?;
                let from = self.pairs.len();
                let within = Within::Map { from, merged: Vec::new(), key: None };
                self.open(Frame { place, anchor, within })
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => self.alias(anchor, &place),
            _ => Ok(()),
        }
    }

    /// Whether the next value is a mapping's key.
    fn is_key(&self) -> bool {
        let last = self.frames.last().map(|frame| &frame.within);
        matches!(last, Some(Within::Map { key: None, .. }))
    }

    fn open(&mut self, frame: Frame) -> Result<(), Problem> {
        if self.is_key() {
            let what = "a list or a mapping cannot be a key: quote it if it is meant as text";
            return Err(Problem::error(&frame.place, what));
        }
        if self.frames.len() >= DEEPEST {
            let what = format!("nested deeper than {DEEPEST} levels");
            return Err(Problem::error(&frame.place, what));
        }
        self.frames.push(frame);
        Ok(())
    }

    fn close(&mut self) -> Result<(), Problem> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        let value = match frame.within {
            Within::Seq { from } => Value::Seq(taken(&mut self.items, from)),
            Within::Map { from, merged, .. } => {
                let pairs = taken(&mut self.pairs, from);
                Value::Map(mapping(pairs, merged, &mut self.doubts))
            }
        };
        self.complete(Node::new(frame.place, value), frame.anchor)
    }

    fn alias(&mut self, anchor: usize, place: &Place) -> Result<(), Problem> {
        let Some(target) = self.anchors.get(&anchor) else {
            return Err(Problem::error(place, "it repeats a value that it is part of"));
        };
        let (values, bytes) = size(target);
        self.values += values;
        self.repeated += bytes;
        if self.repeated > MOST_REPEATED {
            let what = format!("aliases repeat more than {} MiB of text", MOST_REPEATED >> 20);
            return Err(Problem::error(place, what));
        }
        self.bounded(place)?;
        let node = target.clone();
        self.put(node)
    }

    fn complete(&mut self, node: Node, anchor: usize) -> Result<(), Problem> {
        self.values += 1;
        self.bounded(&node.place)?;
        if anchor != 0 {
            let (values, bytes) = size(&node);
            self.values += values;
            self.repeated += bytes;
            self.anchors.insert(anchor, node.clone());
        }
        self.put(node)
    }

    fn bounded(&self, place: &Place) -> Result<(), Problem> {
        if self.values <= MOST_VALUES {
            return Ok(());
        }
        let what = format!("more than {MOST_VALUES} values, aliases counted with all they repeat");
        Err(Problem::error(place, what))
    }

    /// Into the list or mapping that is open.
    fn put(&mut self, node: Node) -> Result<(), Problem> {
        match self.frames.last_mut().map(|frame| &mut frame.within) {
            None => self.root = Some(node),
            Some(Within::Seq { .. }) => self.items.push(node),
            Some(Within::Map { merged, key, .. }) => match key.take() {
                None => return self.key(Key::Plain(node)),
                Some(Key::Plain(key)) => self.pairs.push((key, node)),
                Some(Key::Merge(place)) => merged.extend(merge(node, &place)?),
            },
        }
        Ok(())
    }

    fn key(&mut self, new: Key) -> Result<(), Problem> {
        if let Key::Plain(node) = &new
            && matches!(node.value, Value::Seq(_) | Value::Map(_))
        {
            return Err(Problem::error(&node.place, "a list or a mapping cannot be a key"));
        }
        if let Some(Within::Map { key, .. }) = self.frames.last_mut().map(|it| &mut it.within) {
            *key = Some(new);
        }
        Ok(())
    }
}

/// The last of them, `from` on, in no more memory than they need.
fn taken<T>(all: &mut Vec<T>, from: usize) -> Vec<T> {
    if all.len() - from < LARGE {
        return all.drain(from..).collect();
    }
    // Nearly always the first: nothing is copied then.
    let mut taken = if from == 0 { std::mem::take(all) } else { all.split_off(from) };
    taken.shrink_to_fit();
    all.shrink_to_fit();
    taken
}

/// How many values, and how much text, a copy is.
fn size(node: &Node) -> (usize, usize) {
    match &node.value {
        Value::Str(text) => (1, text.len()),
        Value::Bytes(bytes) => (1, bytes.len()),
        Value::Seq(items) => items.iter().map(size).fold((1, 0), add),
        Value::Map(pairs) => {
            pairs.iter().map(|(key, value)| add(size(key), size(value))).fold((1, 0), add)
        }
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => (1, 0),
    }
}

fn add(a: (usize, usize), b: (usize, usize)) -> (usize, usize) {
    (a.0 + b.0, a.1 + b.1)
}
