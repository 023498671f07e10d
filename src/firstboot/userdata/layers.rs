//! Parts to one cloud-config for each layer, and layers to the one that counts.
//!
//! User-data is stronger than the second vendor-data, that than the first, that than what the
//! datasource says, and that than what the image brings: of mappings each key by itself, of
//! everything else, lists too, the strongest whole (cloud-init's `helpers.ConfigMerger`).

use std::borrow::Cow;

use super::how;
use super::merge::Mergers;
use super::{Kind, Part};
use crate::firstboot::problem::{Place, Problem, Problems};
use crate::firstboot::yaml::{self, Node, Value};

/// Who wants something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// The machine's owner.
    User,
    /// The vendor, by the n-th vendor-data, from 0: the weakest first.
    Vendor(usize),
}

/// All that says something of one machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Layers<'a> {
    /// The parts of user-data.
    pub user: &'a [Part],
    /// Those of vendor-data and of vendor-data2, in these places, whether they are there or not:
    /// the place tells by which key their owner refuses them.
    pub vendor: &'a [Vec<Part>],
    /// A cloud-config of the datasource's own.
    pub datasource: Option<&'a Node>,
    /// A cloud-config that the image brings.
    pub base: Option<&'a Node>,
}

/// A script or a boothook, and who wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Who.
    pub layer: Layer,
    /// It; its text is [`Part::program`].
    pub part: Part,
}

/// What counts in the end.
#[derive(Clone, Debug)]
pub struct Effective {
    /// The cloud-config: a mapping, in which each value has its own place.
    pub config: Node,
    /// Scripts, in the order that cloud-init runs them in within one kind: the vendor's first.
    pub scripts: Vec<Program>,
    /// Boothooks, in the order that cloud-init runs them in: the user's first.
    pub boothooks: Vec<Program>,
    /// What is wrong with it.
    pub problems: Problems,
}

/// Merges all of it. What is broken or cannot be done here is left out, and an error says so.
/// Templates are to be rendered before: see [`Part::rendered`].
pub fn effective(layers: &Layers<'_>) -> Effective {
    let mut problems = Problems::default();
    let user = Gathered::of(layers.user, Layer::User, &[], &mut problems);
    let weaker = [layers.datasource, layers.base];
    // Whether the vendor is heard is for those to say who are not the vendor.
    let others = || std::iter::once(&user.config).chain(weaker.into_iter().flatten());
    let ask = |at| consent(others(), at, &mut problems);
    let answers: Vec<_> = (0..layers.vendor.len()).map(ask).collect();
    let Gathered { mut config, scripts: own_scripts, mut boothooks } = user;
    let mut scripts = Vec::new();
    for (at, (parts, answer)) in layers.vendor.iter().zip(answers).enumerate().rev() {
        let Some(without) = answer else { continue };
        let vendor = Gathered::of(parts, Layer::Vendor(at), &without, &mut problems);
        config = Mergers::LAYERS.merge(config, vendor.config, &mut problems);
        scripts.splice(0..0, vendor.scripts);
        boothooks.extend(vendor.boothooks);
    }
    for weaker in weaker.into_iter().flatten() {
        config = Mergers::LAYERS.merge(config, weaker.clone(), &mut problems);
    }
    scripts.extend(own_scripts);
    Effective { config, scripts, boothooks, problems }
}

/// Whether the n-th vendor-data is wanted, and if so, without which types: `vendor_data` for
/// the first, `vendor_data2` for the second; `others` are the other layers, strongest first.
fn consent<'a>(
    others: impl Iterator<Item = &'a Node>,
    at: usize,
    problems: &mut Problems,
) -> Option<Vec<String>> {
    let key = if at == 0 { "vendor_data".to_owned() } else { format!("vendor_data{}", at + 1) };
    let said = others.filter_map(|layer| layer.get(&key).cloned());
    let Some(node) = said.reduce(|it, weaker| Mergers::LAYERS.merge(it, weaker, problems)) else {
        return Some(Vec::new());
    };
    if !matches!(node.value, Value::Map(_)) {
        let what = format!(
            "{key} is a mapping, and this is {}: taken for {{enabled: false}}, as in cloud-init",
            node.kind()
        );
        problems.push(Problem::warning(&node.place, what));
        return None;
    }
    let is_wanted = node.get("enabled").is_none_or(|it| match &it.value {
        Value::Bool(it) => *it,
        Value::Int(it) => *it == 1,
        Value::Str(it) => matches!(it.trim().to_lowercase().as_str(), "true" | "1" | "on" | "yes"),
        _ => false,
    });
    let types = match node.get("disabled_handlers").map(|it| &it.value) {
        Some(Value::Seq(items)) => {
            items.iter().filter_map(Node::text).map(Cow::into_owned).collect()
        }
        _ => Vec::new(),
    };
    is_wanted.then_some(types)
}

/// What one layer wants.
struct Gathered {
    config: Node,
    scripts: Vec<Program>,
    boothooks: Vec<Program>,
}

impl Gathered {
    fn of(parts: &[Part], layer: Layer, without: &[String], problems: &mut Problems) -> Self {
        let begin = parts.first().map_or_else(|| Place::whole("user-data"), Part::place);
        let config = Node::new(begin, Value::Map(Vec::new()));
        let mut all = Self { config, scripts: Vec::new(), boothooks: Vec::new() };
        let mut values = 0;
        for part in parts {
            if without.iter().any(|it| it == part.kind.mime()) {
                continue;
            }
            let program = || Program { layer, part: part.clone() };
            match &part.kind {
                Kind::CloudConfig => all.cloud_config(part, &mut values, problems),
                Kind::Script | Kind::ScriptPer(_) => all.scripts.push(program()),
                Kind::Boothook => all.boothooks.push(program()),
                other => problems.push(refusal(other, part)),
            }
        }
        all
    }

    fn cloud_config(&mut self, part: &Part, values: &mut usize, problems: &mut Problems) {
        let read = read(part, problems);
        let (root, of_part, mergers) = match read {
            Ok(Some(read)) => read,
            Ok(None) => return,
            Err(problem) => return problems.push(problem),
        };
        *values += of_part;
        // The parts of a layer together may have as many as one document.
        if *values > yaml::MOST_VALUES {
            let most = yaml::MOST_VALUES;
            let what = format!("more than {most} values in all parts: this one is left out");
            return problems.push(Problem::error(&part.place(), what));
        }
        let before = std::mem::replace(&mut self.config, empty(part));
        self.config = mergers.merge(before, root, problems);
    }
}

fn empty(part: &Part) -> Node {
    Node::new(part.place(), Value::Null)
}

/// A cloud-config without the keys that are about itself, of how many values it was, and how it is
/// to be merged.
fn read(part: &Part, problems: &mut Problems) -> Result<Option<(Node, usize, Mergers)>, Problem> {
    let document = yaml::load_at(part.text()?, &part.source, part.origin)?;
    let mut root = document.root;
    problems.extend(document.doubts);
    match root.value {
        Value::Map(_) => {}
        Value::Null => {
            let what = "this cloud-config is empty: nothing is configured by it";
            problems.push(Problem::warning(&part.place(), what));
            return Ok(None);
        }
        _ => {
            let what =
                format!("a cloud-config is a mapping (hostname: x), and this is {}", root.kind());
            return Err(Problem::error(&root.place, what));
        }
    }
    let how = how::of(&root, part.merge.as_deref(), &part.place(), problems)?;
    let is_kept = |key: &Node| {
        !key.as_str().is_some_and(|key| how::KEYS.contains(&key) || key == "launch-index")
    };
    if let Value::Map(pairs) = &mut root.value {
        pairs.retain(|(key, _)| is_kept(key));
    }
    Ok(Some((root, document.values, how.unwrap_or(Mergers::PARTS))))
}

/// Why a part of another kind is not applied.
fn refusal(kind: &Kind, part: &Part) -> Problem {
    let what = match kind {
        Kind::Jsonp => {
            "a #cloud-config-jsonp, a JSON patch, is not applied here: write a #cloud-config with \
             merge_how instead"
        }
        Kind::PartHandler => {
            "a #part-handler, which is Python code for cloud-init itself, is not run here: do in \
             a script what it does"
        }
        Kind::JinjaTemplate(_) => "a template that was not rendered: nothing of it is applied",
        _ => "a list of other parts, which was not read: nothing of it is applied",
    };
    Problem::error(&part.place(), what)
}
