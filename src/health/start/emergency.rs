//! The initrd cannot go on: the root cannot be mounted, or something that it
//! needs. The rules decide as they do where checks have failed; where they know
//! nothing to try, dracut's own policy holds (`rd.shell=`, `rd.emergency=`).

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;

use super::effects::{Initrd, System};
use super::{Circumstances, is_pinned};
use crate::boot::{self, Loader, bls};
use crate::health::alert;
use crate::health::assess::policy;
use crate::health::decide::decide;
use crate::health::execute::execute;
use crate::health::facts::{Entry, Facts, Mode, Occasion, Place};
use crate::health::gather::{self, known};
use crate::health::plan::{Alert, Event, Plan};
use crate::health::preflight::{Preflight, decide_looking};
use crate::record::{State, handoff};
use crate::settings::{self, Alerts};
use crate::snapshot::disk::Disk;
use crate::snapshot::mounted::mount_at;
use crate::sys::cmdline::Cmdline;
use crate::sys::files::{self, Root};
use crate::sys::mount::Namespace;
use crate::sys::systemd::{self, questions};
use crate::sys::watch;

/// Left at the first time: who leaves the emergency shell comes by here again.
const TRIED: &str = "emergency";
/// How long systemd may take to say what has failed.
const ANSWER: Duration = Duration::from_secs(10);

/// Tries what the rules say, once. Returns where there is nothing (more) to try;
/// never fails, since dracut's own policy must come after it.
pub fn act(root: &Root, sysroot: &Path) {
    let cmdline = known("the kernel command line", Cmdline::of_this_boot()).unwrap_or_default();
    if let Some(why) = left_alone(root, &cmdline) {
        log::info!("nothing is tried: {why}");
        return;
    }
    known("whether this was tried before", files::replace(&tried(root), b"", 0o644));
    let problems = problems(sysroot, &cmdline);
    if let Err(e) = decide_and_act(root, sysroot, &cmdline, problems.clone()) {
        let alert = Alert {
            event: Event::NotActed,
            failed: problems,
            done: format!("nothing, and there was no automatic reboot: {e:#}"),
            advice: "see `journalctl -b` where a shell is offered; check the root device, and \
                     choose another snapshot or kernel in the boot menu"
                .to_owned(),
        };
        known("whether all were told", alert::alert(root, &Alerts::default(), &alert));
    }
}

fn tried(root: &Root) -> PathBuf {
    root.join(handoff::DIR).join(TRIED)
}

/// Why this is no failure, or not ours.
fn left_alone(root: &Root, cmdline: &Cmdline) -> Option<&'static str> {
    let target = cmdline.value("rd.systemd.unit").unwrap_or_default();
    let by_hand = cmdline.has("rd.break") || target.starts_with("emergency");
    if by_hand || target.starts_with("rescue") {
        return Some("somebody asked for this shell");
    }
    let now = known("the time", watch::monotonic()).unwrap_or_default();
    let asked = known("who asks for a password", questions::waiting(root, now));
    if asked.is_some_and(|questions| !questions.is_empty()) {
        return Some("a password is waited for");
    }
    tried(root).exists().then_some("it was tried before, in this boot")
}

/// What is wrong, in words.
fn problems(sysroot: &Path, cmdline: &Cmdline) -> Vec<String> {
    let failed = known("what has failed", systemd::failed(ANSWER)).unwrap_or_default();
    let mut problems: Vec<_> = failed.iter().map(|unit| format!("{unit} has failed")).collect();
    if known("what is mounted", mount_at(sysroot)).flatten().is_none() {
        let spec = cmdline.value("root").unwrap_or("(no root= on the command line)");
        problems.push(format!("the root, {spec}, is not mounted at {}", sysroot.display()));
    }
    if problems.is_empty() {
        problems.push("the initrd cannot go on".to_owned());
    }
    problems
}

fn decide_and_act(
    root: &Root,
    sysroot: &Path,
    cmdline: &Cmdline,
    problems: Vec<String>,
) -> Result<()> {
    let named = bls::named_snapshot(cmdline);
    let by_entry = boot::loader(root) == Loader::Bls && named.is_some();
    ensure!(!is_pinned(cmdline) || by_entry, "the command line names the subvolume");
    // dracut allows this prefix (dracut.cmdline(7)).
    let spec = cmdline.value("root").unwrap_or_default();
    let spec = spec.strip_prefix("block:").unwrap_or(spec);
    match Disk::rescue(sysroot, spec, named) {
        Ok(disk) => {
            let disk = disk.context("the root has no snapshots")?;
            on_disk(root, sysroot, cmdline, &disk, problems)?;
            disk.close()
        }
        Err(e) => {
            out_of_reach(root, cmdline, problems, &format!("{e:#}"));
            Ok(())
        }
    }
}

fn on_disk(
    root: &Root,
    sysroot: &Path,
    cmdline: &Cmdline,
    disk: &Disk,
    problems: Vec<String>,
) -> Result<()> {
    let here = Circumstances::of(disk, cmdline);
    if here.control.mode == Mode::Off {
        return Ok(());
    }
    let look = Preflight::of_disk(disk)?;
    let mut facts = here.facts(root, Occasion::Emergency);
    facts.booted_problems = problems;
    facts.durable = gather::durable(&here.store);
    let plan = decide_looking(&mut facts, policy(&here.settings), |it| look.of_target(it));
    let outside = &Namespace::of_this_thread()?;
    let system = System { sysroot, outside, disk, store: here.store };
    carry_out(root, Some(system), &plan);
    Ok(())
}

/// Not even the record can be read: what the firmware has counted is all that is known,
/// beside the settings that this initrd was made with.
fn out_of_reach(root: &Root, cmdline: &Cmdline, problems: Vec<String>, why: &str) {
    let settings = settings::read(root);
    let control = gather::control_in_initrd(&settings, cmdline);
    if control.mode == Mode::Off {
        return;
    }
    let reboots_in_firmware = gather::reboots_in_firmware(root);
    let nowhere = || format!("{why}; and the firmware keeps no count");
    let entry = || -> Result<Entry> {
        Ok(Entry { counted: bls::booted(root)?.counted, default_counted_out: false })
    };
    let facts = Facts {
        occasion: Occasion::Emergency,
        boot: gather::boot_id(),
        soft_reboots: 0,
        now: Timestamp::now(),
        control,
        shutting_down: false,
        booted: None,
        booted_problems: problems,
        given_up: None,
        default_at_start: None,
        default_now: None,
        entry: known("what the loader says", entry()).filter(|_| !boot::kexec()),
        loader_offers: None,
        default_descends: false,
        present: None,
        record: State::Unknown(why.to_owned()),
        durable: reboots_in_firmware.map(|_| Place::Firmware).ok_or_else(nowhere),
        reboots_in_firmware,
        judged: None,
        checks: Vec::new(),
    };
    carry_out(root, None, &decide(&facts, policy(&settings)));
}

fn carry_out(root: &Root, system: Option<System<'_>>, plan: &Plan) {
    log::warn!("{}: {}", plan.decision.action, plan.decision.reason);
    execute(plan, &mut Initrd::new(root, system, &plan.decision.reason).in_emergency());
}
