//! RPM's database is consistent, where there is one.

use std::process::Command;

use serde::{Deserialize, Serialize};

use super::value::On;
use super::{Check, Context, Finding, Keyed};
use crate::sys::command::{self, End};

/// Where the database is: openSUSE's place, and that of others.
const DATABASES: [&str; 2] = ["/usr/lib/sysimage/rpm", "/var/lib/rpm"];
const PROGRAMS: [&str; 2] = ["/usr/bin/rpmdb", "/bin/rpmdb"];

/// `{rpmdb: true}`
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RpmDb {
    rpmdb: On,
}

impl Keyed for RpmDb {
    const KEY: &'static str = "rpmdb";
}

impl Check for RpmDb {
    fn look(&self, context: &Context) -> Finding {
        let there = |path: &&&str| context.root.join(path).exists();
        let Some(database) = DATABASES.iter().find(there) else {
            return Finding::absent("there is no RPM database");
        };
        let Some(program) = PROGRAMS.iter().find(there) else {
            return Finding::absent(format!("there is {database}, but no rpmdb program"));
        };
        match command::run(Command::new(program).arg("--verifydb"), context.timeout) {
            Ok(output) => judge(output.end, output.last_line(), database),
            Err(e) => Finding::fail(format!("cannot run {program}: {e}")),
        }
    }
}

fn judge(end: End, said: &str, database: &str) -> Finding {
    match end {
        End::Exit(0) => Finding::pass(format!("{database} is consistent")),
        End::Timeout(_) => Finding::timeout(format!("{database}: {end}")),
        end => Finding::fail(format!("{database}: {end}: {said}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rpmdb_says_is_passed_on() {
        assert_eq!(judge(End::Exit(0), "", "/db").message, "/db is consistent");
        assert_eq!(judge(End::Exit(1), "bad page", "/db").message, "/db: exit status 1: bad page");
    }
}
