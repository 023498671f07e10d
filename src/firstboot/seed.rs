//! What a datasource of cloud-init's holds, once it is in memory.

use std::sync::Arc;

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
    pub meta_data: serde_json::Value,
    /// What its owner wants.
    pub user_data: Option<Named>,
    /// What its vendor wants, weakest first.
    pub vendor_data: Vec<Named>,
    /// The network, as the platform has it.
    pub network_config: Option<Named>,
    /// Files.
    pub files: Vec<Injected>,
    /// Random bytes.
    pub random_seed: Vec<u8>,
}
