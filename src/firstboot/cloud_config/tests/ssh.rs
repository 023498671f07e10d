//! Keys of the ssh server, and what is no key of a user's.

use ssh_key::private::Ed25519Keypair;
use ssh_key::{LineEnding, PrivateKey};

use super::{clean, read_text};

#[test]
fn the_public_host_key_is_derived() {
    const RSA: &str = include_str!("host_key_rsa");
    const ECDSA: &str = include_str!("host_key_ecdsa");
    let ed25519 = PrivateKey::from(Ed25519Keypair::from_seed(&[7; 32]));
    let private = ed25519.to_openssh(LineEnding::LF).unwrap();
    for (kind, private, begin) in [
        ("ed25519", private.as_str(), "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI"),
        ("rsa", RSA, "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC5zOnUcF6boe7k"),
        ("ecdsa", ECDSA, "ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlz"),
    ] {
        let indented: String = private.lines().map(|it| format!("    {it}\n")).collect();
        let text = format!("ssh_keys:\n  {kind}_private: |\n{indented}");
        let keys = clean(&text).ssh.host_keys;
        let found: Vec<_> = keys.iter().map(|(name, _, secret)| (&**name, *secret)).collect();
        let name = format!("ssh_host_{kind}_key");
        let public = format!("{name}.pub");
        assert_eq!(found, [(&*public, false), (&*name, true)]);
        assert!(keys[0].1.0.starts_with(begin), "{:?}", keys[0].1.0);
        // One that is given stays.
        let keys = clean(&format!("{text}  {kind}_public: mine\n")).ssh.host_keys;
        assert_eq!((keys.len(), &*keys[1].1.0), (2, "mine\n"));
    }
}

#[test]
fn nothing_of_a_private_key_is_shown() {
    let lines = ["-----BEGIN OPENSSH PRIVATE KEY-----", "b3BlbnNzaC1rZXktdjEAAA", "c2VjcmV0"];
    for text in [
        format!("ssh_authorized_keys: [{}]", lines.join(", ")),
        format!("ssh_authorized_keys: |\n  {}", lines.join("\n  ")),
        format!("users: [{{name: a, ssh_authorized_keys: [{}]}}]", lines.join(", ")),
    ] {
        let (config, problems) = read_text(&text);
        let errors = problems.iter().filter(|it| it.contains("error: this is a private key"));
        assert_eq!(errors.count(), 1, "{problems:?}");
        let shown = problems.join("\n");
        assert!(!shown.contains("b3Bl") && !shown.contains("c2Vj"), "{shown}");
        assert!(config.users.iter().all(|it| it.ssh_keys.is_empty()));
    }
    let (_, problems) = read_text(&format!("ssh_authorized_keys: [{}]", lines[1]));
    assert!(problems.iter().all(|it| !it.contains("b3Bl")), "{problems:?}");
}

#[test]
fn a_host_key_with_a_passphrase_is_an_error() {
    let key = include_str!("host_key_encrypted");
    let indented: String = key.lines().map(|it| format!("    {it}\n")).collect();
    let (config, problems) = read_text(&format!("ssh_keys:\n  ed25519_private: |\n{indented}"));
    let says = "u:3:5: error: ed25519_private has a passphrase";
    assert!(problems.len() == 1 && problems[0].starts_with(says), "{problems:?}");
    assert_eq!(config.ssh.host_keys, []);
}
