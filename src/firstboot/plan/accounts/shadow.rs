//! Passwords: shadow(5), and crypt(5)'s `$6$`.

use anyhow::{Result, anyhow};
use sha_crypt::{PasswordHasher, ShaCrypt};

use super::table::{SHADOW, Table};

/// What an account without a password has: nothing that is typed has this hash. Other than
/// with `!`, a login by key is possible where sshd does not ask PAM.
pub(super) const NONE: &str = "*";
/// What a locked account without a password has, as useradd(8) makes it.
pub(super) const LOCKED: &str = "!";

/// The hash of a password, `$6$`: with SHA-512, which every libcrypt knows.
///
/// # Errors
/// The password is longer than crypt(3) takes.
pub fn hash(password: &str, salt: &[u8; 12]) -> Result<String> {
    // crypt(5): CRYPT_MAX_PASSPHRASE_SIZE.
    anyhow::ensure!(password.len() < 512, "a password may have 511 bytes at most");
    let hash = ShaCrypt::SHA512
        .hash_password_with_salt(password.as_bytes(), salt)
        .map_err(|e| anyhow!("the password cannot be hashed: {e}"))?;
    Ok(hash.as_str().to_owned())
}

/// A hash that cannot be used until it is unlocked (`passwd -u`).
pub(super) fn locked(hash: &str) -> String {
    if hash.starts_with('!') { hash.to_owned() } else { format!("!{hash}") }
}

/// `/etc/shadow` with another hash for a user, changed on that day, in days since 1970: on
/// day 0 it has to be changed at once. Without an entry for the user, as it was.
pub fn with_password(shadow: &[u8], user: &str, hash: &str, day: Option<i64>) -> Vec<u8> {
    let mut table = Table::parse(&SHADOW, shadow);
    set(&mut table, user, hash, day);
    table.bytes()
}

pub(super) fn set(table: &mut Table, user: &str, hash: &str, day: Option<i64>) {
    table.set(user, 1, hash);
    table.set(user, 2, &day.map(|day| day.to_string()).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use sha_crypt::PasswordVerifier;

    use super::*;

    #[test]
    fn a_hash_is_crypts_own_and_its_password_fits() {
        let hash = hash("geheim", b"0123456789ab").unwrap();
        assert!(hash.starts_with("$6$"), "{hash}");
        ShaCrypt::SHA512.verify_password(b"geheim", hash.as_str()).unwrap();
        ShaCrypt::SHA512.verify_password(b"Geheim", hash.as_str()).unwrap_err();
        super::hash(&"x".repeat(512), b"0123456789ab").unwrap_err();
    }

    #[test]
    fn only_the_one_line_changes() {
        let before = b"root:*:1::::::\nbob:!:19000:0:99999:7:::\neve:x";
        let after = with_password(before, "bob", "$6$x", Some(0));
        assert_eq!(after, b"root:*:1::::::\nbob:$6$x:0:0:99999:7:::\neve:x\n");
    }
}
