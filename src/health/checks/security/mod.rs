//! What protects the system is as strict as it was asked to be, and as it was:
//! SELinux, AppArmor and IMA. An update that loses one of them boots without a
//! complaint; only somebody who remembers notices, so what was seen at the last
//! healthy boot is in the record.

mod apparmor;
mod ima;
mod selinux;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::value::On;
use super::{Check, Context, Finding, Keyed};
use crate::sys::cmdline::Cmdline;
use crate::sys::files;
use apparmor::AppArmor;
use selinux::SeLinux;

/// `{security: true, apparmor: false}`: each is on unless it is taken out.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Guards {
    security: On,
    #[serde(default = "yes")]
    selinux: bool,
    #[serde(default = "yes")]
    apparmor: bool,
    #[serde(default = "yes")]
    ima: bool,
}

fn yes() -> bool {
    true
}

/// What was found out about one of them: fine or not, in words, and what the
/// record shall remember. Nothing where it is neither there nor asked for.
type Part = Option<(bool, String, Option<(&'static str, String)>)>;

impl Keyed for Guards {
    const KEY: &'static str = "security";
}

impl Check for Guards {
    fn look(&self, context: &Context) -> Finding {
        self.parts(context).map_or_else(Finding::from, together)
    }
}

impl Guards {
    fn parts(&self, context: &Context) -> Result<Vec<Part>> {
        let cmdline = Cmdline::of_this_boot()?;
        let before = |what| context.baseline().last(what);
        let mut parts = Vec::new();
        if self.selinux {
            parts.push(selinux::judge(&SeLinux::read(context)?, &cmdline, before(selinux::KEY)));
        }
        if self.apparmor {
            parts.push(apparmor::judge(&AppArmor::read(context)?, &cmdline, before(apparmor::KEY)));
        }
        if self.ima {
            let dir = context.root.join("/sys/kernel/security/ima");
            let policy = files::read(&dir.join("policy")).ok().flatten();
            let empty = policy.is_some_and(|policy| policy.is_empty());
            parts.push(ima::judge(dir.exists(), empty, &cmdline, before(ima::KEY)));
        }
        Ok(parts)
    }
}

fn together(parts: Vec<Part>) -> Finding {
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        return Finding::skip("neither SELinux nor AppArmor nor IMA is there or asked for");
    }
    let fine = parts.iter().all(|(fine, ..)| *fine);
    // What fails comes first: some places show only the beginning.
    let (bad, good): (Vec<_>, Vec<_>) = parts.iter().partition(|(fine, ..)| !fine);
    let words: Vec<_> = bad.into_iter().chain(good).map(|(_, words, _)| words.as_str()).collect();
    let finding = Finding::when(fine, words.join("; "));
    let seen = parts.iter().filter_map(|(.., seen)| seen.clone());
    seen.fold(finding, |finding, (what, seen)| finding.noting(what, seen))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::checks::Ending;

    /// A part in words.
    pub(super) fn said(part: Part) -> String {
        part.map_or("-".into(), |(fine, words, _)| {
            format!("{}: {words}", if fine { "ok" } else { "no" })
        })
    }

    #[test]
    fn what_fails_comes_first_and_what_was_seen_is_remembered() {
        let finding = together(vec![
            Some((true, "a".into(), Some((selinux::KEY, "enforcing".into())))),
            None,
            Some((false, "b".into(), None)),
        ]);
        assert_eq!(finding.message, "b; a");
        assert_eq!(finding.observed[selinux::KEY], "enforcing");
        assert_eq!(together(vec![None]).ending, Ending::Skip);
    }
}
