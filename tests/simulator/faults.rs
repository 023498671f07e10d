//! Defects seeded into the rules and into the order of writes. Each stands for a
//! mistake that somebody could make in `decide`, and each must be caught.

use health_checker::health::decide::{self, Policy};
use health_checker::health::facts::Facts;
use health_checker::health::plan::{Action, End, Plan, Step};
use health_checker::record::{KnownGood, Record, State};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The default is changed before the intent is written.
    DefaultBeforeIntent,
    /// A reboot is not counted.
    RebootNotCounted,
    /// The record is not written before the reboot.
    RecordNotWritten,
    /// The snapshot that got its one reboot is forgotten.
    RetryForgotten,
    /// A rollback goes to the newest snapshot, good or not.
    TargetIsNewest,
    /// A snapshot that failed is entered as known good.
    FailedIsGood,
    /// A pass of a snapshot that was chosen by hand counts as one of the default.
    ByHandIsDefault,
    /// A snapshot that was chosen by hand is treated like the default.
    ByHandIgnored,
    /// A damaged record is taken for none.
    DamagedIsAbsent,
    /// A lost record is taken for one that never was: the machine starts over.
    LimitIgnored,
    /// If the count cannot be written, the machine reboots all the same.
    RebootUncounted,
    /// After a rollback, the update is blamed for what fails without it.
    AttributionIgnored,
    /// An update that finished meanwhile is taken back, whatever it came from.
    StrangerTakenBack,
    /// The rollback target is left to the clean-up.
    NotProtected,
    /// A healthy verdict leaves the counts as they are.
    CountsNotCleared,
    /// A shutdown that is under way is cut across.
    ShutdownIgnored,
    /// What the loader went back to is taken for a choice by hand.
    FallbackIgnored,
    /// A choice by hand is taken for the loader's fallback.
    FallbackPresumed,
    /// What the firmware has counted is not asked for.
    /// Only where the firmware keeps one, and that makes up for what others forget.
    FirmwareIgnored,
    /// Nobody tells GRUB that a start has come to its end.
    FlagNotCleared,
}

impl Fault {
    pub const ALL: [Self; 16] = [
        Self::DefaultBeforeIntent,
        Self::RebootNotCounted,
        Self::RecordNotWritten,
        Self::RetryForgotten,
        Self::TargetIsNewest,
        Self::FailedIsGood,
        Self::ByHandIsDefault,
        Self::ByHandIgnored,
        Self::DamagedIsAbsent,
        Self::LimitIgnored,
        Self::RebootUncounted,
        Self::AttributionIgnored,
        Self::StrangerTakenBack,
        Self::NotProtected,
        Self::CountsNotCleared,
        Self::ShutdownIgnored,
    ];
    /// What only such a loader brings out.
    pub const OF_ENTRIES: [Self; 1] = [Self::FallbackIgnored];
    pub const OF_GRUB: [Self; 3] =
        [Self::FallbackIgnored, Self::FallbackPresumed, Self::FlagNotCleared];
}

/// The real decision, with one fault in what it sees or in what it says.
pub fn decide(fault: Option<Fault>, facts: &Facts, policy: Policy) -> Plan {
    let Some(fault) = fault else { return decide::decide(facts, policy) };
    let mut seen = facts.clone();
    misread(fault, &mut seen);
    let mut plan = decide::decide(&seen, policy);
    misplan(fault, facts, &mut plan);
    plan
}

/// Faults in the rules' view of the facts.
fn misread(fault: Fault, facts: &mut Facts) {
    match fault {
        Fault::ByHandIgnored => facts.default_at_start = facts.booted,
        Fault::DamagedIsAbsent => {
            if matches!(facts.record, State::Unknown(_)) {
                facts.record = State::Absent;
            }
        }
        Fault::LimitIgnored => {
            if let State::Readable(record) = &mut facts.record {
                record.automatic_reboots = 0;
                record.retried = None;
            }
        }
        Fault::AttributionIgnored => {
            if let State::Readable(record) = &mut facts.record
                && let Some(rollback) = &mut record.rollback
            {
                rollback.failed = vec!["something else".to_owned()];
            }
        }
        Fault::StrangerTakenBack => facts.default_descends = true,
        Fault::FallbackIgnored => {
            facts.entry = None;
            facts.loader_offers = None;
        }
        Fault::FirmwareIgnored => facts.reboots_in_firmware = Some(0),
        Fault::FallbackPresumed => {
            if let State::Readable(record) = &mut facts.record {
                record.pending = facts.default_at_start;
            }
        }
        Fault::ShutdownIgnored => facts.shutting_down = false,
        _ => {}
    }
}

/// Faults in the plan that follows.
fn misplan(fault: Fault, facts: &Facts, plan: &mut Plan) {
    let records = |plan: &mut Plan, change: &dyn Fn(&mut Record)| {
        for step in &mut plan.steps {
            if let Step::WriteRecord(record) = step {
                change(record);
            }
        }
    };
    match fault {
        Fault::DefaultBeforeIntent => {
            let is_default = |step: &Step| matches!(step, Step::SetDefault(_));
            let is_intent = |step: &Step| matches!(step, Step::WriteRecord(_));
            let at = plan.steps.iter().position(is_default);
            if let (Some(at), Some(intent)) = (at, plan.steps.iter().position(is_intent)) {
                plan.steps.swap(at, intent);
            }
        }
        Fault::RebootNotCounted => records(plan, &|record| {
            record.automatic_reboots = record.automatic_reboots.saturating_sub(1);
        }),
        Fault::RecordNotWritten if plan.end == End::Reboot => {
            plan.steps.retain(|step| !matches!(step, Step::WriteRecord(_)));
        }
        Fault::RetryForgotten => records(plan, &|record| {
            record.retried = None;
            record.automatic_reboots = record.automatic_reboots.min(1);
        }),
        Fault::TargetIsNewest => {
            let newest =
                facts.present.iter().flatten().map(|it| it.snapshot).max_by_key(|it| it.number);
            let Some(newest) = newest else { return };
            records(plan, &|record| {
                if let Some(rollback) = &mut record.rollback {
                    rollback.to = newest;
                }
            });
            for step in &mut plan.steps {
                if let Step::SetDefault(target) = step {
                    *target = newest;
                }
            }
        }
        Fault::FailedIsGood if plan.decision.action == Action::Reboot => records(plan, &|record| {
            record.known_good.extend(facts.booted.map(|snapshot| KnownGood {
                snapshot,
                as_default: true,
                at: facts.now,
            }));
        }),
        Fault::ByHandIsDefault => records(plan, &|record| {
            for good in &mut record.known_good {
                good.as_default = true;
            }
        }),
        Fault::RebootUncounted => plan.otherwise.end = plan.end,
        Fault::FlagNotCleared => plan.steps.retain(|step| *step != Step::ClearFlag),
        Fault::NotProtected => plan.steps.retain(|step| !matches!(step, Step::Protect(_))),
        Fault::CountsNotCleared => records(plan, &|record| {
            let before = facts.record.readable().map_or(0, |record| record.automatic_reboots);
            record.automatic_reboots = record.automatic_reboots.max(before);
        }),
        _ => {}
    }
}
