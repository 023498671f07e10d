//! zypper's repositories, and packages.

use super::Placed;
use crate::firstboot::problem::Place;

/// All that zypper(8) is asked to do, in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Software {
    /// Settings of zypp.conf(5), in its section `[main]`.
    pub zypp_conf: Vec<(String, Placed<String>)>,
    /// Repositories to add.
    pub repositories: Vec<Repository>,
    /// Where it is asked for that all repositories are refreshed.
    pub refresh: Option<Place>,
    /// Where it is asked for that everything installed is brought up to date.
    pub upgrade: Option<Place>,
    /// Packages to install.
    pub packages: Vec<Package>,
}

impl Software {
    /// Where zypper is asked to work now, and not only told of repositories for later.
    pub fn asked_at(&self) -> Option<&Place> {
        let packages = self.packages.first().map(|it| &it.name.place);
        self.refresh.as_ref().or(self.upgrade.as_ref()).or(packages)
    }
}

/// A repository of zypper's: `/etc/zypp/repos.d/ID.repo`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// Its name, which is the file's, and the place of all of it.
    pub id: Placed<String>,
    /// Where it is: the first of its addresses. It may hold a password.
    pub address: String,
    /// The file's lines, in order: all that there are, each on one line.
    pub settings: Vec<(String, String)>,
    /// The keys that its `gpgkey` names: who signs with them is trusted, in all repositories.
    pub keys: Vec<Placed<SigningKey>>,
    /// Whether zypper takes packages from it.
    pub enabled: bool,
}

/// Where a public key is, as `gpg --export` writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SigningKey {
    /// An absolute path in the system.
    File(String),
    /// An http or https address.
    Url(String),
}

/// A package to install.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: Placed<String>,
    /// Only this version.
    pub version: Option<String>,
}
