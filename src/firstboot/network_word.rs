//! `network-config=` on the kernel command line: it wins over what a seed says of the network
//! (cloud-init's documentation, "Network configuration sources"). Its value is text in base64,
//! perhaps packed by gzip before, or `disabled`.

use std::io::Read;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::MultiGzDecoder;

use super::seed::{Named, Overlay, Seed};
use crate::sys::cmdline::Cmdline;

/// The word, and the key under which its value is handed on: with another value it is another
/// configuration.
const WORD: &str = "network-config";
/// The largest configuration, unpacked, in bytes: the command line itself has a few kilobytes.
const LARGEST: u64 = 1 << 20;
const GZIP: &[u8] = b"\x1f\x8b";

/// Puts the command line's value among what was said elsewhere.
pub(super) fn note(cmdline: &Cmdline, overlay: &mut Overlay) {
    if let Some(value) = cmdline.value(WORD) {
        overlay.insert(WORD.to_owned(), value.into());
    }
}

/// Whether it is there.
pub(super) fn is_noted(overlay: &Overlay) -> bool {
    overlay.contains_key(WORD)
}

/// Reads a seed with what was said elsewhere, of which what the command line says of the network
/// is no meta-data: it stands for the seed's own.
///
/// # Errors
/// What the command line says cannot be read, or as `read`.
pub(super) fn apply(said: &Overlay, read: impl FnOnce(&Overlay) -> Result<Seed>) -> Result<Seed> {
    let mut said = said.clone();
    let network = take(&mut said)?;
    let mut seed = read(&said)?;
    match network {
        Said::Nothing => {}
        Said::Disabled => seed.network_config = None,
        Said::Instead(named) => seed.network_config = Some(named),
    }
    Ok(seed)
}

/// What the command line says of the network.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Said {
    /// Nothing: a seed's own counts.
    Nothing,
    /// That it is not configured.
    Disabled,
    /// This, instead of a seed's own.
    Instead(Named),
}

/// Takes it out again.
///
/// # Errors
/// It cannot be unpacked.
fn take(overlay: &mut Overlay) -> Result<Said> {
    let Some(value) = overlay.remove(WORD) else { return Ok(Said::Nothing) };
    let value = value.as_str().unwrap_or_default();
    if value == "disabled" {
        return Ok(Said::Disabled);
    }
    let source = "network-config= on the kernel command line";
    let bytes = unpacked(value).with_context(|| format!("{source}: write base64, or disabled"))?;
    Ok(Said::Instead(Named { source: source.into(), bytes }))
}

fn unpacked(value: &str) -> Result<Vec<u8>> {
    let bytes = STANDARD.decode(value).context("it is no base64")?;
    if !bytes.starts_with(GZIP) {
        return Ok(bytes);
    }
    let mut text = Vec::new();
    MultiGzDecoder::new(&bytes[..])
        .take(LARGEST + 1)
        .read_to_end(&mut text)
        .context("it is packed by gzip, and damaged")?;
    ensure!(text.len() as u64 <= LARGEST, "unpacked it is larger than {} KiB", LARGEST >> 10);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is made of a command line.
    fn taken(cmdline: &str) -> Result<Said, String> {
        let mut overlay = Overlay::new();
        note(&Cmdline::parse(cmdline), &mut overlay);
        assert_eq!(is_noted(&overlay), !cmdline.is_empty());
        let taken = take(&mut overlay).map_err(|e| format!("{e:#}"))?;
        assert!(overlay.is_empty());
        Ok(taken)
    }

    #[test]
    fn what_the_command_line_says() {
        let source = "network-config= on the kernel command line";
        let instead =
            |text: &str| Said::Instead(Named { source: source.into(), bytes: text.into() });
        for (cmdline, expected) in [
            ("", Said::Nothing),
            ("network-config=disabled", Said::Disabled),
            ("network-config=dmVyc2lvbjogMg==", instead("version: 2")),
            // printf '#!/bin/sh\n' | gzip | base64 -w0
            ("network-config=H4sIAAAAAAAAA1NW1E/KzNMvzuACAB2d+wQKAAAA", instead("#!/bin/sh\n")),
        ] {
            assert_eq!(taken(cmdline), Ok(expected), "{cmdline}");
        }
        for (cmdline, says) in [
            ("network-config=?", "it is no base64"),
            ("network-config=H4sIAAAAAAAAA1NW", "packed by gzip, and damaged"),
        ] {
            let error = taken(cmdline).unwrap_err();
            assert!(error.starts_with("network-config= on the kernel") && error.contains(says));
        }
    }
}
