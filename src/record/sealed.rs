//! How the record is written: sealed, so that damage is noticed.
//!
//! A file is one header line and a JSON text:
//!
//! ```text
//! health-checker-record 1 sha256=<64 hexadecimal digits>
//! {"sequence":7,…}
//! ```

use anyhow::{Context, Result, anyhow, bail, ensure};
use sha2::{Digest, Sha256};

use super::Record;

const MAGIC: &str = "health-checker-record";
const VERSION: u32 = 1;

/// The file's bytes.
///
/// # Errors
/// The record cannot be written as JSON.
pub(super) fn encode(record: &Record) -> Result<Vec<u8>> {
    let body = serde_json::to_string(record)?;
    Ok(format!("{MAGIC} {VERSION} sha256={}\n{body}\n", seal(&body)).into_bytes())
}

fn seal(body: &str) -> String {
    base16ct::lower::encode_string(&Sha256::digest(body))
}

/// The record that a file holds.
///
/// # Errors
/// The file is damaged, or of a newer version.
pub(super) fn decode(text: &str) -> Result<Record> {
    let (header, body) = text.split_once('\n').unwrap_or((text, ""));
    let mut words = header.split(' ');
    ensure!(words.next() == Some(MAGIC), "damaged: it does not begin with {MAGIC}");
    let version: u32 = words
        .next()
        .and_then(|word| word.parse().ok())
        .ok_or_else(|| anyhow!("damaged: no version in {header:?}"))?;
    if version > VERSION {
        bail!("written by a newer health-checker (version {version}, this one knows {VERSION})");
    }
    ensure!(version == VERSION, "damaged: there never was a version {version}");
    let body = body.trim_end_matches('\n');
    let expected = words.next().and_then(|word| word.strip_prefix("sha256="));
    ensure!(expected == Some(&seal(body)), "damaged: its checksum does not fit");
    serde_json::from_str(body).context("damaged: it is sealed, but cannot be read")
}
