//! What may happen at one boot: every combination.

use super::world::{Stored, World};

/// One boot's circumstances.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a thing that happens or not")]
pub struct Event {
    /// An update since the last boot made this snapshot, from the default, the default.
    pub update_before: Option<u8>,
    /// The snapshot that somebody chose in the boot menu.
    pub chosen: Option<u8>,
    /// The loader finds its flag set, and starts what it was told is known good.
    pub falls_back: bool,
    /// The required checks that fail.
    pub failing: &'static [&'static str],
    /// What is wrong with the record.
    pub trouble: Trouble,
    /// What became the default while this boot ran.
    pub meanwhile: Meanwhile,
    /// What is about to be entered would not come up, if it has never been good.
    pub broken: bool,
    /// The running kernel is not one of the rollback target's.
    pub other_kernel: bool,
    /// A snapshot cannot be mounted in place of another.
    pub enter_fails: bool,
    /// The newest known good snapshot would not boot any more.
    pub target_broken: bool,
    /// Which snapshot is running cannot be found out.
    pub booted_unknown: bool,
    /// The loader's entries cannot be changed.
    pub boot_partition_fails: bool,
    /// A shutdown is under way when the decision falls.
    pub stopping: bool,
    /// The boot hangs before any verdict, until somebody pulls the plug.
    pub hangs: bool,
    /// The initrd cannot go on.
    pub emergency: bool,
    /// Because it does not see the disk.
    pub out_of_reach: bool,
    /// Before any verdict, somebody shuts the machine down in order.
    pub ended: bool,
}

/// What is wrong with the record in this boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    None,
    /// It cannot be written, and that is known.
    ReadOnly,
    /// It can be written when that is tried, and not any more when it matters.
    WriteFails,
    /// It is gone.
    Lost,
    /// It is damaged.
    Damaged,
    /// The default subvolume cannot be changed.
    SetDefaultFails,
}

/// What an update that finishes meanwhile makes the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meanwhile {
    Nothing,
    /// A snapshot of the booted one.
    Descendant,
    /// A snapshot of another one.
    Stranger,
}

const TROUBLES: [Trouble; 6] = [
    Trouble::None,
    Trouble::ReadOnly,
    Trouble::WriteFails,
    Trouble::Lost,
    Trouble::Damaged,
    Trouble::SetDefaultFails,
];

/// Everything that may happen next.
pub fn all(world: &World) -> Vec<Event> {
    let mut events = Vec::new();
    for update_before in [None, world.free_number()] {
        if update_before.is_none() && !events.is_empty() {
            continue; // no number was free: the first round was this one
        }
        for chosen in choices(world) {
            for failing in [&[][..], &["a"], &["b"], &["a", "b"]] {
                for trouble in TROUBLES {
                    if !possible(world, trouble) {
                        continue;
                    }
                    with_the_rest(world, &mut events, update_before, chosen, failing, trouble);
                }
            }
        }
    }
    if world.fallback().is_some() {
        fallbacks(&mut events, world);
    }
    events
}

/// The loader's entry names the snapshot, so the initrd does nothing.
fn fallbacks(events: &mut Vec<Event>, world: &World) {
    for failing in [&[][..], &["a"]] {
        for trouble in TROUBLES.into_iter().filter(|it| possible(world, *it)) {
            let mut all = Vec::new();
            with_the_rest(world, &mut all, None, None, failing, trouble);
            let not_initrd = |it: &Event| !(it.broken || it.emergency);
            let of_loader = |it| Event { falls_back: true, ..it };
            events.extend(all.into_iter().filter(not_initrd).map(of_loader));
        }
    }
}

/// The rarer circumstances come one at a time: two of them in one boot, with all
/// the rest, would only multiply the same ways through the rules.
fn with_the_rest(
    world: &World,
    events: &mut Vec<Event>,
    update_before: Option<u8>,
    chosen: Option<u8>,
    failing: &'static [&'static str],
    trouble: Trouble,
) {
    let usual = Event {
        update_before,
        chosen,
        falls_back: false,
        failing,
        trouble,
        meanwhile: Meanwhile::Nothing,
        broken: false,
        other_kernel: false,
        enter_fails: false,
        target_broken: false,
        booted_unknown: false,
        boot_partition_fails: false,
        stopping: false,
        hangs: false,
        emergency: false,
        out_of_reach: false,
        ended: false,
    };
    events.push(usual.clone());
    if world.has_entries() {
        events.push(Event { boot_partition_fails: true, ..usual.clone() });
    }
    events.push(Event { meanwhile: Meanwhile::Descendant, ..usual.clone() });
    events.push(Event { meanwhile: Meanwhile::Stranger, ..usual.clone() });
    events.push(Event { target_broken: true, ..usual.clone() });
    events.push(Event { broken: true, ..usual.clone() });
    events.push(Event { broken: true, other_kernel: true, ..usual.clone() });
    events.push(Event { broken: true, enter_fails: true, ..usual.clone() });
    events.push(Event { booted_unknown: true, ..usual.clone() });
    events.push(Event { stopping: true, ..usual.clone() });
    if failing.is_empty() {
        events.push(Event { hangs: true, ..usual.clone() });
        events.push(Event { emergency: true, ..usual.clone() });
        events.push(Event { emergency: true, target_broken: true, ..usual.clone() });
        if matches!(trouble, Trouble::None | Trouble::WriteFails) {
            events.push(Event { emergency: true, out_of_reach: true, ..usual.clone() });
        }
        events.push(Event { ended: true, ..usual });
    }
}

fn choices(world: &World) -> Vec<Option<u8>> {
    let others = world.present().filter(|number| *number != world.default());
    std::iter::once(None).chain(others.map(Some)).collect()
}

/// Only what is there can be lost or damaged.
fn possible(world: &World, trouble: Trouble) -> bool {
    match trouble {
        Trouble::Lost | Trouble::Damaged => *world.stored() != Stored::Absent,
        _ => true,
    }
}
