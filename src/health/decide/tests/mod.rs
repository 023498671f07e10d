//! The table of the rules, a row a case; the simulator in `tests/` goes through
//! what a table cannot hold.

mod fallback;
mod out_of_reach;
mod probation;
mod start;
mod verdict;

use jiff::Timestamp;
use uuid::Uuid;

use super::*;
use crate::health::checks::{Ending, Outcome};
use crate::health::facts::{Candidate, Control, Place};
use crate::record::{KnownGood, Record, SnapshotId, Starts, State};

const POLICY: Policy = Policy { keep: 2, unfinished_boots: 3 };

fn id(number: u32) -> SnapshotId {
    SnapshotId { number, uuid: Uuid::from_u128(number.into()) }
}

fn good(number: u32) -> KnownGood {
    KnownGood { snapshot: id(number), as_default: true, at: Timestamp::UNIX_EPOCH }
}

fn failing(name: &str, required: bool) -> Outcome {
    Outcome {
        name: name.into(),
        kind: "unit".into(),
        required,
        outcome: Ending::Fail,
        duration_ms: 1,
        observed: std::collections::BTreeMap::new(),
        message: "dead".into(),
    }
}

/// Snapshots 1 and 2; 2 is booted and the default, 1 is known good.
fn facts(checks: &[&str]) -> Facts {
    let candidate =
        |number| Candidate { snapshot: id(number), problems: Vec::new(), fits_kernel: true };
    Facts {
        booted_problems: Vec::new(),
        given_up: None,
        occasion: Occasion::Verdict,
        boot: Uuid::from_u128(9),
        soft_reboots: 0,
        now: Timestamp::UNIX_EPOCH,
        control: Control { mode: Mode::Enforce, may_reboot: true, act_again: false },
        shutting_down: false,
        booted: Some(id(2)),
        default_at_start: Some(id(2)),
        default_now: Some(id(2)),
        entry: None,
        loader_offers: None,
        default_descends: false,
        present: Some(vec![candidate(1), candidate(2)]),
        record: State::Readable(Record { known_good: vec![good(1)], ..Record::default() }),
        durable: Ok(Place::Record),
        reboots_in_firmware: None,
        judged: None,
        checks: checks.iter().map(|name| failing(name, true)).collect(),
    }
}

fn record(facts: &mut Facts) -> &mut Record {
    match &mut facts.record {
        State::Readable(record) => record,
        other => panic!("{other:?}"),
    }
}

type Change = fn(&mut Facts);
