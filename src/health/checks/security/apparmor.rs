//! AppArmor as it is asked for and as it is.

use anyhow::Result;

use super::Part;
use crate::health::checks::Context;
use crate::sys::cmdline::Cmdline;
use crate::sys::files;

/// What the record calls it.
pub(super) const KEY: &str = "apparmor_enforced";

/// AppArmor as it is asked for and as it is.
#[derive(Debug, Default)]
pub(super) struct AppArmor {
    /// Whether the unit that loads profiles is enabled.
    enabled: bool,
    /// `/sys/kernel/security/apparmor/profiles`.
    profiles: String,
}

impl AppArmor {
    pub(super) fn read(context: &Context) -> Result<Self> {
        let unit = "/etc/systemd/system/sysinit.target.wants/apparmor.service";
        let profiles = context.root.join("/sys/kernel/security/apparmor/profiles");
        Ok(Self {
            enabled: context.root.join(unit).is_symlink(),
            profiles: files::read_text(&profiles)?.unwrap_or_default(),
        })
    }
}

pub(super) fn judge(seen: &AppArmor, cmdline: &Cmdline, before: Option<&str>) -> Part {
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
    Some((fine, words, Some((KEY, enforced.to_string()))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::checks::security::tests::said;

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
            assert_eq!(said(judge(&seen, &Cmdline::parse(cmdline), before)), expected);
        }
    }
}
