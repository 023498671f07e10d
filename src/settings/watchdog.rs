//! `policy.watchdog`: off, or how long PID 1 may be silent.

use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::fragment::Span;

/// Shorter, and a machine that is only busy would be reset.
const SHORTEST: Duration = Duration::from_secs(10);

/// Whether the hardware resets a machine whose PID 1 no longer answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Watchdog {
    /// Not by us.
    #[default]
    Off,
    /// After so long without a sign of life.
    After(Duration),
}

impl<'de> Deserialize<'de> for Watchdog {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Value {
            Switch(bool),
            Span(Span),
        }
        let after = match Value::deserialize(from)? {
            // YAML 1.1 reads `off` so.
            Value::Switch(false) => return Ok(Self::Off),
            Value::Span(Span::Text(text)) if text == "off" => return Ok(Self::Off),
            Value::Switch(true) => {
                return Err(D::Error::custom(
                    "watchdog: true: write off, or a time span such as 1min",
                ));
            }
            Value::Span(span) => span.value().map_err(D::Error::custom)?,
        };
        if after < SHORTEST {
            let (after, shortest) =
                (humantime::format_duration(after), humantime::format_duration(SHORTEST));
            return Err(D::Error::custom(format!(
                "watchdog: {after} is less than {shortest}: a busy machine would be reset"
            )));
        }
        Ok(Self::After(after))
    }
}

impl Serialize for Watchdog {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Off => to.serialize_str("off"),
            Self::After(span) => to.collect_str(&humantime::format_duration(*span)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn off_or_a_time_that_a_busy_machine_keeps() {
        for (text, shown) in [
            ("off", "off"),
            ("'off'", "off"),
            ("false", "off"),
            ("60", "1m"),
            ("1min 30s", "1m 30s"),
        ] {
            let watchdog: Watchdog = serde_yaml::from_str(text).unwrap();
            assert_eq!(serde_json::to_value(watchdog).unwrap(), shown, "{text}");
        }
        for (text, problem) in [
            ("true", "write off, or a time span"),
            ("on", "\"on\" is no time span"),
            ("9s", "9s is less than 10s"),
            ("0", "0s is less than 10s"),
            ("[]", "did not match"),
        ] {
            let error = serde_yaml::from_str::<Watchdog>(text).unwrap_err().to_string();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }
}
