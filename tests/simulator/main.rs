//! The simulator: the real `decide` and the real executor over a machine whose
//! every write may be the last.
//!
//! From a fresh system it follows every combination of what may happen at a boot
//! ([`events`]), cuts the power after every effect of every plan, and goes on
//! from each state that this leaves, several boots deep. [`world`] is the
//! machine, its rules of conduct included; [`loader`] what starts it; [`faults`] are
//! defects seeded into rules and write order, each of which the search must find.
//!
//! There is one search for each kind of loader, since no machine has two:
//!
//! - none of its own: the default is entered. Four boots from a fresh system, the longest
//!   chain that the rules allow between two healthy verdicts: three automatic reboots and
//!   a safe mode.
//! - the same with a firmware that keeps a count where the disk is out of reach: three.
//! - entries that are counted, with such a firmware: three boots from a fresh system.
//! - GRUB with its flag: three boots from a first one that was healthy. Before that, GRUB
//!   has nothing to fall back to, and is as none. Three are an update that hangs, the
//!   fallback with its cuts, and what follows from each.
//!
//! In each, starts by somebody's choice, damaged and lost records, full disks, updates that
//! come meanwhile, hangs and orderly ends are among the events; the rarer ones one at a
//! time. With `SIMULATOR_DEPTH=5` instead of 4 each goes one boot deeper: that takes many
//! minutes.

#![allow(unreachable_pub, reason = "a test program has no outside")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

mod compact;
mod events;
mod faults;
mod loader;
mod rows;
mod world;

use std::collections::HashSet;
use std::io::Write;
use std::thread;
use std::time::Instant;

use faults::Fault;
use health_checker::health::decide::{self, Policy};
use health_checker::health::execute::execute;
use health_checker::health::facts::Occasion;
use health_checker::health::plan::End;
use world::World;

/// Boots deep where the loader adds nothing.
fn depth() -> usize {
    let asked = std::env::var("SIMULATOR_DEPTH").ok();
    asked.map_or(4, |depth| depth.parse().expect("SIMULATOR_DEPTH is a number"))
}

type Worlds = HashSet<World, compact::Quick>;

const POLICY: Policy = Policy { keep: 2, unfinished_boots: 3 };

#[derive(Debug, Default)]
struct Count {
    states: usize,
    plans: usize,
    cuts: usize,
}

/// Searches; the first violation ends it.
fn search(fresh: World, fault: Option<Fault>, depth: usize) -> Result<Count, String> {
    let mut count = Count::default();
    let mut seen = Worlds::from_iter([fresh.clone()]);
    let mut frontier = vec![fresh];
    for _ in 0..depth {
        let half = frontier.len().div_ceil(2);
        let parts = thread::scope(|scope| {
            let search = |part| scope.spawn(move || boots_of(part, fault));
            let running: Vec<_> = frontier.chunks(half.max(1)).map(search).collect();
            running.into_iter().map(|part| part.join().unwrap()).collect::<Result<Vec<_>, _>>()
        })?;
        frontier = Vec::new();
        for (worlds, part) in parts {
            count.plans += part.plans;
            count.cuts += part.cuts;
            frontier.extend(worlds.into_iter().filter(|world| seen.insert(world.clone())));
        }
    }
    count.states = seen.len();
    Ok(count)
}

/// Every state that one boot of these may leave.
fn boots_of(worlds: &[World], fault: Option<Fault>) -> Result<(Worlds, Count), String> {
    let mut count = Count::default();
    let mut left = Worlds::default();
    for world in worlds {
        for event in events::all(world) {
            left.extend(boot(world, &event, fault, &mut count)?);
        }
    }
    Ok((left, count))
}

/// One boot: an initrd that cannot go on ends it; else the start is counted, and if
/// that does not end it and nothing hangs, there is a verdict. Returns every state that
/// this may leave.
fn boot(
    world: &World,
    event: &events::Event,
    fault: Option<Fault>,
    count: &mut Count,
) -> Result<Vec<World>, String> {
    let mut started = world.clone();
    started.start(event);
    if event.emergency {
        return Ok(phase(&started, event, Occasion::Emergency, fault, count)?.0);
    }
    let (mut left, entered) = if world.is_pinned(event) {
        (Vec::new(), Some(started))
    } else {
        phase(&started, event, Occasion::Start, fault, count)?
    };
    if let Some(entered) = entered {
        if event.hangs {
            left.push(entered.at_rest());
        } else if event.ended {
            left.extend(ended(&entered, event, count)?);
        } else {
            let mut checked = entered;
            checked.checked(event);
            left.extend(phase(&checked, event, Occasion::Verdict, fault, count)?.0);
        }
    }
    Ok(left)
}

/// An orderly end before the verdict. Returns every state that it may leave.
fn ended(entered: &World, event: &events::Event, count: &mut Count) -> Result<Vec<World>, String> {
    let facts = entered.facts(event, Occasion::Verdict);
    let plan = decide::ended(&facts);
    let mut left = Vec::new();
    for cut in 0..=2 {
        let mut world = entered.clone();
        world.cut_after(cut);
        execute(&plan, &mut world);
        count.cuts += 1;
        world.verdict()?;
        if cut == 2 {
            world.is_uncounted(&facts)?;
        }
        left.push(world.at_rest());
    }
    Ok(left)
}

/// Gathers, decides, and carries the plan out once whole and once for each
/// effect that may have been the last. Returns the states in which the boot has
/// ended, and the one in which it goes on.
fn phase(
    started: &World,
    event: &events::Event,
    occasion: Occasion,
    fault: Option<Fault>,
    count: &mut Count,
) -> Result<(Vec<World>, Option<World>), String> {
    let facts = started.facts(event, occasion);
    let plan = faults::decide(fault, &facts, POLICY);
    count.plans += 1;
    let explain = |e: String| format!("{e}\n  event: {event:?}\n  plan: {plan:#?}\n  {started:#?}");
    let mut left = Vec::new();
    for cut in 0.. {
        let mut world = started.clone();
        world.cut_after(cut);
        let end = execute(&plan, &mut world);
        count.cuts += 1;
        world.verdict().map_err(explain)?;
        if world.was_cut() {
            left.push(world.at_rest());
            continue;
        }
        world.conclude(event, &facts, &plan, end).map_err(explain)?;
        if occasion == Occasion::Verdict && end == End::GoOn {
            world.bless();
        }
        // Safe mode is entered by the system that comes up.
        if occasion == Occasion::Start && end != End::Reboot {
            return Ok((left, Some(world)));
        }
        left.push(world.at_rest());
        break;
    }
    Ok((left, None))
}

/// Searches, and says how far.
fn keeps_the_rules(loader: &str, start: World, depth: usize) -> Count {
    let begun = Instant::now();
    let count = search(start, None, depth).unwrap_or_else(|violation| panic!("{violation}"));
    // Past the test runner, which keeps what a passing test prints to itself.
    let (states, plans, cuts) = (count.states, count.plans, count.cuts);
    let mut out = std::io::stdout();
    let seconds = begun.elapsed().as_secs_f64();
    writeln!(
        out,
        "simulator, {loader}: {states} states, {plans} plans, {cuts} cuts, {depth} boots deep, \
         {seconds:.0} s"
    )
    .unwrap();
    count
}

/// Which of these faults the search does not find.
fn missed(faults: &[Fault], start: &World, depth: usize) -> Vec<Fault> {
    let is_missed = |fault: &Fault| search(start.clone(), Some(*fault), depth).is_ok();
    faults.iter().copied().filter(is_missed).collect()
}

#[test]
fn every_combination_of_events_and_cuts_keeps_the_rules() {
    let count = keeps_the_rules("no loader of its own", World::fresh(), depth());
    assert!(count.states > 10_000 && count.cuts > 1_000_000, "{count:?}");
}

#[test]
fn a_firmware_that_counts_keeps_the_rules() {
    let count = keeps_the_rules("firmware", World::fresh().with_firmware(), depth() - 1);
    assert!(count.states > 1_000 && count.cuts > 100_000, "{count:?}");
}

#[test]
fn a_loader_that_counts_keeps_the_rules() {
    let count =
        keeps_the_rules("entries", World::fresh_with_entries().with_firmware(), depth() - 1);
    assert!(count.states > 10_000 && count.cuts > 1_000_000, "{count:?}");
}

#[test]
fn grub_with_its_flag_keeps_the_rules() {
    let count = keeps_the_rules("GRUB", settled_with_grub(), depth() - 1);
    assert!(count.states > 10_000 && count.cuts > 1_000_000, "{count:?}");
}

/// A machine with GRUB whose first snapshot was healthy: before that, there is nothing
/// to fall back to, and GRUB is as any other loader.
fn settled_with_grub() -> World {
    let fresh = World::fresh_with_grub();
    let healthy = events::all(&fresh).swap_remove(0);
    let left = boot(&fresh, &healthy, None, &mut Count::default()).unwrap();
    left.into_iter().next_back().unwrap()
}

#[test]
fn every_seeded_fault_is_caught() {
    for (start, depth, own) in [
        (World::fresh(), depth(), &[][..]),
        (World::fresh_with_entries(), depth() - 1, &Fault::OF_ENTRIES),
        (settled_with_grub(), depth() - 1, &Fault::OF_GRUB),
    ] {
        for faults in [&Fault::ALL[..], own] {
            assert_eq!(missed(faults, &start, depth), [], "from {start:?}");
        }
    }
    for start in [World::fresh().with_firmware(), World::fresh_with_entries().with_firmware()] {
        assert_eq!(missed(&[Fault::FirmwareIgnored], &start, depth() - 1), []);
    }
}

#[test]
fn without_leave_to_act_nothing_is_touched() {
    let facts = rows::facts();
    rows::observing_touches_nothing(&facts);
    rows::no_reboot_where_it_is_switched_off(&facts);
    rows::a_second_verdict_in_one_boot_changes_nothing(&facts);
}
