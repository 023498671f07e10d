//! User-data and vendor-data: from bytes to typed parts, and from those to one cloud-config.
//!
//! ```text
//!  bytes ── gzip ── MIME ── by type or first line ──┬── cloud-config ── merged in order ──┐
//!                    ▲                              ├── scripts, boothooks                │
//!                    └── #include, archive ─────────┘        user > vendor > image ───────┴─► Effective
//! ```
//!
//! What is recognised, and how parts are merged, is as in cloud-init's `user_data.py`,
//! `handlers/` and `mergers/`. What cloud-init skips with a line in its log is a problem here,
//! with its place.

mod archive;
mod gzip;
mod how;
mod include;
mod kind;
mod launch_index;
mod layers;
mod merge;
mod mime;
mod near;
mod part;
mod reader;
#[cfg(test)]
mod tests;

pub use kind::Kind;
pub use layers::{Effective, Layer, Layers, Program, effective};
pub use part::Part;
pub use reader::parts;

/// How many parts user-data may have: more than anybody writes, few enough to hold.
const MOST_PARTS: usize = 1_000;
/// How large all that is unpacked and fetched may be, in bytes.
const MOST_UNPACKED: usize = 16 << 20;
