//! May this configuration be applied again? One that was applied before, and led back to
//! the snapshot that it started from, has shown what it does.

use crate::record::{PRE_FLIGHT, Record, Rollback};
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
    let same = |it: &&crate::record::FirstBoot| it.sha256 == sha256 && it.pristine == here.id;
    let Some(done) = record.firstboot.as_ref().filter(same) else { return Ok(1) };
    let from_it = |it: &&Rollback| it.from == done.configured && it.to == done.pristine;
    let rollbacks = [record.rollback.as_ref(), record.last_rollback.as_ref()];
    let Some(rollback) = rollbacks.into_iter().flatten().find(from_it) else {
        // Cut before it became the default: that was none.
        return Ok(done.applications);
    };
    // What is seen of its files would be seen again. Starts without a verdict may have had
    // another reason, such as a lack of power.
    if rollback.failed.iter().any(|name| name == PRE_FLIGHT) {
        return Err(format!(
            "it was applied before, and {} would not have come up with it ({} found that)",
            done.configured, PRE_FLIGHT
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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::record::{FirstBoot, SnapshotId};

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
        let nothing = |times| record(times, &["starts without a verdict"]);
        assert_eq!(applications(Some(&nothing(1)), "aa", &here(1)), Ok(2));
        assert!(applications(Some(&nothing(2)), "aa", &here(1)).unwrap_err().contains("2 times"));
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
