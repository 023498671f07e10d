//! RPM's database is consistent, where there is one.

use std::process::Command;

use serde::{Deserialize, Serialize};

use super::value::On;
use super::{Check, Context, Finding, Keyed};
use crate::sys::command::{self, End};

/// Where the database is: openSUSE's place, and that of others.
const PLACES: [&str; 2] = ["/usr/lib/sysimage/rpm", "/var/lib/rpm"];
/// What it is in there, by backend (rpm-config(5)): sqlite, ndb, Berkeley DB. An empty
/// directory is no database: rpmdb would find nothing wrong with one that was lost.
const DATABASES: [&str; 3] = ["rpmdb.sqlite", "Packages.db", "Packages"];
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
        let root = &context.root;
        let holds_one = |place: &&&str| {
            DATABASES.iter().any(|database| root.join(place).join(database).exists())
        };
        let Some(place) = PLACES.iter().find(holds_one) else {
            return Finding::absent("there is no RPM database");
        };
        let Some(program) = PROGRAMS.iter().find(|path| root.join(path).exists()) else {
            return Finding::absent(format!("there is {place}, but no rpmdb program"));
        };
        // Not the one that rpm's macros name: they may lead elsewhere, to the caller's home even.
        let mut verify = Command::new(program);
        verify.args(["--dbpath", place, "--verifydb"]);
        match command::run(&mut verify, context.timeout) {
            Ok(output) => judge(output.end, output.last_line(), place),
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
