//! Enough memory for what is to come: `MemAvailable` of /proc/meminfo, which
//! counts what the kernel could give back (`proc_meminfo(5)`). A crate for
//! system figures would read the same two lines.

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::size::Size;
use super::{Check, Context, Finding, Keyed, free_space};

/// `{free_memory: 100MiB}`
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FreeMemory {
    free_memory: Size,
}

impl Keyed for FreeMemory {
    const KEY: &'static str = "free_memory";
}

impl Check for FreeMemory {
    fn required(&self) -> bool {
        false
    }

    fn look(&self, context: &Context) -> Finding {
        let read = context
            .text("/proc/meminfo")
            .and_then(|text| Ok((figure(&text, "MemAvailable")?, figure(&text, "MemTotal")?)));
        match read {
            Ok((free, whole)) => free_space::judge(free, whole, self.free_memory, "available"),
            Err(e) => e.into(),
        }
    }
}

/// In bytes; the kernel writes `kB` and means 1024.
fn figure(text: &str, name: &str) -> Result<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    Ok(number.with_context(|| format!("/proc/meminfo says nothing of {name}"))? << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_by_their_whole_name() {
        let text = "MemTotal:       16 kB\nMemFree:  1 kB\nMemAvailable:    8 kB\n";
        assert_eq!(figure(text, "MemAvailable").unwrap(), 8 << 10);
        assert_eq!(figure(text, "MemTotal").unwrap(), 16 << 10);
        assert!(figure(text, "Mem").is_err());
    }
}
