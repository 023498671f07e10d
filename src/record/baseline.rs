//! What the checks saw when the system was last healthy. What an update takes
//! away in silence, a security policy or the pace of the start, is only noticed
//! by somebody who remembers that it was there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How many healthy boots are remembered: enough for a median, little enough to
/// follow a machine that changes.
const REMEMBERED: usize = 9;

/// By the name of what was seen, the newest last. The record does not know what
/// the names mean; the checks do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Baseline(BTreeMap<String, Vec<String>>);

impl Baseline {
    /// Enters what was seen at one more healthy boot, also the same again: two boots
    /// that took equally long are two to compare with.
    pub fn note(&mut self, what: &str, seen: &str) {
        let entries = self.0.entry(what.to_owned()).or_default();
        entries.push(seen.to_owned());
        let surplus = entries.len().saturating_sub(REMEMBERED);
        entries.drain(..surplus);
    }

    /// What was seen at the last healthy boot.
    pub fn last(&self, what: &str) -> Option<&str> {
        self.all(what).last().map(String::as_str)
    }

    /// What was seen at the last healthy boots, the newest last.
    pub fn all(&self, what: &str) -> &[String] {
        self.0.get(what).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_the_last_ones_and_no_more() {
        let mut baseline = Baseline::default();
        assert_eq!((baseline.last("a"), baseline.all("a").len()), (None, 0));
        for n in 0..20 {
            baseline.note("a", &n.to_string());
        }
        assert_eq!((baseline.last("a"), baseline.all("a").len()), (Some("19"), REMEMBERED));
        assert_eq!(baseline.all("a")[0], "11");
        // Equal ones are boots of their own.
        for _ in 0..3 {
            baseline.note("b", "same");
        }
        assert_eq!(baseline.all("b"), ["same"; 3]);
    }
}
