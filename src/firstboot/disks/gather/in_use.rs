//! Who uses a device: nothing is made on one that is in use.

use std::path::Path;

use anyhow::Result;

use super::Gathering;
use crate::sys::block;
use crate::sys::files;
use crate::sys::mountinfo::Mount;

impl Gathering<'_> {
    /// Who uses it, in words.
    pub(super) fn used(&self, name: &str) -> Result<Option<String>> {
        if !block::is_in_use(name)? {
            return Ok(None);
        }
        let mut parts: Vec<String> =
            block::partitions(name)?.into_iter().map(|it| it.name).collect();
        parts.push(name.to_owned());
        for part in parts {
            if let Some(how) = self.how_used(&part)? {
                let whose = if part == name { String::new() } else { format!(", as {part}") };
                return Ok(Some(format!("{how}{whose}")));
            }
        }
        Ok(Some("in use".to_owned()))
    }

    fn how_used(&self, name: &str) -> Result<Option<String>> {
        let is_it = |mount: &&Mount| {
            mount.source.starts_with("/dev")
                && block::name(&mount.source).ok().flatten().as_deref() == Some(name)
        };
        // As the system itself has it, not the initrd's own mounts of it.
        let targets = self.mounts.iter().filter(is_it).map(|it| {
            let inside = it.target.strip_prefix(self.inside.root);
            inside.map_or_else(|_| it.target.clone(), |it| Path::new("/").join(it))
        });
        if let Some(target) = targets.min_by_key(|it| it.as_os_str().len()) {
            return Ok(Some(format!("mounted at {}", target.display())));
        }
        let swaps = files::read_text(Path::new("/proc/swaps"))?.unwrap_or_default();
        let node = block::node(name).display().to_string();
        if swaps.lines().any(|line| line.split_ascii_whitespace().next() == Some(&node)) {
            return Ok(Some("used as swap space".to_owned()));
        }
        let holders = block::holders(name)?;
        Ok((!holders.is_empty()).then(|| format!("part of {}", holders.join(", "))))
    }
}
