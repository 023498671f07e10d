//! Whose password becomes what.

use anyhow::Result;

use super::{Accounts, Planner, shadow};
use crate::firstboot::configuration::{Hash, Lock, NewPassword, User};
use crate::firstboot::plan::Change;
use crate::firstboot::problem::Place;

/// The password that a user's own entry asks for. One of a user that is there already counts
/// only if it is given as plain text, as with cloud-init.
pub(super) fn of_user(
    planner: &mut Planner,
    accounts: &mut Accounts,
    user: &User,
    is_new: bool,
) -> Result<()> {
    let name = user.name.value.as_str();
    let hash = match &user.password {
        None if is_new && user.lock == Lock::Open => shadow::NONE.to_owned(),
        None => return Ok(()),
        Some(Hash::Hashed(_)) if !is_new && !user.resets_password => return Ok(()),
        Some(Hash::Random) if user.lock == Lock::Locked => {
            let says = format!("{name} gets no password at random, as it would be locked");
            planner.warning(&user.name.place, says);
            return Ok(());
        }
        Some(Hash::Random) => {
            planner.passwords.push(Change::RandomPassword { user: name.to_owned(), expire: false });
            return Ok(());
        }
        Some(given) => match hashed(planner, &user.name.place, name, given)? {
            Some(hash) => hash,
            None => return Ok(()),
        },
    };
    let hash = match user.lock {
        Lock::Locked => shadow::locked(&hash),
        Lock::Open => hash,
    };
    set(accounts, name, &hash, planner.moment.today);
    Ok(())
}

/// What `chpasswd` asks for.
pub(super) fn change(
    planner: &mut Planner,
    accounts: &mut Accounts,
    new: &NewPassword,
) -> Result<()> {
    let NewPassword { user, password, expire } = new;
    let (name, place) = (user.value.as_str(), &user.place);
    if !accounts.passwd.has(name) {
        let says = format!(
            "there is no user {name:?} to get this password, and none is made: add it to users"
        );
        planner.error(place, says);
        return Ok(());
    }
    // The last one counts, as it would if they were set one after the other.
    let is_other = |it: &Change| !matches!(it, Change::RandomPassword { user, .. } if user == name);
    planner.passwords.retain(is_other);
    if *password == Hash::Random {
        let random = Change::RandomPassword { user: name.to_owned(), expire: *expire };
        planner.passwords.push(random);
        return Ok(());
    }
    let Some(hash) = hashed(planner, place, name, password)? else { return Ok(()) };
    let day = if *expire { Some(0) } else { planner.moment.today };
    set(accounts, name, &hash, day);
    Ok(())
}

fn set(accounts: &mut Accounts, name: &str, hash: &str, day: Option<i64>) {
    if !accounts.shadow.has(name) {
        accounts.shadow.push(&[name, "", "", "", "", "", "", "", ""]);
        accounts.passwd.set(name, 1, "x");
    }
    shadow::set(&mut accounts.shadow, name, hash, day);
}

/// The hash that a password is given as, or made into; `None` with a problem.
fn hashed(
    planner: &mut Planner,
    place: &Place,
    name: &str,
    given: &Hash,
) -> Result<Option<String>> {
    match given {
        Hash::Hashed(hash) if hash.0.contains(|c: char| c == ':' || c.is_control()) => {
            let says = format!(
                "the hash of {name}'s password contains a colon or a line end, which \
                 /etc/shadow cannot hold: write one as `openssl passwd -6` prints it"
            );
            planner.error(place, says);
            Ok(None)
        }
        Hash::Hashed(hash) => Ok(Some(hash.0.clone())),
        Hash::Plain(plain) => {
            let salt = (planner.moment.salt)()?;
            match shadow::hash(&plain.0, &salt) {
                Ok(hash) => Ok(Some(hash)),
                Err(e) => {
                    planner.error(place, format!("{name}: {e:#}"));
                    Ok(None)
                }
            }
        }
        Hash::Random => Ok(None),
    }
}
