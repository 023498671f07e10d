//! Layouts and numbers of the kernel's `include/uapi/linux/btrfs.h`. A wrong one
//! makes the kernel answer ENOTTY, or write past a buffer, so each layout's size
//! is checked at compile time.

use std::mem::size_of;

#[repr(C)]
pub(super) struct VolArgs {
    pub(super) fd: i64,
    pub(super) name: [u8; 4088],
}

#[repr(C)]
pub(super) struct VolArgsV2 {
    pub(super) fd: i64,
    pub(super) transid: u64,
    pub(super) flags: u64,
    /// Of what `inherit` points to.
    pub(super) inherit_size: u64,
    /// The address of a [`QgroupInherit`], if the flags say so.
    pub(super) inherit: u64,
    pub(super) unused: [u64; 2],
    pub(super) name: [u8; 4040],
}

/// With the number of groups that this program ever names.
#[repr(C)]
pub(super) struct QgroupInherit {
    pub(super) flags: u64,
    pub(super) num_qgroups: u64,
    pub(super) num_ref_copies: u64,
    pub(super) num_excl_copies: u64,
    pub(super) limits: [u64; 5],
    pub(super) qgroups: [u64; 1],
}

#[repr(C)]
pub(super) struct Timespec {
    pub(super) sec: u64,
    pub(super) nsec: u32,
}

#[repr(C)]
pub(super) struct SubvolInfo {
    pub(super) treeid: u64,
    pub(super) name: [u8; 256],
    pub(super) parent_id: u64,
    pub(super) dirid: u64,
    pub(super) generation: u64,
    pub(super) flags: u64,
    pub(super) uuid: [u8; 16],
    pub(super) parent_uuid: [u8; 16],
    pub(super) received_uuid: [u8; 16],
    pub(super) transids: [u64; 4],
    pub(super) times: [Timespec; 4],
    pub(super) reserved: [u64; 8],
}

#[repr(C)]
pub(super) struct TreeSearch {
    pub(super) tree_id: u64,
    pub(super) min_objectid: u64,
    pub(super) max_objectid: u64,
    pub(super) min_offset: u64,
    pub(super) max_offset: u64,
    pub(super) min_transid: u64,
    pub(super) max_transid: u64,
    pub(super) min_type: u32,
    pub(super) max_type: u32,
    pub(super) nr_items: u32,
    pub(super) unused: u32,
    pub(super) unused_more: [u64; 4],
    pub(super) buf: [u8; 3992],
}

#[repr(C)]
pub(super) struct FsInfo {
    pub(super) max_id: u64,
    pub(super) num_devices: u64,
    pub(super) rest: [u8; 1008],
}

#[repr(C)]
pub(super) struct RawDeviceStats {
    pub(super) devid: u64,
    pub(super) nr_items: u64,
    pub(super) flags: u64,
    pub(super) values: [u64; 5],
    pub(super) unused: [u64; 121],
}

const _: () = assert!(size_of::<FsInfo>() == 1024);
const _: () = assert!(size_of::<RawDeviceStats>() == 1032);
const _: () = assert!(size_of::<VolArgs>() == 4096);
const _: () = assert!(size_of::<VolArgsV2>() == 4096);
const _: () = assert!(size_of::<QgroupInherit>() == 80);
const _: () = assert!(size_of::<SubvolInfo>() == 504);
const _: () = assert!(size_of::<TreeSearch>() == 4096);

const MAGIC: u8 = 0x94;
nix::ioctl_write_ptr!(resize, MAGIC, 3, VolArgs);
nix::ioctl_none!(sync, MAGIC, 8);
nix::ioctl_readwrite!(tree_search, MAGIC, 17, TreeSearch);
nix::ioctl_write_ptr!(default_subvol, MAGIC, 19, u64);
nix::ioctl_write_ptr!(snap_create_v2, MAGIC, 23, VolArgsV2);
nix::ioctl_read!(subvol_getflags, MAGIC, 25, u64);
nix::ioctl_write_ptr!(subvol_setflags, MAGIC, 26, u64);
nix::ioctl_read!(fs_info, MAGIC, 31, FsInfo);
nix::ioctl_readwrite!(get_dev_stats, MAGIC, 52, RawDeviceStats);
nix::ioctl_read!(get_subvol_info, MAGIC, 60, SubvolInfo);
nix::ioctl_write_ptr!(snap_destroy_v2, MAGIC, 63, VolArgsV2);
