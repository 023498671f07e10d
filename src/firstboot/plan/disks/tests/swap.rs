//! Swap files, and where they can be.

use super::*;

#[test]
fn swap_files() {
    let there = |free, file| Facts {
        swap: Some(SwapFacts { free, file }),
        memory: 2 * GIB,
        ..Facts::default()
    };
    let old = |is_swap| Some(OldFile { size: 1 << 20, is_swap });
    let asks = |file, size| Disks { swap: Some(swap(file, size)), ..Disks::default() };
    let at_most = |most| Disks {
        swap: Some(SwapFile { most: Some(most), ..swap(None, SwapSize::Auto) }),
        ..Disks::default()
    };
    let bytes = SwapSize::Bytes(GIB);
    check(vec![
        (there(10 * GIB, None), asks(None, bytes), &["/var/swap.img 1024"]),
        (there(10 * GIB, None), asks(Some("/var/lib/s"), bytes), &["/var/lib/s 1024"]),
        // As much as there is memory, a quarter of what is free, what it may be.
        (there(100 * GIB, None), asks(None, SwapSize::Auto), &["/var/swap.img 2048"]),
        (there(4 * GIB, None), asks(None, SwapSize::Auto), &["/var/swap.img 1024"]),
        (there(100 * GIB, None), at_most(100 << 20), &["/var/swap.img 100"]),
        // There already.
        (there(0, old(true)), asks(None, bytes), &[]),
        (
            there(10 * GIB, old(false)),
            asks(None, bytes),
            &["E /var/swap.img is there already, and is no swap space: name another file"],
        ),
        (
            there(GIB, None),
            asks(None, bytes),
            &["E there is no room for the swap file /var/swap.img: 1.0 GiB are free"],
        ),
        (
            there(10 * GIB, None),
            asks(Some("/swapfile"), bytes),
            &["E /swapfile would be on /, which is read-only: write /var/swap.img"],
        ),
    ]);
    // Its line comes with it, and does not without it.
    let world = World::with(&PROGRAMS);
    let disks = asks(None, bytes);
    let configuration = Configuration { disks, ..Configuration::default() };
    world.configure(&configuration);
    let line = "/var/swap.img\tnone\tswap\tsw,comment=cloudconfig\t0\t0\n";
    assert_eq!(world.text("/etc/fstab"), format!("{FSTAB}{line}"));
}

#[test]
fn where_a_swap_file_can_be() {
    let root = "LABEL=R / btrfs defaults 0 0\nLABEL=R /var btrfs subvol=@/var 0 0\n\
        overlay /etc overlay lowerdir=/etc 0 0\nnas:/h /home nfs defaults 0 0\n\
        tmpfs /scratch tmpfs defaults 0 0\nLABEL=D /data ext4 ro 0 0\n";
    for (fstab, file, expected) in [
        (root, None, Ok("/var/swap.img")),
        ("", None, Ok("/swap.img")),
        ("LABEL=R / ext4 rw 0 1\n", None, Ok("/swap.img")),
        ("LABEL=R / ext4 ro 0 1\n", None, Err("read-only: write a file where")),
        ("LABEL=R / ext4 ro 0 1\nLABEL=V /var xfs rw 0 1\n", None, Ok("/var/swap.img")),
        ("LABEL=R / btrfs rw 0 1\n", Some("/swap.img"), Ok("/swap.img")),
        ("LABEL=R / btrfs rw 0 1\n", None, Ok("/swap.img")),
        (root, Some("/var/x"), Ok("/var/x")),
        (root, Some("/swap.img"), Err("would be in a snapshot of the root")),
        (root, Some("/etc/swap"), Err("no swap file can be")),
        (root, Some("/home/swap"), Err("no swap file can be")),
        (root, Some("/scratch/swap"), Err("no swap file can be")),
        (root, Some("/data/swap"), Err("which is read-only")),
        ("LABEL=R / ext4 rw 0 1\n", Some("/run/swap"), Err("no swap file can be")),
        ("LABEL=R / ext4 rw 0 1\n", Some("/opt/swap"), Ok("/opt/swap")),
    ] {
        let got = swap_place(fstab, &swap(file, SwapSize::Auto));
        match (&got, expected) {
            (Ok(path), Ok(expected)) => assert_eq!(path, expected, "{fstab}"),
            (Err(says), Err(expected)) => assert!(says.contains(expected), "{says}"),
            _ => panic!("{file:?} in {fstab}: {got:?}"),
        }
    }
}
