//! The one room with unsafe code: ioctls and a system call that no library wraps.
//! Each block says why it is sound; each layout's size is checked.
#![allow(unsafe_code)]

pub mod btrfs;
pub mod clock;
