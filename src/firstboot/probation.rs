//! May this configuration be applied again? One that was applied before, and led back to
//! the snapshot that it started from, has shown what it does.

use crate::record::{FirstBoot, INITRD, PRE_FLIGHT, Record, Rollback, UNFINISHED};
use crate::snapshot::Snapshot;

/// So often a configuration is applied whose snapshot came to no verdict.
const MOST_APPLICATIONS: u32 = 2;

/// How often it will have been applied if it is applied now.
///
/// # Errors
/// It is refused, for this reason.
pub(super) fn applications(
    record: Option<&Record>,
    sha256: &str,
    here: &Snapshot,
) -> Result<u32, String> {
    let Some(record) = record else { return Ok(1) };
    let same = |it: &&FirstBoot| it.sha256 == sha256 && it.pristine == here.id;
    let Some(done) = record.firstboot.as_ref().filter(same) else { return Ok(1) };
    let from_it = |it: &&Rollback| it.from == done.configured && it.to == done.pristine;
    let rollbacks = [record.rollback.as_ref(), record.last_rollback.as_ref()];
    let Some(rollback) = rollbacks.into_iter().flatten().find(from_it) else {
        // Cut before it became the default: that was none.
        return Ok(done.applications);
    };
    // What was found would be found again. Starts that came to nothing may have had another
    // reason, such as a lack of power.
    let is_found = |name: &&String| *name != UNFINISHED && *name != INITRD;
    let found: Vec<_> = rollback.failed.iter().filter(is_found).collect();
    if found.iter().any(|name| *name == PRE_FLIGHT) {
        return Err(format!(
            "it was applied before, and {} would not have come up with it ({} found that)",
            done.configured, PRE_FLIGHT
        ));
    }
    if !found.is_empty() {
        let names: Vec<_> = found.into_iter().map(String::as_str).collect();
        return Err(format!(
            "it was applied before, and in {} checks failed with it: {}",
            done.configured,
            names.join(", ")
        ));
    }
    if done.applications >= MOST_APPLICATIONS {
        return Err(format!(
            "it was applied {} times, and what it made never came to a verdict",
            done.applications
        ));
    }
    Ok(done.applications + 1)
}

/// Whether this system is what the configuration made, and its start was cut off before a verdict:
/// the word that asked for it may still be on the command line (Ignition's takes a service of the
/// started system away), and it would be done twice.
pub(super) fn is_under_way(record: Option<&Record>, sha256: &str, here: &Snapshot) -> bool {
    let Some(record) = record else { return false };
    let made_it = |done: &FirstBoot| done.sha256 == sha256 && done.configured == here.id;
    record.firstboot.as_ref().is_some_and(made_it) && record.starts_of(&here.id) > 0
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::record::SnapshotId;

    fn id(number: u32) -> SnapshotId {
        SnapshotId { number, uuid: Uuid::from_u128(number.into()) }
    }

    fn here(number: u32) -> Snapshot {
        Snapshot { id: id(number), subvolume: 256, parent: None, read_only: true }
    }

    fn record(applications: u32, failed: &[&str]) -> Record {
        let firstboot = FirstBoot {
            configured: id(2),
            pristine: id(1),
            source: "a stick".into(),
            sha256: "aa".into(),
            at: Timestamp::UNIX_EPOCH,
            applications,
            instance: None,
        };
        let failed = failed.iter().map(|&it| it.to_owned()).collect();
        let rollback = Rollback { from: id(2), to: id(1), failed, at: Timestamp::UNIX_EPOCH };
        Record { firstboot: Some(firstboot), rollback: Some(rollback), ..Record::default() }
    }

    #[test]
    fn what_was_condemned_is_refused_and_what_came_to_nothing_tried_once_more() {
        let condemned = record(1, &["pre-flight"]);
        let error = applications(Some(&condemned), "aa", &here(1)).unwrap_err();
        assert!(error.contains("snapshot 2 would not have come up"), "{error}");
        let unhealthy = record(1, &["starts without a verdict", "sshd", "payload"]);
        let error = applications(Some(&unhealthy), "aa", &here(1)).unwrap_err();
        assert!(error.ends_with("in snapshot 2 checks failed with it: sshd, payload"), "{error}");
        let nothing = |times| record(times, &["starts without a verdict"]);
        assert_eq!(applications(Some(&nothing(1)), "aa", &here(1)), Ok(2));
        assert!(applications(Some(&nothing(2)), "aa", &here(1)).unwrap_err().contains("2 times"));
    }

    #[test]
    fn a_system_that_has_not_come_to_a_verdict_yet_is_not_configured_again() {
        let mut record = record(1, &[]);
        assert!(!is_under_way(Some(&record), "aa", &here(2)), "it was up, and is asked for again");
        record.set_starts(id(2), Some(1));
        assert!(is_under_way(Some(&record), "aa", &here(2)));
        assert!(!is_under_way(Some(&record), "bb", &here(2)));
        assert!(!is_under_way(Some(&record), "aa", &here(1)));
        assert!(!is_under_way(None, "aa", &here(2)));
    }

    #[test]
    fn another_configuration_and_another_system_begin_anew() {
        let condemned = record(2, &["pre-flight"]);
        assert_eq!(applications(Some(&condemned), "bb", &here(1)), Ok(1));
        assert_eq!(applications(Some(&condemned), "aa", &here(5)), Ok(1));
        assert_eq!(applications(None, "aa", &here(1)), Ok(1));
        // Told by an older record, too.
        let mut told = record(1, &["pre-flight"]);
        told.last_rollback = told.rollback.take();
        assert!(applications(Some(&told), "aa", &here(1)).is_err());
    }
}
