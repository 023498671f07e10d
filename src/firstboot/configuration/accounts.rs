//! Users, groups, passwords and keys.

use std::fmt;

use super::Placed;
use crate::firstboot::problem::Place;

/// Text that no message and no plan shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(redacted)")
    }
}

/// A group to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: Placed<String>,
    /// Users that are to be in it, whether it is new or not.
    pub members: Vec<Placed<String>>,
}

/// How a password is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hash {
    /// As crypt(5) has it: goes into `/etc/shadow` as it is.
    Hashed(Secret),
    /// As somebody types it: to be hashed.
    Plain(Secret),
    /// A new one at random, said on the console.
    Random,
}

/// Whether a password can be used (shadow(5): `!` before the hash).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lock {
    /// No login by password, whatever it is: what cloud-init does unless told otherwise.
    #[default]
    Locked,
    /// It can.
    Open,
}

/// A user to be there. For one that is there already, only groups, sudo rules and keys count.
#[allow(clippy::struct_excessive_bools, reason = "each is a key of its own")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The login name, and the place of all of it.
    pub name: Placed<String>,
    /// Comment, the real name.
    pub gecos: Option<String>,
    /// Home directory; by default `/home/NAME`, of root `/root`.
    pub homedir: Option<String>,
    /// The home directory is not made.
    pub no_create_home: bool,
    /// The login shell.
    pub shell: Option<String>,
    /// The number.
    pub uid: Option<u32>,
    /// Name of the main group; by default one of the user's own name.
    pub primary_group: Option<Placed<String>>,
    /// Further groups; those that are not there are made, unless `only_groups_there`.
    pub groups: Vec<Placed<String>>,
    /// Of the groups that are named, those that are not there are not made.
    pub only_groups_there: bool,
    /// No group of the user's own name is made.
    pub no_user_group: bool,
    /// A number below 1000, no home, no ageing.
    pub system: bool,
    /// Never asked for again: `YYYY-MM-DD`.
    pub expire_date: Option<String>,
    /// Days after which an expired password locks the account.
    pub inactive: Option<i64>,
    /// The password.
    pub password: Option<Hash>,
    /// Whether it can be used.
    pub lock: Lock,
    /// Lines of sudoers(5), without the name.
    pub sudo: Vec<Placed<String>>,
    /// Lines of `authorized_keys`.
    pub ssh_keys: Vec<Placed<String>>,
    /// Behind these keys there is no login, but a command that names this user: what
    /// `ssh_redirect_user` and `disable_root` ask for, and where.
    pub redirect_to: Option<Placed<String>>,
    /// Also the password of a user that is there already is changed.
    pub resets_password: bool,
}

impl User {
    /// One of whom nothing but the name is said yet: no login by password.
    pub fn new(name: Placed<String>) -> Self {
        Self {
            name,
            gecos: None,
            homedir: None,
            no_create_home: false,
            shell: None,
            uid: None,
            primary_group: None,
            groups: Vec::new(),
            only_groups_there: false,
            no_user_group: false,
            system: false,
            expire_date: None,
            inactive: None,
            password: None,
            lock: Lock::default(),
            sudo: Vec::new(),
            ssh_keys: Vec::new(),
            redirect_to: None,
            resets_password: false,
        }
    }
}

/// A password for a user that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPassword {
    /// Whose.
    pub user: Placed<String>,
    /// Which.
    pub password: Hash,
    /// Must be changed at the first login.
    pub expire: bool,
}

/// The ssh server.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ssh {
    /// `PasswordAuthentication`; `None` leaves it as it is.
    pub password_authentication: Option<Placed<bool>>,
    /// Host keys: file name below `/etc/ssh`, content, and whether it is secret.
    pub host_keys: Vec<(String, Secret, bool)>,
    /// The host keys that are there go first, so that every machine gets its own.
    pub delete_host_keys: bool,
    /// Where the first host key was asked for.
    pub place: Option<Place>,
}
