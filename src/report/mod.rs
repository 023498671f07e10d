//! What people and programs are told on request.

pub mod check;
pub mod config;
pub mod status;
pub mod style;
pub mod timers;
