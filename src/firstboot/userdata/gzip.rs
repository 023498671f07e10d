//! Unpacking, with a limit.

use std::io::Read;

use flate2::bufread::GzDecoder;

/// Whether bytes begin as gzip's do (RFC 1952, 2.3.1).
pub(super) fn is_packed(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x1f\x8b")
}

/// Unpacks all members. Zeros after them are padding, which block devices and firmware add.
///
/// # Errors
/// It is damaged, or more than `most` bytes unpacked: in words that go on after "it".
pub(super) fn unpack(bytes: &[u8], most: usize) -> Result<Vec<u8>, String> {
    let mut unpacked = Vec::new();
    let mut rest = bytes;
    loop {
        let mut member = GzDecoder::new(rest);
        let left = most - unpacked.len();
        (&mut member)
            .take(left as u64 + 1)
            .read_to_end(&mut unpacked)
            .map_err(|e| format!("cannot be unpacked as gzip: {e}: pack it again with gzip"))?;
        if unpacked.len() > most {
            return Err(format!(
                "is too large: what is unpacked or fetched may be {} MiB in all",
                super::MOST_UNPACKED >> 20
            ));
        }
        rest = member.into_inner();
        if rest.iter().all(|byte| *byte == 0) {
            return Ok(unpacked);
        }
    }
}
