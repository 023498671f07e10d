//! A unit of systemd: loaded, in the state it shall have, and not restarting
//! over and over.
//!
//! Never by `systemctl is-failed`, which answers the same for a unit that is
//! missing as for one that is well.

use serde::{Deserialize, Deserializer, Serialize, de::Error};

use super::{Check, Context, Finding, Keyed, UnitCheck};
use crate::sys::systemd::units::Unit;

/// Automatic restarts in one boot that are still taken for bad luck at its start.
const RESTARTS: u32 = 3;

/// The endings of unit names (systemd.unit(5)).
const TYPES: [&str; 11] = [
    "service",
    "socket",
    "device",
    "mount",
    "automount",
    "swap",
    "target",
    "path",
    "timer",
    "slice",
    "scope",
];

/// `{unit: x.service, state: active, restarts: 3}`
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UnitState {
    unit: Name,
    #[serde(default)]
    state: State,
    #[serde(default = "restarts")]
    restarts: u32,
}

fn restarts() -> u32 {
    RESTARTS
}

/// A unit's full name; `.service` where nothing else is said, as systemctl has it.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Name(String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        qualified(&name)
            .map(Self)
            .ok_or_else(|| D::Error::custom(format!("{name:?} is no unit name")))
    }
}

/// The name with its type; `None` if it cannot be one.
pub(super) fn qualified(name: &str) -> Option<String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
    if name.is_empty() || name.len() > 255 || !name.chars().all(fine) {
        return None;
    }
    match name.rsplit_once('.') {
        Some((_, kind)) if TYPES.contains(&kind) => Some(name.to_owned()),
        _ => Some(format!("{name}.service")),
    }
}

/// The `ActiveState` that it shall have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum State {
    #[default]
    Active,
    Reloading,
    Inactive,
    Failed,
    Activating,
    Deactivating,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Reloading => "reloading",
            Self::Inactive => "inactive",
            Self::Failed => "failed",
            Self::Activating => "activating",
            Self::Deactivating => "deactivating",
        }
    }
}

impl Keyed for UnitState {
    const KEY: &'static str = "unit";
}

impl Check for UnitState {
    fn after(&self) -> Option<String> {
        Some(self.unit.0.clone())
    }

    fn look(&self, _: &Context) -> Finding {
        Finding::fail("systemd was not asked")
    }

    fn unit(&self) -> Option<&dyn UnitCheck> {
        Some(self)
    }
}

impl UnitCheck for UnitState {
    fn name(&self) -> &str {
        &self.unit.0
    }

    fn judge(&self, unit: &Unit) -> Finding {
        let result = match unit.result.as_str() {
            "" | "success" => String::new(),
            result => format!(", result {result}"),
        };
        let restarts = match unit.restarts {
            0 => String::new(),
            times => format!(", restarted {times} times"),
        };
        let seen = format!("{} ({}){result}{restarts}", unit.active, unit.sub);
        match unit.load.as_str() {
            "loaded" if unit.active != self.state.word() => {
                Finding::fail(format!("{seen}, not {}", self.state.word()))
            }
            "loaded" if unit.restarts > self.restarts => {
                Finding::fail(format!("{seen}: it ends again and again"))
            }
            "loaded" => Finding::pass(seen),
            "" => Finding::fail("systemd says nothing of it"),
            load @ ("not-found" | "masked") => Finding::absent(format!("its unit file is {load}")),
            load => Finding::fail(format!("its unit file is {load}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(load: &str, active: &str, sub: &str, result: &str, restarts: u32) -> Unit {
        Unit {
            load: load.into(),
            active: active.into(),
            sub: sub.into(),
            result: result.into(),
            restarts,
        }
    }

    #[test]
    fn what_systemd_says_and_what_that_means() {
        let check = |state| UnitState { unit: Name("x.service".into()), state, restarts: RESTARTS };
        for (unit, state, fine, message) in [
            (
                unit("loaded", "active", "running", "success", 0),
                State::Active,
                true,
                "active (running)",
            ),
            (unit("loaded", "active", "mounted", "", 0), State::Active, true, "active (mounted)"),
            (
                unit("loaded", "failed", "failed", "exit-code", 0),
                State::Active,
                false,
                "failed (failed), result exit-code, not active",
            ),
            (
                unit("loaded", "active", "running", "success", 2),
                State::Active,
                true,
                "active (running), restarted 2 times",
            ),
            (
                unit("loaded", "active", "running", "success", 9),
                State::Active,
                false,
                "active (running), restarted 9 times: it ends again and again",
            ),
            (unit("loaded", "inactive", "dead", "", 0), State::Inactive, true, "inactive (dead)"),
            (
                unit("not-found", "inactive", "dead", "", 0),
                State::Inactive,
                false,
                "its unit file is not-found",
            ),
            (
                unit("error", "inactive", "dead", "", 0),
                State::Active,
                false,
                "its unit file is error",
            ),
            (Unit::default(), State::Active, false, "systemd says nothing of it"),
        ] {
            let found = check(state).judge(&unit);
            assert_eq!(
                (found.ending == super::super::Ending::Pass, &*found.message),
                (fine, message)
            );
            assert_eq!(found.absent, unit.load == "not-found");
        }
    }

    #[test]
    fn a_name_without_a_type_is_a_service() {
        assert_eq!(qualified("sshd").unwrap(), "sshd.service");
        assert_eq!(qualified("a.b").unwrap(), "a.b.service");
        assert_eq!(qualified("dev-vda.device").unwrap(), "dev-vda.device");
        assert_eq!([qualified("x y"), qualified(""), qualified("a/b")], [None, None, None]);
    }
}
