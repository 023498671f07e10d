//! Rubbish for everything that reads bytes from outside: real inputs, damaged in a few
//! thousand ways that are the same in each run. `make fuzz` looks further.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    missing_docs,
    reason = "a test says by it that it failed"
)]

use std::time::{Duration, Instant};

use health_checker::firstboot::untrusted::PARSERS;

const ROUNDS: u32 = 3_000;
/// For one input of a few kilobytes, in a build that is not optimized, on a busy machine.
const LIMIT: Duration = Duration::from_secs(20);

const SEEDS: [&[u8]; 24] = [
    b"#!/bin/bash -e\n# combustion: prepare network\necho hello\r\n",
    b"#!/usr/bin/env -S A=1 python3\n\xff\xfe\x00",
    b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef  combustion/script\n",
    b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl me\n",
    b"untrusted comment: minisign public key\nRWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3\n",
    b"-----BEGIN SSH SIGNATURE-----\nU1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAg\n-----END SSH SIGNATURE-----\n",
    b"{\"cmdline\": \"a=b\", \"drives\": [{\"node\": \"/dev/sda\", \"label\": \"x\", \"type\": \"vfat\"}]}",
    b"quiet root=LABEL=\"a b\" combustion.url=https://u:p@h/x?y",
    b"\x0b\x05\x01\x00\x02first\0second\0\0",
    b"H4sIAAAAAAAAA1NW1E/KzNMvzuACAB2d+wQKAAAA",
    b"LABEL=ROOT / btrfs ro 0 0\noverlay /etc overlay lowerdir=/a:/b,upperdir=/c 0 0\n",
    b"instance-id: i-1\nlocal-hostname: box\npublic-keys: {me: [ssh-rsa A]}\ndsmode: local\n",
    b"{\"uuid\": \"u\", \"random_seed\": \"AQID\", \"public_keys\": {\"me\": \"ssh-rsa A\"}, \"files\": [{\"path\": \"/a\", \"content_path\": \"/content/0000\"}]}",
    b"{\"cloud-init\": [\"#cloud-config\\n\", \"#!/bin/sh\\n\"]}",
    b"",
    b"version: 1\nconfig:\n- {type: physical, name: e, mac_address: '52:54:00:00:00:01', subnets: [{type: static, address: 10.0.0.2/24, gateway: 10.0.0.1}]}\n- {type: bond, name: b, bond_interfaces: [e], params: {bond-mode: 1}}\n",
    b"version: 2\nethernets: {e: {match: {name: 'en*'}, dhcp4: true, routes: [{to: default, via: '::1'}]}}\nvlans: {v: {id: 3, link: e}}\n",
    b"{\"links\": [{\"id\": \"a\", \"type\": \"phy\", \"ethernet_mac_address\": \"fa:16:3e:00:00:01\"}], \"networks\": [{\"type\": \"ipv4\", \"link\": \"a\", \"ip_address\": \"10.0.0.2\", \"netmask\": \"255.0.0.0\"}]}",
    b"#cloud-config\na: &a {x: [1, 0644, yes], <<: {y: |\n  b\n}}\nb: *a\nmerge_how: dict(recurse_list)+list(append)\n",
    b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"x\"\n\n--x\nContent-Type: text/cloud-config\n\na: [1]\n\
      --x\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; filename*=utf-8''a%20b\n\nIyEvYmluL3NoCg==\n\
      --x\nContent-Type: multipart/mixed; boundary=y\n\n--y\nContent-Transfer-Encoding: quoted-printable\n\n#cloud-config\na: =3D=\n1\n--y--\n--x--\n",
    b"#cloud-config-archive\n- |\n  #!/bin/sh\n  true\n- content: |2\n     a: [\n  type: text/cloud-config\n- '#cloud-boothook'\n",
    b"## template: jinja\n#cloud-config\na: {{ x }}\n",
    b"#include\nhttp://u:p@example.com/x\n",
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x53\x4e\xce\xc9\x2f\x4d\xd1\x4d\xce\xcf\x4b\xcb\x4c\xe7\x4a\xb4\x52\x30\xe4\x02\x00\x9e\xa2\xa1\x2e\x13\x00\x00\x00",
];

/// xorshift64: the same rubbish in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (end.max(1) as u64)).unwrap()
    }
}

fn damaged(seed: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len() + 1);
        match dice.below(6) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, [0, 0xff, b'\n', b'=', b'"', b'-'][dice.below(6)]),
            2 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            3 => bytes.extend_from_within(at..),
            4 if at < bytes.len() => drop(bytes.remove(at)),
            _ => {
                let other = SEEDS[dice.below(SEEDS.len())];
                let rest = bytes.split_off(at);
                bytes.extend_from_slice(&other[dice.below(other.len() + 1)..]);
                bytes.extend(rest);
            }
        }
    }
    bytes
}

#[test]
fn nothing_panics_or_hangs() {
    for (name, parser) in PARSERS {
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
        for round in 0..ROUNDS {
            let seed = SEEDS[dice.below(SEEDS.len())];
            let bytes = if (round as usize) < SEEDS.len() {
                SEEDS[round as usize].to_vec()
            } else {
                damaged(seed, &mut dice)
            };
            let begun = Instant::now();
            parser(&bytes);
            assert!(begun.elapsed() < LIMIT, "{name}: {bytes:?}");
        }
    }
}

#[test]
fn what_is_large_takes_time_in_proportion() {
    for (name, parser) in PARSERS {
        for seed in SEEDS.iter().filter(|seed| !seed.is_empty()) {
            let bytes: Vec<u8> = seed.iter().copied().cycle().take(1 << 20).collect();
            let begun = Instant::now();
            parser(&bytes);
            assert!(begun.elapsed() < LIMIT, "{name}: a megabyte of {seed:?}");
        }
    }
}
