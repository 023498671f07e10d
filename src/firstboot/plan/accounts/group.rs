//! Groups: group(5) and gshadow(5).

use super::{Accounts, Planner, is_name, next_number, no_name};
use crate::firstboot::configuration::{Group, Placed};

/// A group to be there: one that is, stays.
pub(super) fn plan(planner: &mut Planner, accounts: &mut Accounts, group: &Placed<String>) {
    if let Err(what) = accounts.ensure_group(&group.value, false) {
        planner.error(&group.place, what);
    }
}

/// Its members, once users are there.
pub(super) fn members(planner: &mut Planner, accounts: &mut Accounts, group: &Group) {
    for member in &group.members {
        if accounts.passwd.has(&member.value) {
            accounts.join(&group.name.value, &member.value);
        } else {
            let (member, name) = (member, &group.name.value);
            planner.warning(
                &member.place,
                format!(
                    "there is no user {:?} to be in the group {name}, and none is made: it is \
                     left out",
                    member.value
                ),
            );
        }
    }
}

impl Accounts {
    /// Makes a group with a number of its own, unless it is there.
    pub(super) fn ensure_group(&mut self, name: &str, system: bool) -> Result<(), String> {
        if self.group.has(name) {
            return Ok(());
        }
        if !is_name(name) {
            return Err(no_name("group", name));
        }
        let range = if system { &self.defaults.system_gid } else { &self.defaults.gid };
        let gid = next_number(&self.gids, range, system).ok_or_else(|| {
            format!(
                "no number is free for the group {name} from {} to {}",
                range.start(),
                range.end()
            )
        })?;
        self.push_group(name, gid);
        Ok(())
    }

    pub(super) fn push_group(&mut self, name: &str, gid: u32) {
        self.gids.insert(gid);
        self.group.push(&[name, "x", &gid.to_string(), ""]);
        if let Some(gshadow) = &mut self.gshadow {
            gshadow.push(&[name, "!", "", ""]);
        }
    }

    /// Puts a user into a group that is there.
    pub(super) fn join(&mut self, group: &str, user: &str) {
        self.group.add_to_list(group, 3, user);
        if let Some(gshadow) = &mut self.gshadow {
            gshadow.add_to_list(group, 3, user);
        }
    }
}
