//! What a plan changes: files, directories and links, each as it is to be.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::firstboot::configuration::{Mode, Owner};
use crate::sys::fetch::without_secrets;

/// What is in a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// This.
    Bytes(Vec<u8>),
    /// These bytes, then what is at an address: see [`super::Plan::fetch`].
    Fetched {
        /// What comes before it.
        before: Vec<u8>,
        /// The address.
        uri: String,
        /// Headers of the request.
        headers: Vec<(String, String)>,
        /// If it cannot be had.
        fallback: Option<Vec<u8>>,
    },
}

/// A file as it is to be.
#[derive(Clone, Debug, PartialEq)]
pub struct NewFile {
    /// All that is in it.
    pub content: Content,
    /// Permissions.
    pub mode: Mode,
    /// Whose it is; looked up in the tree when it is written.
    pub owner: Owner,
    /// Its content is not shown; nor is what was there before, which may be part of it.
    pub secret: bool,
}

/// One change of the tree. Paths are absolute and lead through no links.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A directory with this mode and owner; those above it are there.
    Directory {
        /// Where.
        path: PathBuf,
        /// Permissions.
        mode: Mode,
        /// Whose.
        owner: Owner,
        /// Made for what is to lie in it: one that is there by then stays as it is.
        keeps: bool,
    },
    /// A file, replaced whole.
    File {
        /// Where.
        path: PathBuf,
        /// What.
        file: NewFile,
    },
    /// More at the end of a file that a program may have written by then.
    Append {
        /// Where.
        path: PathBuf,
        /// What is added, and the mode and owner of the file.
        file: NewFile,
    },
    /// A symbolic link.
    Link {
        /// Where.
        path: PathBuf,
        /// Where to.
        target: PathBuf,
    },
    /// No file or link any more.
    Remove {
        /// Where.
        path: PathBuf,
    },
    /// A password at random, said once on the console; the plan does not know it.
    RandomPassword {
        /// Whose.
        user: String,
        /// Must be changed at the first login.
        expire: bool,
    },
}

/// Gets what is at an address, with these headers; `None` if nothing is there.
pub type Get<'a> = &'a dyn Fn(&str, &[(String, String)]) -> Result<Option<Vec<u8>>>;

impl Content {
    /// Makes bytes of what is at an address; `named` says what it is, for messages.
    pub(super) fn fetch(&mut self, get: Get, named: &str) -> Result<()> {
        let Self::Fetched { before, uri, headers, fallback } = self else { return Ok(()) };
        let got = get(uri, headers).and_then(|got| got.context("it is not there"));
        let more = match (got, fallback) {
            (Ok(bytes), _) => bytes,
            (Err(e), Some(fallback)) => {
                log::warn!("{named}: its content is used instead: {e:#}");
                std::mem::take(fallback)
            }
            (Err(e), None) => return Err(e).context(named.to_owned()),
        };
        before.extend_from_slice(&more);
        *self = Self::Bytes(std::mem::take(before));
        Ok(())
    }

    /// What is in it, once it was fetched.
    ///
    /// # Errors
    /// It was not.
    pub fn bytes(&self) -> Result<&[u8]> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            Self::Fetched { uri, .. } => {
                bail!("what is at {} was not fetched before", without_secrets(uri))
            }
        }
    }
}
