//! Values that several kinds have in their settings.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// The value of a kind that needs none: `subvolumes: true`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct On;

impl<'de> Deserialize<'de> for On {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if bool::deserialize(from)? {
            Ok(Self)
        } else {
            Err(D::Error::custom("write `NAME: null` to switch a check off"))
        }
    }
}

impl Serialize for On {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bool(true)
    }
}

/// An absolute path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(super) struct Absolute(PathBuf);

impl Absolute {
    pub(super) fn path(&self) -> &std::path::Path {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Absolute {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let path = PathBuf::deserialize(from)?;
        if path.is_absolute() {
            Ok(Self(path))
        } else {
            Err(D::Error::custom(format!("{} is no absolute path", path.display())))
        }
    }
}
