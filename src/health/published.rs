//! This boot's verdict, for everybody to read: `/run/health-checker/status.json`.

use anyhow::Result;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::checks::Outcome;
use super::facts::Facts;
use super::plan::{Action, Plan};
use crate::record::handoff;
use crate::sys::files::Root;

const FILE: &str = "status.json";

/// What is published. It ends with the boot, as /run does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Published {
    /// Always 1; keys are only ever added.
    pub schema: u32,
    /// The kernel's id of this boot.
    pub boot: Uuid,
    /// How often user space had been started anew under that kernel.
    #[serde(default)]
    pub soft_reboots: u32,
    /// When the verdict was reached.
    pub at: Timestamp,
    /// Whether all required checks passed.
    pub healthy: bool,
    /// What the checks found.
    pub checks: Vec<Outcome>,
    /// What was decided.
    pub decision: Decision,
    /// Whether services were shut down because of it.
    pub safe_mode: bool,
}

/// The decision, as `status --json` has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Decision {
    /// One of the promised names.
    pub action: Action,
    /// The snapshot to go back to.
    pub target: Option<u32>,
    /// Why.
    pub reason: String,
}

impl From<&super::plan::Decision> for Decision {
    fn from(from: &super::plan::Decision) -> Self {
        Self {
            action: from.action,
            target: from.target.map(|target| target.number),
            reason: from.reason.clone(),
        }
    }
}

impl Published {
    /// What there is to say of a plan, before it is carried out.
    pub fn new(facts: &Facts, plan: &Plan) -> Self {
        Self {
            schema: 1,
            boot: facts.boot,
            soft_reboots: facts.soft_reboots,
            at: facts.now,
            healthy: plan.healthy,
            checks: facts.checks.clone(),
            decision: (&plan.decision).into(),
            safe_mode: false,
        }
    }

    /// Reads it; `None` before a verdict.
    ///
    /// # Errors
    /// It is there but cannot be read.
    pub fn read(root: &Root) -> Result<Option<Self>> {
        handoff::read(root, FILE)
    }

    /// Publishes it.
    ///
    /// # Errors
    /// /run cannot be written.
    pub fn write(&self, root: &Root) -> Result<()> {
        handoff::write(root, FILE, self)
    }
}
