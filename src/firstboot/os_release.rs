//! Which system it is: os-release(5).

use anyhow::Result;

/// Where it is, the administrator's own first.
const FILES: [&str; 2] = ["/etc/os-release", "/usr/lib/os-release"];

/// Its text; empty, if there is none.
///
/// # Errors
/// It cannot be read.
pub(super) fn read(file: impl Fn(&str) -> Result<Option<Vec<u8>>>) -> Result<String> {
    for path in FILES {
        if let Some(bytes) = file(path)? {
            return Ok(String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    Ok(String::new())
}

/// The value of a key, without quotes; empty, if it is not set.
pub(super) fn value<'a>(text: &'a str, key: &str) -> &'a str {
    let of_key = |line: &'a str| line.trim().strip_prefix(key)?.strip_prefix('=');
    text.lines().rev().find_map(of_key).unwrap_or_default().trim_matches(['"', '\''])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_with_and_without_quotes() {
        let text = "ID_LIKE=\"suse opensuse\"\nID='leap-micro'\nNAME=x\n#ID=y\n";
        for (key, expected) in
            [("ID", "leap-micro"), ("ID_LIKE", "suse opensuse"), ("NAME", "x"), ("VERSION", "")]
        {
            assert_eq!(value(text, key), expected);
        }
        let own = |path: &str| Ok((path == FILES[0]).then(|| b"ID=a".to_vec()));
        assert_eq!(read(own).unwrap(), "ID=a");
        assert_eq!(read(|_| Ok(None)).unwrap(), "");
    }
}
