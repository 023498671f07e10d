//! What a datasource of cloud-init's holds, once it is in memory, and its readers: one file a
//! layout. They read a directory, or bytes by name, and nothing else of the machine.

mod given;
mod json;
mod meta;
mod nocloud;
mod openstack;
mod tree;

use std::fmt;
use std::sync::Arc;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use given::{SCRIPT, given, given_with};
pub use nocloud::{FILES as NOCLOUD_FILES, META_DATA, USER_DATA};
pub use openstack::{FILES as OPENSTACK_FILES, content_paths, newest, vendor_data};
pub use tree::Tree;

/// Keys of meta-data, of which some are given elsewhere and win over what a seed says.
pub type Overlay = Map<String, Value>;

/// Whose layout a seed has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Platform {
    /// `user-data` and `meta-data` side by side.
    NoCloud,
    /// A drive with a directory `openstack`.
    ConfigDrive,
    /// The same tree, from `OpenStack`'s metadata service.
    OpenStack,
}

impl Platform {
    /// Its name among cloud-init's datasources.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoCloud => "NoCloud",
            Self::ConfigDrive => "ConfigDrive",
            Self::OpenStack => "OpenStack",
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Bytes, and what they are called in messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Where they come from.
    pub source: Arc<str>,
    /// All of them.
    pub bytes: Vec<u8>,
}

/// A file that a config drive brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Injected {
    /// Where it goes.
    pub path: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// What a datasource says of the machine, and what its owner wants of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seed {
    /// `NoCloud`, `ConfigDrive` or `OpenStack`.
    pub datasource: String,
    /// Which machine this is to the platform.
    pub instance_id: String,
    /// What the platform calls it.
    pub local_hostname: Option<String>,
    /// The platform's keys, for the default user.
    pub public_keys: Vec<String>,
    /// The rest of what it says, for templates and for `instance.json`.
    pub meta_data: Value,
    /// What its owner wants.
    pub user_data: Option<Named>,
    /// What its vendor wants, the weaker first: vendor-data and vendor-data2, which its owner
    /// refuses by different keys. Each may be a list, whose items are parts of one message.
    pub vendor_data: [Vec<Named>; 2],
    /// The network, as the platform has it.
    pub network_config: Option<Named>,
    /// Files.
    pub files: Vec<Injected>,
    /// Random bytes.
    pub random_seed: Vec<u8>,
    /// Whether it counts because somebody signed it: then what it names elsewhere must carry a
    /// sum, since else whoever answers at that address would configure the machine.
    pub signed: bool,
}

impl Seed {
    /// What it says of when it counts (`dsmode`): in the meta-data, or, on a config drive, in
    /// what the machine's owner added to it.
    pub fn dsmode(&self) -> Option<&str> {
        let meta = &self.meta_data;
        meta.get("dsmode").or_else(|| meta.get("meta")?.get("dsmode"))?.as_str()
    }

    /// Whether it says of itself that it is not to be used.
    pub fn is_disabled(&self) -> bool {
        self.dsmode() == Some("disabled")
    }
}

/// Reads a seed. What `overlay` has wins over what its meta-data says.
///
/// # Errors
/// What must be there is not, or is not what it should be: with file, line and field.
pub fn read(tree: &Tree, platform: Platform, overlay: &Overlay) -> Result<Seed> {
    match platform {
        Platform::NoCloud => nocloud::read(tree, overlay),
        Platform::ConfigDrive | Platform::OpenStack => openstack::read(tree, platform, overlay),
    }
}

/// Reads of a seed only what the platform says of the machine.
///
/// # Errors
/// As [`read`].
pub fn meta_data(tree: &Tree, platform: Platform) -> Result<Map<String, Value>> {
    match platform {
        Platform::NoCloud => Ok(nocloud::meta_data(tree)?.into_map()),
        Platform::ConfigDrive | Platform::OpenStack => Ok(openstack::meta_data(tree)?.into_map()),
    }
}

/// Its user-data, and nothing else of it.
///
/// # Errors
/// It cannot be read.
pub fn user_data(tree: &Tree, platform: Platform) -> Result<Option<Named>> {
    match platform {
        Platform::NoCloud => tree.read(USER_DATA),
        Platform::ConfigDrive | Platform::OpenStack => {
            tree.read(&format!("openstack/{}/user_data", openstack::version(tree)?))
        }
    }
}
