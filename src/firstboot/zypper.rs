//! How zypper(8) ends, by the section EXIT CODES of its manual.

/// What it means to a configuration that is applied whole or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All of it was done.
    Done,
    /// Not all of it, or not so that it can be relied on: why.
    Failed(&'static str),
}

/// What an exit status of zypper's means.
///
/// That a restart is needed, of the machine or of zypper itself, is no failure: the system has not
/// been started yet, and zypper is not called again by itself. A repository that was skipped is
/// one: what is installed may be an older version, without the fixes that were asked for. So is a
/// package whose script failed: it is there, and may not work.
pub fn ended(status: i32) -> Ended {
    Ended::Failed(match status {
        0 | 102 | 103 => return Ended::Done,
        1 => "an error in zypper itself",
        2 | 3 => "zypper does not know these arguments",
        4 => "a repository or a dependency is not in order",
        5 => "zypper needs to be root",
        6 => "no repository is enabled",
        7 => "another program uses the packages",
        8 => "a package could not be fetched, verified or installed",
        104 => "there is no such package, or not in this version",
        105 => "a signal ended it",
        106 => "a repository was skipped, because it could not be refreshed",
        107 => "a script of a package failed: the package may not work",
        _ => "zypper's manual has no such exit status",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_and_what_is_not() {
        for status in [0, 102, 103] {
            assert_eq!(ended(status), Ended::Done, "{status}");
        }
        for (status, says) in [
            (4, "repository"),
            (6, "no repository is enabled"),
            (8, "verified"),
            (104, "no such package"),
            (106, "skipped"),
            (107, "script"),
            // A newer version exists: an answer to questions that are not asked here.
            (100, "no such exit status"),
            (-1, "no such exit status"),
        ] {
            let Ended::Failed(why) = ended(status) else { panic!("{status}") };
            assert!(why.contains(says), "{status}: {why}");
        }
    }
}
