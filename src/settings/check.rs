//! One entry of `checks:`: the common keys here, those of its kind by
//! [`KINDS`], which is all that is known of the checks here.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::de::{Error, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};
use serde_yaml::{Mapping, Value};

use super::fragment::span;
use crate::health::checks::{Check, KINDS};

/// How long a check may take where nothing else is said.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// No limit is longer: beyond that, sums of times would overflow.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// The keys that every kind has.
const COMMON: [&str; 4] = ["required", "timeout", "retry_for", "description"];

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Common {
    required: Option<bool>,
    #[serde(deserialize_with = "span")]
    timeout: Option<Duration>,
    #[serde(deserialize_with = "span")]
    retry_for: Option<Duration>,
    description: Option<String>,
}

/// A check as a file has it.
#[derive(Clone, Debug)]
pub(super) struct CheckFragment {
    common: Common,
    kind: &'static str,
    check: Arc<dyn Check>,
    shown: serde_json::Value,
}

impl<'de> Deserialize<'de> for CheckFragment {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Reader)
    }
}

/// A visitor of its own, and not a conversion afterwards: an error from within
/// it carries the line of the check.
struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = CheckFragment;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a check such as {unit: sshd.service}")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<CheckFragment, A::Error> {
        let keys = Mapping::deserialize(MapAccessDeserializer::new(map))?;
        read(keys).map_err(A::Error::custom)
    }
}

fn read(keys: Mapping) -> Result<CheckFragment, String> {
    let is_common = |key: &Value| key.as_str().is_some_and(|key| COMMON.contains(&key));
    let (common, keys): (Mapping, Mapping) = keys.into_iter().partition(|(key, _)| is_common(key));
    let common = serde_yaml::from_value(Value::Mapping(common)).map_err(|e| e.to_string())?;
    let named: Vec<_> = KINDS.iter().filter(|kind| keys.contains_key(kind.key)).collect();
    let kind = match named.as_slice() {
        [kind] => kind,
        [] => return Err(no_kind(&keys)),
        [one, other, ..] => {
            return Err(format!("names two kinds, {}: and {}:", one.key, other.key));
        }
    };
    let (check, shown) = kind.parse(keys)?;
    Ok(CheckFragment { common, kind: kind.key, check, shown })
}

fn no_kind(keys: &Mapping) -> String {
    let kinds = || KINDS.iter().map(|kind| kind.key);
    let Some(unknown) = keys.keys().next() else {
        return format!("names no kind; write one of {}", kinds().collect::<Vec<_>>().join(", "));
    };
    let unknown = unknown.as_str().map_or_else(|| format!("{unknown:?}"), str::to_owned);
    let known = kinds().chain(COMMON);
    match known.min_by_key(|key| distance(key, &unknown)) {
        Some(near) if distance(near, &unknown) <= 2 => {
            format!("unknown field `{unknown}`, did you mean `{near}`?")
        }
        _ => format!(
            "unknown field `{unknown}`; the kinds are {}",
            kinds().collect::<Vec<_>>().join(", ")
        ),
    }
}

/// How many letters must be added, dropped, changed or swapped with their
/// neighbour to make `b` of `a`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

/// A validated check.
#[derive(Clone, Debug)]
pub struct CheckSettings {
    /// Its name.
    pub name: String,
    /// The key that names its kind.
    pub kind: &'static str,
    /// What is looked at.
    pub check: Arc<dyn Check>,
    /// The keys of its kind, defaults filled in.
    pub shown: serde_json::Value,
    /// The unit that must have been started before.
    pub after: Option<String>,
    /// Whether a failure makes the boot unhealthy.
    pub required: bool,
    /// How long one try may take.
    pub timeout: Duration,
    /// How long it is tried again.
    pub retry_for: Duration,
    /// For people.
    pub description: Option<String>,
    /// The file that it comes from; `None` if it is built in.
    pub file: Option<PathBuf>,
}

impl CheckSettings {
    pub(super) fn new(name: String, from: CheckFragment, file: Option<&Path>) -> Self {
        Self {
            name,
            kind: from.kind,
            after: from.check.after(),
            required: from.common.required.unwrap_or_else(|| from.check.required()),
            check: from.check,
            shown: from.shown,
            timeout: from.common.timeout.unwrap_or(TIMEOUT).min(LONGEST),
            retry_for: from.common.retry_for.unwrap_or_default().min(LONGEST),
            description: from.common.description,
            file: file.map(Path::to_owned),
        }
    }

    /// What speaks against these settings, although they are valid.
    pub(super) fn doubt(&self) -> Option<String> {
        let file = self.file.as_ref()?.display();
        (self.required && !self.check.required()).then(|| {
            format!(
                "{file}: checks.{}: a {} is about the surroundings: made required, an outage \
                 there takes every machine back at once",
                self.name, self.kind
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_between_words() {
        assert_eq!(distance("unit", "unti"), 1);
        assert_eq!(distance("http", "htp"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("timeout", "timeout"), 0);
    }
}
