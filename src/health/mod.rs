//! The boot assessment: is this boot healthy, and what follows from that.
//!
//! [`gather`] reads, [`decide`] decides, [`execute`] acts, in that order; each
//! says in its header what it may not do. [`assess`] calls the three.

pub mod alert;
pub mod assess;
pub mod checks;
pub mod deadline;
pub mod decide;
pub mod execute;
pub mod facts;
pub mod gather;
pub mod machine;
pub mod manual;
pub mod plan;
pub mod preflight;
pub mod published;
pub mod safe_mode;
pub mod start;
