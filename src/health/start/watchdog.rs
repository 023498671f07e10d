//! The hardware watchdog, where the settings ask for it: the service manager of
//! the system that is entered feeds it, by a drop-in of systemd-system.conf(5)
//! that it reads as it takes over.

use std::time::Duration;

use anyhow::Result;

use crate::settings::Watchdog;
use crate::sys::files::{self, Root};

/// In /run: it ends with the start that was counted. The number leaves room for
/// an administrator's drop-in, which wins by its name.
const DROP_IN: &str = "/run/systemd/system.conf.d/10-health-checker.conf";
/// How long the end of a shutdown may take, when services are down: systemd's own
/// default, said here because a distribution may have none.
const REBOOT: Duration = Duration::from_secs(600);

/// Has the system that is entered arm it.
///
/// # Errors
/// The drop-in cannot be written: a machine that hangs hard stays so.
pub(super) fn arm(root: &Root, watchdog: Watchdog) -> Result<()> {
    match watchdog {
        Watchdog::Off => Ok(()),
        Watchdog::After(silence) => {
            files::replace(&root.join(DROP_IN), drop_in(silence).as_bytes(), 0o644)
        }
    }
}

fn drop_in(silence: Duration) -> String {
    let (silence, reboot) = (silence.as_secs(), REBOOT.as_secs());
    format!(
        "# By health-checker in the initrd (policy.watchdog).\n[Manager]\n\
         RuntimeWatchdogSec={silence}s\nRebootWatchdogSec={reboot}s\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_where_it_is_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::new(dir.path());
        arm(&root, Watchdog::Off).unwrap();
        assert!(!root.join("/run").exists());
        arm(&root, Watchdog::After(Duration::from_secs(90))).unwrap();
        let text = std::fs::read_to_string(root.join(DROP_IN)).unwrap();
        assert!(
            text.contains("[Manager]\nRuntimeWatchdogSec=90s\nRebootWatchdogSec=600s\n"),
            "{text}"
        );
    }
}
