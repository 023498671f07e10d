//! SELinux as configured and as it is.

use std::path::Path;

use anyhow::Result;

use super::Part;
use crate::health::checks::Context;
use crate::sys::cmdline::Cmdline;
use crate::sys::files;

/// What the record calls it.
pub(super) const KEY: &str = "selinux";

/// SELinux as configured and as it is.
#[derive(Debug, Default)]
pub(super) struct SeLinux {
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
    pub(super) fn read(context: &Context) -> Result<Self> {
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
pub(super) fn judge(seen: &SeLinux, cmdline: &Cmdline, before: Option<&str>) -> Part {
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
    Some((true, words, Some((KEY, mode.to_owned()))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::checks::security::tests::said;

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
            assert_eq!(said(judge(&seen, &Cmdline::parse(cmdline), before)), expected, "{wanted}");
        }
    }
}
