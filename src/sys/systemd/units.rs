//! What systemd says of units.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::{Properties, bus};

/// How long the bus may take for what systemctl could answer instead.
const BUS: Duration = Duration::from_secs(2);
/// Units in one call of systemctl, so that its answer is kept whole (`command`
/// keeps the end of an output only) and its arguments are not too many.
const IN_ONE_CALL: usize = 200;

/// What systemd says of a unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unit {
    /// `LoadState`: `loaded`, `not-found`, `masked` …
    pub load: String,
    /// `ActiveState`: `active`, `inactive`, `failed`, `activating` …
    pub active: String,
    /// `SubState`: `running`, `exited`, `dead` …
    pub sub: String,
    /// `Result` of the last run: `success`, `exit-code`, `signal` … Empty for
    /// unit types that have none.
    pub result: String,
    /// How often it was restarted automatically.
    pub restarts: u32,
}

/// What systemd says of units, in the order of `names`: over the bus if it
/// answers, by `systemctl` otherwise.
///
/// # Errors
/// Neither answers in time.
pub fn units(names: &[&str], limit: Duration) -> Result<Vec<Unit>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    match bus::units(names, limit.min(BUS)) {
        Ok(units) => Ok(units),
        Err(e) => {
            log::debug!("{e:#}; asking systemctl instead");
            asked(names, limit)
        }
    }
}

/// Asks systemctl; the answers are in the order of `names`.
fn asked(names: &[&str], limit: Duration) -> Result<Vec<Unit>> {
    const PROPERTIES: &str = "LoadState,ActiveState,SubState,Result,NRestarts";
    let mut units = Vec::with_capacity(names.len());
    for names in names.chunks(IN_ONE_CALL) {
        let answers = super::show(PROPERTIES, names, limit)?;
        let (asked, got) = (names.len(), answers.len());
        ensure!(asked == got, "systemctl show: asked for {asked} units, {got} answers");
        units.extend(answers.iter().map(Unit::from));
    }
    Ok(units)
}

impl From<&Properties> for Unit {
    fn from(properties: &Properties) -> Self {
        Self {
            load: properties.text("LoadState"),
            active: properties.text("ActiveState"),
            sub: properties.text("SubState"),
            result: properties.text("Result"),
            restarts: properties.text("NRestarts").parse().unwrap_or(0),
        }
    }
}
