//! Enough room on a file system, for an ordinary user: what is kept for root
//! does not count (statvfs(3)).

use nix::sys::statvfs::statvfs;
use serde::{Deserialize, Serialize};

use super::size::{Size, shown};
use super::value::Absolute;
use super::{Check, Context, Finding, Keyed};

/// `{free_space: {path: /var, at_least: 200MiB}}`
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FreeSpace {
    free_space: Space,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Space {
    path: Absolute,
    at_least: Size,
}

impl Keyed for FreeSpace {
    const KEY: &'static str = "free_space";
}

impl Check for FreeSpace {
    fn required(&self) -> bool {
        false
    }

    fn look(&self, context: &Context) -> Finding {
        let path = context.root.join(self.free_space.path.path());
        match statvfs(&path) {
            Ok(stat) => {
                let block = stat.fragment_size();
                let (free, whole) = (stat.blocks_available() * block, stat.blocks() * block);
                judge(free, whole, self.free_space.at_least, "free")
            }
            Err(e) => Finding::fail(format!("cannot look at {}: {e}", path.display())),
        }
    }
}

pub(super) fn judge(free: u64, whole: u64, at_least: Size, what: &str) -> Finding {
    let seen = format!("{} of {} {what}", shown(free), shown(whole));
    if free >= at_least.of(whole) {
        Finding::pass(seen)
    } else {
        Finding::fail(format!("{seen}, less than {at_least}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enough_is_at_least_as_much_as_asked_for() {
        let message = |free, at_least| judge(free, 1 << 30, at_least, "free").message;
        assert_eq!(message(200 << 20, Size::Bytes(200 << 20)), "200MiB of 1GiB free");
        assert_eq!(message(100 << 20, Size::Percent(10)), "100MiB of 1GiB free, less than 10%");
    }
}
