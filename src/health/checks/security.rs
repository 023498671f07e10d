//! What protects the system is as strict as it was asked to be, and as it was:
//! SELinux, AppArmor and IMA. An update that loses one of them boots without a
//! complaint; only somebody who remembers notices, so what was seen at the last
//! healthy boot is in the record.

use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::value::On;
use super::{Check, Context, Finding, Keyed};
use crate::sys::cmdline::Cmdline;
use crate::sys::files;

const SELINUX: &str = "selinux";
const APPARMOR: &str = "apparmor_enforced";
const IMA: &str = "ima";

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
            parts.push(selinux(&SeLinux::read(context)?, &cmdline, before(SELINUX)));
        }
        if self.apparmor {
            parts.push(apparmor(&AppArmor::read(context)?, &cmdline, before(APPARMOR)));
        }
        if self.ima {
            let dir = context.root.join("/sys/kernel/security/ima");
            let policy = files::read(&dir.join("policy")).ok().flatten();
            let empty = policy.is_some_and(|policy| policy.is_empty());
            parts.push(ima(dir.exists(), empty, &cmdline, before(IMA)));
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

/// SELinux as configured and as it is.
#[derive(Debug, Default)]
struct SeLinux {
    /// `SELINUX=` of /etc/selinux/config.
    wanted: Option<String>,
    /// `SELINUXTYPE=`.
    policy: Option<String>,
    /// Whether that policy's files are there.
    policy_there: bool,
    /// `/sys/fs/selinux/enforce`; none where the kernel runs without SELinux.
    enforce: Option<String>,
}

impl SeLinux {
    fn read(context: &Context) -> Result<Self> {
        let config = files::read_text(&context.root.join("/etc/selinux/config"))?;
        let config = config.unwrap_or_default();
        let policy = value(&config, "SELINUXTYPE");
        let dir = Path::new("/etc/selinux").join(policy.as_deref().unwrap_or("none"));
        Ok(Self {
            wanted: value(&config, "SELINUX"),
            policy_there: !files::list(&context.root.join(dir.join("policy")))?.is_empty(),
            policy,
            enforce: files::read_text(&context.root.join("/sys/fs/selinux/enforce"))?,
        })
    }
}

/// The value of the last `NAME=value`.
fn value(config: &str, name: &str) -> Option<String> {
    let value = |line: &str| {
        let value = line.trim().strip_prefix(name)?.strip_prefix('=')?;
        Some(value.trim().trim_matches('"').to_ascii_lowercase())
    };
    config.lines().rev().find_map(value)
}

/// The command line has the last word (selinux(8)): who writes `enforcing=0`
/// there means it.
fn selinux(seen: &SeLinux, cmdline: &Cmdline, before: Option<&str>) -> Part {
    let mode = match seen.enforce.as_deref().map(str::trim) {
        Some("1") => "enforcing",
        Some(_) => "permissive",
        None => "disabled",
    };
    let switched_off = cmdline.value("selinux") == Some("0")
        || cmdline.value("security").is_some_and(|it| it != "selinux");
    let wanted = match seen.wanted.as_deref() {
        _ if switched_off => "disabled",
        Some("enforcing") if cmdline.value("enforcing") == Some("0") => "permissive",
        Some(wanted @ ("enforcing" | "permissive")) => wanted,
        _ => "disabled",
    };
    let rank = |mode| ["disabled", "permissive", "enforcing"].iter().position(|it| *it == mode);
    if mode == "disabled" && wanted == "disabled" {
        let configured = switched_off || seen.wanted.is_some();
        return before.filter(|_| !configured).map(|before| {
            (false, format!("SELinux is gone, it was {before} at the last healthy boot"), None)
        });
    }
    if rank(mode) < rank(wanted) {
        return Some((false, format!("SELinux is {mode}, not {wanted}"), None));
    }
    let policy = seen.policy.as_deref().unwrap_or("none");
    if !seen.policy_there {
        return Some((false, format!("SELinux is {mode}, but its policy {policy} is gone"), None));
    }
    let changed = match before.filter(|before| *before != mode) {
        Some(before) => format!(" as configured, {before} at the last healthy boot"),
        None => String::new(),
    };
    let words = format!("SELinux {mode} with {policy}{changed}");
    Some((true, words, Some((SELINUX, mode.to_owned()))))
}

/// AppArmor as it is asked for and as it is.
#[derive(Debug, Default)]
struct AppArmor {
    /// Whether the unit that loads profiles is enabled.
    enabled: bool,
    /// `/sys/kernel/security/apparmor/profiles`.
    profiles: String,
}

impl AppArmor {
    fn read(context: &Context) -> Result<Self> {
        let unit = "/etc/systemd/system/sysinit.target.wants/apparmor.service";
        let profiles = context.root.join("/sys/kernel/security/apparmor/profiles");
        Ok(Self {
            enabled: context.root.join(unit).is_symlink(),
            profiles: files::read_text(&profiles)?.unwrap_or_default(),
        })
    }
}

fn apparmor(seen: &AppArmor, cmdline: &Cmdline, before: Option<&str>) -> Part {
    let switched_off = cmdline.value("apparmor") == Some("0")
        || cmdline.value("security").is_some_and(|it| it != "apparmor");
    let count = |mode: &str| seen.profiles.lines().filter(|line| line.ends_with(mode)).count();
    let (enforced, complaining) = (count("(enforce)"), count("(complain)"));
    let had = before.filter(|before| *before != "0");
    let then = had.map(|n| format!(", {n} at the last healthy boot")).unwrap_or_default();
    if switched_off || (enforced + complaining == 0 && !seen.enabled && had.is_none()) {
        return None;
    }
    let fine = enforced > 0 || (had.is_none() && complaining > 0);
    let words = match (enforced, complaining) {
        (0, 0) => format!("no AppArmor profile is loaded{then}"),
        (enforced, 0) => format!("AppArmor enforces {enforced} profiles"),
        (enforced, some) => format!(
            "AppArmor enforces {enforced} profiles, {some} only complain{}",
            if enforced == 0 { &then } else { "" }
        ),
    };
    Some((fine, words, Some((APPARMOR, enforced.to_string()))))
}

/// `policy` cannot be read on every kernel; where it can, and is empty, there is none.
fn ima(there: bool, empty: bool, cmdline: &Cmdline, before: Option<&str>) -> Part {
    let asked = ["ima_policy", "ima_tcb", "ima_appraise", "ima_appraise_tcb"];
    let Some(word) = asked.into_iter().find(|word| cmdline.has(word)) else {
        return before.filter(|_| !there).map(|_| {
            (false, "IMA is gone, it was there at the last healthy boot".to_owned(), None)
        });
    };
    match (there, empty) {
        (false, _) => Some((false, format!("{word} asks for IMA, which is not there"), None)),
        (true, true) => Some((false, format!("{word} asks for IMA, which has no policy"), None)),
        (true, false) => Some((true, "IMA is there".to_owned(), Some((IMA, "there".to_owned())))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::checks::Ending;

    fn said(part: Part) -> String {
        part.map_or("-".into(), |(fine, words, _)| {
            format!("{}: {words}", if fine { "ok" } else { "no" })
        })
    }

    #[test]
    fn selinux_is_at_least_what_the_configuration_and_the_command_line_ask_for() {
        for (wanted, there, enforce, cmdline, before, expected) in [
            ("enforcing", true, Some("1"), "", None, "ok: SELinux enforcing with targeted"),
            ("enforcing", true, Some("0"), "", None, "no: SELinux is permissive, not enforcing"),
            ("enforcing", true, None, "", None, "no: SELinux is disabled, not enforcing"),
            (
                "enforcing",
                true,
                Some("0"),
                "enforcing=0",
                None,
                "ok: SELinux permissive with targeted",
            ),
            ("enforcing", true, None, "selinux=0", Some("enforcing"), "-"),
            (
                "enforcing",
                false,
                Some("1"),
                "",
                None,
                "no: SELinux is enforcing, but its policy targeted is gone",
            ),
            (
                "permissive",
                true,
                Some("0"),
                "",
                Some("enforcing"),
                "ok: SELinux permissive with targeted as configured, enforcing at the last healthy boot",
            ),
            ("disabled", true, None, "", Some("enforcing"), "-"),
            (
                "",
                true,
                None,
                "",
                Some("enforcing"),
                "no: SELinux is gone, it was enforcing at the last healthy boot",
            ),
            ("", true, None, "", None, "-"),
        ] {
            let seen = SeLinux {
                wanted: (!wanted.is_empty()).then(|| wanted.into()),
                policy: Some("targeted".into()),
                policy_there: there,
                enforce: enforce.map(Into::into),
            };
            assert_eq!(
                said(selinux(&seen, &Cmdline::parse(cmdline), before)),
                expected,
                "{wanted}"
            );
        }
    }

    #[test]
    fn apparmor_enforces_something_where_it_did_or_is_asked_to() {
        let two = "/usr/bin/man (enforce)\nlsb_release (complain)\n";
        for (enabled, profiles, cmdline, before, expected) in [
            (true, two, "", None, "ok: AppArmor enforces 1 profiles, 1 only complain"),
            (true, "", "", None, "no: no AppArmor profile is loaded"),
            (
                false,
                "",
                "",
                Some("35"),
                "no: no AppArmor profile is loaded, 35 at the last healthy boot",
            ),
            (
                false,
                "x (complain)",
                "",
                Some("1"),
                "no: AppArmor enforces 0 profiles, 1 only complain, 1 at the last healthy boot",
            ),
            (true, "", "apparmor=0", Some("35"), "-"),
            (false, "", "", None, "-"),
        ] {
            let seen = AppArmor { enabled, profiles: profiles.into() };
            assert_eq!(said(apparmor(&seen, &Cmdline::parse(cmdline), before)), expected);
        }
    }

    #[test]
    fn ima_is_there_when_the_command_line_asks() {
        let asks = Cmdline::parse("ima_policy=tcb");
        assert_eq!(said(ima(true, false, &asks, None)), "ok: IMA is there");
        assert_eq!(
            said(ima(true, true, &asks, None)),
            "no: ima_policy asks for IMA, which has no policy"
        );
        assert_eq!(
            said(ima(false, false, &asks, None)),
            "no: ima_policy asks for IMA, which is not there"
        );
        assert_eq!(said(ima(false, false, &Cmdline::default(), None)), "-");
        assert!(
            said(ima(false, false, &Cmdline::default(), Some("there")))
                .starts_with("no: IMA is gone")
        );
    }

    #[test]
    fn what_fails_comes_first_and_what_was_seen_is_remembered() {
        let finding = together(vec![
            Some((true, "a".into(), Some((SELINUX, "enforcing".into())))),
            None,
            Some((false, "b".into(), None)),
        ]);
        assert_eq!(finding.message, "b; a");
        assert_eq!(finding.observed[SELINUX], "enforcing");
        assert_eq!(together(vec![None]).ending, Ending::Skip);
    }
}
