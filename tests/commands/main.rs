//! The program as a shell sees it: exit statuses, JSON, and what becomes of it where nobody takes
//! what it says.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a test says by it that it failed, and may wait for the program"
)]

mod answers;
mod bed;
mod json;
mod outputs;
mod trust;
