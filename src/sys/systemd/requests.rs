//! What the service manager is asked to do, and what it has in its queue. Each
//! request is queued, and the caller goes on.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sys::reboot::{self, RebootMode};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::systemctl;
use crate::sys::command;

/// How long a forced reboot may take to begin.
const FORCED: Duration = Duration::from_secs(30);

/// The units that wait for their start: what a boot under way is still to bring.
///
/// # Errors
/// systemctl does not run or does not answer in time.
pub fn queued_starts(limit: Duration) -> Result<Vec<String>> {
    let output =
        systemctl(&["list-jobs", "--no-legend", "--no-pager", "--plain", "--full"], limit)?;
    Ok(starts(&output.stdout))
}

/// Lines of number, unit, type, state.
fn starts(text: &str) -> Vec<String> {
    let starting = |line: &str| {
        let mut words = line.split_whitespace().skip(1);
        let unit = words.next()?;
        matches!(words.next()?, "start" | "restart").then(|| unit.to_owned())
    };
    text.lines().filter_map(starting).collect()
}

/// Starts a reboot and returns. Not `systemctl reboot`: that asks logind, for
/// which it may wait half a minute in a boot that hangs.
///
/// # Errors
/// Neither systemctl nor PID 1 took the request.
pub fn reboot(limit: Duration) -> Result<()> {
    let asked = queue(&["start", "--job-mode=replace-irreversibly", "reboot.target"], limit);
    let Err(e) = asked else { return Ok(()) };
    log::warn!("{e:#}; signalling PID 1 instead");
    // SIGINT to PID 1 is Ctrl-Alt-Del: ctrl-alt-del.target, reboot (systemd(1)).
    kill(Pid::from_raw(1), Signal::SIGINT).context("cannot signal PID 1")
}

/// Starts the end of the machine's run by this target (`poweroff.target`, `halt.target`) and returns.
///
/// # Errors
/// systemctl did not take the request.
pub fn end_by(target: &str, limit: Duration) -> Result<()> {
    queue(&["start", "--job-mode=replace-irreversibly", target], limit)
}

/// Has logind end the machine's run in so many minutes, and tell who is logged in: `how` is
/// `--reboot`, `--poweroff` or `--halt` (shutdown(8)). `shutdown -c` takes it back.
///
/// # Errors
/// It was not taken.
pub fn shut_down_in(minutes: u64, how: &str, message: Option<&str>, limit: Duration) -> Result<()> {
    let mut command = Command::new("shutdown");
    command.args([how, &format!("+{minutes}")]).args(message);
    let output = command::run(&mut command, limit).context("cannot run shutdown")?;
    ensure!(output.success(), "shutdown {how}: {}, {}", output.end, output.last_line());
    Ok(())
}

/// Reboots past all jobs and units, for an initrd that cannot go on: file systems
/// are unmounted, and nothing else is stopped in order. Does not return, since
/// whoever called would go on to what comes after a failure.
///
/// # Errors
/// Not even the kernel takes the request.
pub fn reboot_by_force() -> Result<()> {
    match systemctl(&["reboot", "--force", "--no-wall"], FORCED) {
        // Until everything is killed, this process too: nobody will unpark it.
        Ok(_) => std::thread::park_timeout(FORCED),
        Err(e) => log::warn!("{e:#}; asking the kernel instead"),
    }
    nix::unistd::sync();
    reboot::reboot(RebootMode::RB_AUTOBOOT).context("the kernel does not reboot")?;
    Ok(())
}

/// Isolates a target and returns before it is reached: the caller is itself
/// among what is stopped.
///
/// # Errors
/// systemctl did not take the request.
pub fn isolate(target: &str, limit: Duration) -> Result<()> {
    queue(&["start", "--job-mode=isolate", target], limit)
}

/// Makes PID 1 read its units again, drop-ins too.
///
/// # Errors
/// It did not, or not in time.
pub fn reload(limit: Duration) -> Result<()> {
    systemctl(&["daemon-reload"], limit).map(drop)
}

/// Queues the start of a unit and returns.
///
/// # Errors
/// The request was not taken.
pub fn start(unit: &str, limit: Duration) -> Result<()> {
    queue(&["start", unit], limit)
}

/// Queues the stop of a unit and returns.
///
/// # Errors
/// The request was not taken.
pub fn stop(unit: &str, limit: Duration) -> Result<()> {
    queue(&["stop", unit], limit)
}

fn queue(arguments: &[&str], limit: Duration) -> Result<()> {
    let all = [arguments, &["--no-block", "--no-ask-password"]].concat();
    systemctl(&all, limit).with_context(|| arguments.join(" ")).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_starts_are_queued_starts() {
        let text = "  7 getty@tty1.service start waiting\n12 web.service stop running\n\
                    90 multi-user.target start waiting\nNo jobs running.\n";
        assert_eq!(starts(text), ["getty@tty1.service", "multi-user.target"]);
    }
}
