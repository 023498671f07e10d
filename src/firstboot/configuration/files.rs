//! Files.

use super::Placed;

/// Permission bits, 0 to 0o7777.
pub type Mode = u32;

/// Whose a file is: names or numbers, as `chown` takes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The user.
    pub user: String,
    /// The group; `None` leaves root's.
    pub group: Option<String>,
}

/// What is in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileContent {
    /// This.
    Bytes(Vec<u8>),
    /// What is at an address, else the bytes: `source` of `write_files`.
    Fetched {
        /// The address.
        uri: String,
        /// Headers of the request.
        headers: Vec<(String, String)>,
        /// If it cannot be had.
        fallback: Option<Vec<u8>>,
    },
}

/// A file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteFile {
    /// An absolute path, and the place of all of it.
    pub path: Placed<String>,
    /// What is in it.
    pub content: FileContent,
    /// Permissions.
    pub mode: Mode,
    /// Owner and group.
    pub owner: Option<Placed<Owner>>,
    /// Added at the end of what is there.
    pub append: bool,
    /// Only after users and packages are there.
    pub defer: bool,
}
