//! What is read of disks, and what is said of what is wrong: a row each.

use crate::firstboot::cloud_config::tests::{clean, problems_begin};
use crate::firstboot::configuration::{Layout, NewFileSystem, SwapSize, TableKind, Target};

#[test]
#[allow(clippy::too_many_lines, reason = "a row each")]
fn what_is_wrong_is_named_with_place_and_remedy() {
    problems_begin(&[
        ("disk_setup: [a]", "u:1:13: error: disk_setup must be a mapping of devices"),
        ("disk_setup: {/dev/vdb: true}", "u:1:24: error: a disk of disk_setup must be a mapping"),
        ("disk_setup: {ephemeral0: {layout: true}}", "u:1:14: error: \"ephemeral0\" is no device"),
        ("disk_setup: {/etc/x: {layout: true}}", "u:1:14: error: \"/etc/x\" is no device"),
        ("disk_setup: {/dev/../x: {layout: true}}", "u:1:14: error: \"/dev/../x\" is no device"),
        ("disk_setup: {vdb.1: {layout: true}}", "u:1:14: error: a partition has no partition"),
        (
            "disk_setup: {vdb: {table_type: apm}}",
            "u:1:32: error: table_type \"apm\" is none of gpt and mbr",
        ),
        ("disk_setup: {vdb: {layout: 50}}", "u:1:28: error: layout must be true, false or a list"),
        ("disk_setup: {vdb: {layout: remove}}", "u:1:28: error: layout: remove would leave"),
        ("disk_setup: {vdb: {layout: []}}", "u:1:28: error: layout has 0 partitions"),
        (
            "disk_setup: {vdb: {layout: [20, 20, 20, 20, 20]}}",
            "u:1:28: error: layout has 5 partitions, and a table of type mbr has 1 to 4",
        ),
        (
            "disk_setup: {vdb: {table_type: gpt, layout: [60, [50, 82]]}}",
            "u:1:45: error: the partitions are 110 % of the disk",
        ),
        ("disk_setup: {vdb: {layout: [0, 100]}}", "u:1:29: error: a partition's size is a"),
        ("disk_setup: {vdb: {layout: [-5]}}", "u:1:29: error: a partition's size is a"),
        ("disk_setup: {vdb: {layout: [.nan]}}", "u:1:29: error: a partition's size is a"),
        ("disk_setup: {vdb: {layout: [.inf]}}", "u:1:29: error: a partition's size is a"),
        ("disk_setup: {vdb: {layout: [99999999999999999999]}}", "u:1:29: error: a partition's"),
        ("disk_setup: {vdb: {layout: [[50, 82, 1]]}}", "u:1:29: error: a partition is a"),
        ("disk_setup: {vdb: {layout: [[50, zz]]}}", "u:1:34: error: the type \"zz\" is not known"),
        ("disk_setup: {vdb: {layout: [[50, 5]]}}", "u:1:34: error: the type \"5\" is not known"),
        ("disk_setup: {vdb: {layout: [[50, 8302]]}}", "u:1:34: error: the type \"8302\" is not"),
        ("disk_setup: {vdb: {layot: true}}", "u:1:20: warning: a disk of disk_setup has no key"),
        (
            "disk_setup: {vdb: {layout: true, overwrite: maybe}}",
            "u:1:45: error: overwrite must be true or false",
        ),
        ("fs_setup: {device: x}", "u:1:11: error: fs_setup must be a list"),
        ("fs_setup: [{device: vdb}]", "u:1:12: error: a file system must have device and"),
        ("fs_setup: [{filesystem: ext4}]", "u:1:12: error: a file system must have device and"),
        (
            "fs_setup: [{device: vdb, filesystem: ext4, cmd: mkfs}]",
            "u:1:49: error: cmd is not supported: what it would do to which disk cannot be known",
        ),
        (
            "fs_setup: [{device: vdb, filesystem: '../x'}]",
            "u:1:38: error: \"../x\" is no type of a file system",
        ),
        (
            "fs_setup: [{device: vdb, filesystem: xfs, label: thirteen-byte}]",
            "u:1:50: error: the label \"thirteen-byte\" has 13 bytes, and one of xfs has at most 12",
        ),
        (
            "fs_setup: [{device: vdb, filesystem: xfs, label: -F}]",
            "u:1:50: error: \"-F\" is no label",
        ),
        (
            "fs_setup: [{device: vdb, filesystem: xfs, partition: last}]",
            "u:1:54: error: partition \"last\" is none of auto, any, none",
        ),
        (
            "fs_setup: [{device: vdb, filesystem: xfs, partition: 0}]",
            "u:1:54: error: partition \"0\" is none of",
        ),
        ("device_aliases: [a]", "u:1:17: error: device_aliases must be a mapping"),
        ("device_aliases: {data: vdb}", "u:1:24: error: \"vdb\" is no device of this machine"),
        ("device_aliases: {a/b: /dev/vdb}", "u:1:18: error: the name \"a/b\" has a /"),
        ("swap: yes", "u:1:7: error: swap must be a mapping"),
        ("swap: {filename: /x}", "u:1:7: warning: swap has no size"),
        ("swap: {size: yes}", "u:1:14: error: size must be bytes, or a number with K, M, G or T"),
        ("swap: {size: -1}", "u:1:14: error: size must be bytes"),
        ("swap: {size: 1}", "u:1:14: error: size must be bytes"),
        ("swap: {size: 2000T}", "u:1:14: error: size must be bytes"),
        ("swap: {size: 99999999999T}", "u:1:14: error: size must be bytes"),
        ("swap: {size: 1e30G}", "u:1:14: error: size must be bytes"),
        ("swap: {size: 2Q}", "u:1:14: error: size must be bytes"),
        ("swap: {size: G}", "u:1:14: error: size must be bytes"),
        ("swap: {size: ''}", "u:1:14: error: size must be bytes"),
        ("swap: {size: auto, maxsize: much}", "u:1:29: error: maxsize must be bytes"),
        (
            "swap: {size: 1G, filename: swap}",
            "u:1:28: error: filename \"swap\" must be an absolute",
        ),
        ("swap: {size: 1G, filename: /a/../b}", "u:1:28: error: filename \"/a/../b\" must be"),
        ("swap: {size: 1G, filename: /dev/vdb}", "u:1:28: error: filename \"/dev/vdb\" must be"),
        ("growpart: {mode: always}", "u:1:18: error: mode of growpart must be auto"),
        ("growpart: {mode: gpart}", "u:1:18: warning: gpart is FreeBSD's program"),
        ("growpart: {devices: [root]}", "u:1:22: error: \"root\" is neither a mount point nor"),
        ("growpart: yes", "u:1:11: error: growpart must be a mapping"),
        ("resize_rootfs: perhaps", "u:1:16: error: resize_rootfs must be true or false"),
        ("mounts: [[]]", "u:1:10: error: an entry of mounts has one to six fields"),
        (
            "mounts: [[sdb1, data]]",
            "u:1:17: error: the directory \"data\" must be an absolute path",
        ),
    ]);
}

#[test]
fn mounts_are_read() {
    let config = clean(
        "mounts:\n- [sdb1, /data]\n- [LABEL=x y, /srv, ext4, 'noatime', '0', '0']\n- [vdc, null]\n",
    );
    let mounts: Vec<_> = config
        .mounts
        .iter()
        .map(|it| format!("{} {:?} {}", it.device.value, it.target, it.rest.join(" ")))
        .collect();
    assert_eq!(
        mounts,
        [
            "sdb1 Some(\"/data\") auto defaults,nofail 0 2",
            "LABEL=x y Some(\"/srv\") ext4 noatime 0 0",
            "vdc None auto defaults,nofail 0 2",
        ]
    );
}

#[test]
fn tables_are_read() {
    let config = clean(
        "device_aliases: {data: /dev/disk/by-id/x}\n\
         disk_setup:\n  data: {table_type: gpt, layout: [33.3, [33, 82], [33, 8300]]}\n  \
         vdc: {layout: true, overwrite: yes}\n  /dev/vdd: {layout: [[50, 8E], 50]}\n  \
         vde: {layout: false}\n",
    );
    let [first, second, third] = &config.disks.tables[..] else { panic!("{:#?}", config.disks) };
    assert_eq!(
        (&*first.device.value, first.kind, first.overwrite),
        ("/dev/disk/by-id/x", TableKind::Gpt, false)
    );
    let Layout::Parts(parts) = &first.layout else { panic!("{first:?}") };
    let parts: Vec<_> =
        parts.iter().map(|it| (it.share, it.kind.as_ref().map(|it| &it.0[..8]))).collect();
    assert_eq!(parts, [(3330, None), (3300, Some("0657FD6D")), (3300, Some("0FC63DAF"))]);
    assert_eq!((&*second.device.value, second.overwrite), ("/dev/vdc", true));
    assert_eq!((second.kind, &second.layout), (TableKind::Mbr, &Layout::One));
    let Layout::Parts(parts) = &third.layout else { panic!("{third:?}") };
    assert_eq!(parts[0].kind.as_ref().unwrap().0, "8e");
    // A type by its own GUID, in either case.
    let guid = "933ac7e1-2eb4-4f13-b844-0e14e2aef915";
    let text = format!("disk_setup: {{vdb: {{table_type: gpt, layout: [[10, '{guid}']]}}}}");
    let Layout::Parts(parts) = &clean(&text).disks.tables[0].layout else { panic!() };
    assert_eq!(parts[0].kind.as_ref().unwrap().0, guid.to_uppercase());
}

#[test]
fn file_systems_are_read() {
    let config = clean(
        "device_aliases: {data: /dev/vdb}\nfs_setup:\n\
         - {label: a, filesystem: ext4, device: data.2, partition: auto}\n\
         - {filesystem: xfs, device: /dev/vdc, partition: 1, overwrite: true, replace_fs: ntfs}\n\
         - {filesystem: btrfs, device: vdd, partition: none, extra_opts: [-m, 'single -d single']}\n\
         - {filesystem: swap, device: /dev/vde1, replace_fs: false}\n\
         - {filesystem: vfat, device: vdf, partition: auto}\n\
         mounts: [[data, /all], [data.2, /data], [LABEL=a, /a]]\n",
    );
    let show =
        |it: &NewFileSystem| format!("{} {:?} {}", it.device.value, it.target, it.kind.value);
    let shown: Vec<_> = config.disks.file_systems.iter().map(show).collect();
    assert_eq!(
        shown,
        [
            "/dev/vdb Number(2) ext4",
            "/dev/vdc Number(1) xfs",
            "/dev/vdd Whole btrfs",
            "/dev/vde1 Any swap",
            "/dev/vdf Auto vfat",
        ]
    );
    let all = &config.disks.file_systems;
    assert_eq!(all[0].label.as_deref(), Some("a"));
    assert!(all[1].overwrite && all[1].replace.as_deref() == Some("ntfs"));
    assert_eq!(all[2].options, ["-m", "single", "-d", "single"]);
    assert_eq!((all[3].replace.as_deref(), all[3].target), (None, Target::Any));
    let devices: Vec<_> = config.mounts.iter().map(|it| &*it.device.value).collect();
    assert_eq!(devices, ["/dev/vdb", "/dev/vdb2", "LABEL=a"]);
}

#[test]
fn swap_in_every_unit() {
    for (size, bytes) in [
        ("2G", Some(2 << 30)),
        ("2GB", Some(2 << 30)),
        ("1.5g", Some(3 << 29)),
        ("'512 M'", Some(512 << 20)),
        ("2048K", Some(2 << 20)),
        ("4294967296", Some(4 << 30)),
        ("'4194304'", Some(4 << 20)),
        ("0", None),
        ("'0'", None),
    ] {
        let config = clean(&format!("swap: {{size: {size}, filename: /var/s, maxsize: 1T}}"));
        let swap = config.disks.swap;
        assert_eq!(swap.as_ref().map(|it| it.size), bytes.map(SwapSize::Bytes), "{size}");
        assert!(swap.is_none_or(|it| it.most == Some(1 << 40)));
    }
    let swap = clean("swap: {size: auto}").disks.swap.unwrap();
    assert_eq!((swap.size, swap.file, swap.most), (SwapSize::Auto, None, None));
}

#[test]
fn what_grows_without_a_word() {
    // Devices of growpart, whether it is asked for; the same of the root.
    for (text, grow, root) in [
        ("{}", Some(("/", false)), Some(false)),
        ("growpart: {mode: auto}", Some(("/", true)), Some(false)),
        ("growpart: {devices: [/dev/vda3, /var]}", Some(("/dev/vda3 /var", true)), Some(false)),
        ("growpart: {mode: 'off'}\nresize_rootfs: false", None, None),
        ("growpart: {mode: off}\nresize_rootfs: noblock", None, Some(true)),
        ("growpart: {mode: growpart}\nresize_rootfs: yes", Some(("/", true)), Some(true)),
    ] {
        let disks = clean(text).disks;
        let told = disks.grow.as_ref().map(|it| {
            let names: Vec<_> = it.devices.iter().map(|it| it.value.clone()).collect();
            (names.join(" "), it.is_asked)
        });
        assert_eq!(told, grow.map(|(names, asked)| (names.to_owned(), asked)), "{text}");
        assert_eq!(disks.resize_root.map(|it| it.is_asked), root, "{text}");
    }
    assert!(
        clean("growpart: {ignore_growroot_disabled: true}").disks.grow.unwrap().ignores_disabled
    );
}
