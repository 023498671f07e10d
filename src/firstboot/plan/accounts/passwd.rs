//! New users: passwd(5), their entry of shadow(5), and their ranges of subuid(5).

use jiff::civil::Date;

use super::table::Table;
use super::{Accounts, Planner, no_name, shadow};
use super::{is_name, next_number};
use crate::firstboot::configuration::User;

/// What cannot be made of a user, in words.
type Refused = String;

impl Accounts {
    /// Makes a user that is not there, without a password.
    pub(super) fn add_user(&mut self, planner: &Planner, user: &User) -> Result<(), Refused> {
        let name = user.name.value.as_str();
        if !is_name(name) {
            return Err(no_name("user", name));
        }
        let uid = self.uid(user)?;
        let gid = self.primary_group(user, uid)?;
        let gecos = field("gecos", user.gecos.as_deref().unwrap_or_default())?;
        let home = field("homedir", &self.home(user))?;
        if !home.starts_with('/') {
            return Err(format!("homedir {home:?} is not absolute: write /{home}"));
        }
        let shell = field("shell", user.shell.as_deref().unwrap_or(&self.defaults.shell))?;
        let expire = user.expire_date.as_deref().map(days).transpose()?.unwrap_or_default();

        let ids = [uid, gid].map(|id| id.to_string());
        self.uids.insert(uid);
        self.passwd.push(&[name, "x", &ids[0], &ids[1], &gecos, &home, &shell]);
        let today = planner.moment.today.map(|day| day.to_string()).unwrap_or_default();
        let unset = [const { String::new() }; 3];
        let [least, most, warn] = if user.system { &unset } else { &self.defaults.ageing };
        let inactive = match user.inactive {
            Some(days) if days < 0 => String::new(),
            Some(days) => days.to_string(),
            None => self.defaults.inactive.clone(),
        };
        let entry = [name, shadow::LOCKED, &today, least, most, warn, &inactive, &expire, ""];
        if self.shadow.has(name) {
            // Left over from a user of that name: nobody knows that password.
            shadow::set(&mut self.shadow, name, shadow::LOCKED, planner.moment.today);
        } else {
            self.shadow.push(&entry);
        }
        if !user.system {
            self.subordinate(name);
        }
        Ok(())
    }

    /// `/home/NAME`, unless it is said otherwise.
    fn home(&self, user: &User) -> String {
        let name = &user.name.value;
        user.homedir.clone().unwrap_or_else(|| format!("{}/{name}", self.defaults.home))
    }

    fn uid(&self, user: &User) -> Result<u32, Refused> {
        let name = &user.name.value;
        if let Some(uid) = user.uid {
            let holder = || {
                let text = uid.to_string();
                let mut pairs = self.passwd.pairs(0, 2);
                pairs.find(|(_, id)| *id == text).map(|(name, _)| name.to_owned())
            };
            // The kernel takes it for "no number".
            if uid == u32::MAX {
                return Err(format!("uid {uid} of {name} is no number of a user"));
            }
            if self.uids.contains(&uid) {
                let holder = holder().unwrap_or_default();
                return Err(format!(
                    "uid {uid} of {name} is {holder}'s already: write another, or none, and a \
                     free one is taken"
                ));
            }
            return Ok(uid);
        }
        let range = if user.system { &self.defaults.system_uid } else { &self.defaults.uid };
        next_number(&self.uids, range, user.system).ok_or_else(|| {
            format!("no uid is free for {name} from {} to {}", range.start(), range.end())
        })
    }

    /// The number of the main group, which is made if it is not there.
    fn primary_group(&mut self, user: &User, uid: u32) -> Result<u32, Refused> {
        let name = &user.name.value;
        let number = |table: &Table, group: &str| {
            table.get(group, 2).and_then(|gid| gid.parse().ok()).or_else(|| group.parse().ok())
        };
        if let Some(group) = &user.primary_group {
            let group = &group.value;
            if let Some(gid) = number(&self.group, group) {
                return Ok(gid);
            }
            if user.only_groups_there {
                return Err(format!(
                    "there is no group {group} for {name} to be in, and create_groups is false: \
                     write the group under groups, too"
                ));
            }
            self.ensure_group(group, user.system)?;
            return number(&self.group, group).ok_or_else(|| format!("no group {group}"));
        }
        if user.no_user_group || !self.defaults.own_groups {
            let group = &self.defaults.group;
            return number(&self.group, group)
                .ok_or_else(|| format!("there is no group {group} for {name} to be in"));
        }
        if self.group.has(name) {
            return Err(format!(
                "there is a group {name} already, and so none can be made for the user: write \
                 \"primary_group: {name}\" if it is the same"
            ));
        }
        // The same number where that is free: for people who look at numbers.
        if self.gids.contains(&uid) {
            self.ensure_group(name, user.system)?;
        } else {
            self.push_group(name, uid);
        }
        number(&self.group, name).ok_or_else(|| format!("no group {name}"))
    }

    fn subordinate(&mut self, name: &str) {
        let (start, count) = (self.defaults.sub_start, self.defaults.sub_count);
        for table in [&mut self.subuid, &mut self.subgid].into_iter().flatten() {
            if count == 0 || table.has(name) {
                continue;
            }
            if let Some(first) = next_range(table, start, count) {
                table.push(&[name, &first.to_string(), &count.to_string()]);
            }
        }
    }
}

/// The first range of that size that overlaps no other.
fn next_range(table: &Table, start: u32, count: u32) -> Option<u32> {
    let parse = |(first, count): (&str, &str)| {
        Some((first.parse::<u32>().ok()?, count.parse::<u32>().ok()?))
    };
    let mut ranges: Vec<_> = table.pairs(1, 2).filter_map(parse).collect();
    ranges.sort_unstable();
    let mut first = start;
    for (other, size) in ranges {
        if first.checked_add(count)? <= other {
            break;
        }
        first = first.max(other.checked_add(size)?);
    }
    first.checked_add(count).map(|_| first)
}

/// What can stand in a field: a colon or a line end would make other fields, or another user.
fn field(key: &str, value: &str) -> Result<String, Refused> {
    match value.chars().find(|c| *c == ':' || c.is_control()) {
        Some(c) => Err(format!("{key} {value:?} contains {c:?}, which /etc/passwd cannot hold")),
        None => Ok(value.to_owned()),
    }
}

/// Days since 1970 of `YYYY-MM-DD`.
fn days(date: &str) -> Result<String, Refused> {
    if date.is_empty() {
        return Ok(String::new());
    }
    let since = |date: Date| date.since(Date::constant(1970, 1, 1)).ok().map(|it| it.get_days());
    let days = date.parse::<Date>().ok().and_then(since).filter(|days| *days >= 0);
    let days = days.ok_or_else(|| format!("expiredate {date:?} is no date: write 2030-12-31"))?;
    Ok(days.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::table::SUBUID;
    use super::*;

    #[test]
    fn dates_and_ranges() {
        assert_eq!(days("2026-01-01").unwrap(), "20454");
        days("soon").unwrap_err();
        for (file, next) in [
            ("", 100_000),
            ("a:100000:65536\n", 165_536),
            ("a:165536:65536\n", 100_000),
            ("b:165536:65536\na:100000:65536\n", 231_072),
        ] {
            let table = Table::parse(&SUBUID, file.as_bytes());
            assert_eq!(next_range(&table, 100_000, 65_536), Some(next), "{file}");
        }
    }
}
