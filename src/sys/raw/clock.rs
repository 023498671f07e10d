//! Whether somebody keeps the clock right: adjtimex(2), which has no file that
//! says the same, and which no safe library wraps.

use std::io;
use std::mem::zeroed;

use anyhow::{Context, Result};
use nix::libc;

/// Whether the kernel takes the clock for synchronised: a time service told it
/// so. Reads only.
///
/// # Errors
/// As adjtimex(2).
pub fn is_synchronised() -> Result<bool> {
    // SAFETY: all of its fields are plain numbers, for which zero is a value; modes
    // zero asks for nothing to be changed.
    let mut state: libc::timex = unsafe { zeroed() };
    // SAFETY: the kernel writes exactly one timex, which is libc's own layout of it.
    let answer = unsafe { libc::adjtimex(&raw mut state) };
    if answer < 0 {
        return Err(io::Error::last_os_error()).context("cannot ask the kernel for its clock");
    }
    Ok(state.status & libc::STA_UNSYNC == 0)
}
