//! systemd's credentials: what the hypervisor, the boot loader or the ESP gives to the
//! system manager (systemd-creds(1), "System Credentials"), which keeps them in
//! `/run/credentials/@system`.

use anyhow::Result;

use super::{Datasource, Ignored, Offer, Seen};
use crate::firstboot::machine::Machine;

const NAME: &str = "combustion.script";

/// A script as a credential.
pub(super) struct Credential {
    pub(super) machine: Machine,
}

fn name_of() -> String {
    format!("credential {NAME}")
}

impl Datasource for Credential {
    fn name(&self) -> &'static str {
        "credential"
    }

    fn look(&self) -> Result<Vec<Seen>> {
        let script = self.machine.credential(NAME)?;
        Ok(script.map(|_| Seen::usable(name_of())).into_iter().collect())
    }

    fn fetch(&self, _: &mut Vec<Ignored>) -> Result<Option<Offer>> {
        let Some(script) = self.machine.credential(NAME)? else { return Ok(None) };
        Offer::script(name_of(), &script, &[]).map(Some)
    }
}
