//! fstab(5), and its mount points. cloud-init marks its lines by an option, and so do we: they
//! are written anew for each instance, and no other line is touched.

use anyhow::Result;

use super::Planner;
use super::text::joined;
use crate::firstboot::configuration::Mount;

const FSTAB: &str = "/etc/fstab";
/// An option that mount(8) does not look at.
const MARK: &str = "comment=cloudconfig";

pub(super) fn plan(planner: &mut Planner, mounts: &[Mount]) -> Result<()> {
    if mounts.is_empty() {
        return Ok(());
    }
    let before = planner.view.exact_text(FSTAB)?.unwrap_or_default();
    let mut lines: Vec<String> =
        before.lines().filter(|line| !is_marked(line)).map(str::to_owned).collect();
    let kept = lines.len();
    for mount in mounts {
        let device = device(&mount.device.value);
        let Some(target) = &mount.target else {
            let is_it = |line: &String| field(line, 0) == Some(escaped(&device).as_str());
            let mut at = 0;
            lines.retain(|line| {
                at += 1;
                at <= kept || !is_it(line)
            });
            continue;
        };
        if !is_mount(planner, mount, &device, target) {
            continue;
        }
        if let Some(other) = lines[..kept].iter().find(|line| clashes(line, &device, target)) {
            let says = format!(
                "{device} on {target} is left out: /etc/fstab has a line of the system's own: \
                 {other}"
            );
            planner.warning(&mount.device.place, says);
            continue;
        }
        lines.push(line(&device, target, &mount.rest));
        if target.starts_with('/') {
            planner.view.directories(target)?;
        }
    }
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    planner.view.write_text(FSTAB, joined(&lines), 0o644)
}

/// Whether it can be a line; a problem if not.
fn is_mount(planner: &mut Planner, mount: &Mount, device: &str, target: &str) -> bool {
    let says = if ["root", "ami", "swap"].contains(&device)
        || device.starts_with("ephemeral")
        || device.starts_with("ebs")
    {
        format!("{device:?} is a name that only some clouds know: write the device, as LABEL=data")
    } else if !target.starts_with('/') && target != "none" && target != "swap" {
        format!("the mount point {target:?} of {device} is not absolute: write /{target}")
    } else if target.split('/').any(|part| part == "..") {
        format!("the mount point {target:?} of {device} contains ..: write where it leads")
    } else if device.is_empty() || mount.rest.iter().any(String::is_empty) {
        format!("a field of the mount of {device:?} is empty: write - where nothing is meant")
    } else {
        return true;
    };
    planner.error(&mount.device.place, says);
    false
}

/// `sda1` is `/dev/sda1`.
fn device(name: &str) -> String {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_disk = ["sd", "hd", "vd", "xvd"].iter().any(|kind| {
        let letter = stem.strip_prefix(kind);
        letter.is_some_and(|it| it.len() == 1 && it.chars().all(|c| c.is_ascii_lowercase()))
    });
    if is_disk || (stem == "sr" && stem != name) { format!("/dev/{name}") } else { name.to_owned() }
}

fn line(device: &str, target: &str, rest: &[String; 4]) -> String {
    let [kind, options, dump, pass] = rest;
    let options = format!("{options},{MARK}");
    [device, target, kind, &options, dump, pass].map(escaped).join("\t")
}

/// White space would end the field (fstab(5)).
fn escaped(field: &str) -> String {
    let escape = |c: char| match c {
        ' ' => "\\040".to_owned(),
        '\t' => "\\011".to_owned(),
        '\n' => "\\012".to_owned(),
        '\\' => "\\134".to_owned(),
        c => c.to_string(),
    };
    field.chars().map(escape).collect()
}

fn field(line: &str, number: usize) -> Option<&str> {
    line.split_ascii_whitespace().nth(number).filter(|_| !line.trim_start().starts_with('#'))
}

fn is_marked(line: &str) -> bool {
    field(line, 3).is_some_and(|options| options.split(',').any(|it| it == MARK))
}

/// The same device elsewhere is fine where it is one of btrfs' many subvolumes.
fn clashes(line: &str, device: &str, target: &str) -> bool {
    let is_same = |number, value: &str| field(line, number) == Some(escaped(value).as_str());
    let has_subvolumes = field(line, 2) == Some("btrfs");
    let is_target = target.starts_with('/') && is_same(1, target);
    is_target || (is_same(0, device) && !has_subvolumes)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{World, errors, placed};
    use super::*;
    use crate::firstboot::configuration::Configuration;

    fn mount(device: &str, target: Option<&str>) -> Mount {
        let rest = ["ext4", "defaults,nofail", "0", "2"].map(str::to_owned);
        Mount { device: placed(device), target: target.map(str::to_owned), rest }
    }

    #[test]
    fn only_our_own_lines_change() {
        let own = "# system\nLABEL=R / btrfs ro 0 0\nLABEL=R /var btrfs subvol=@/var 0 0\n";
        let old = "/dev/sdb /old ext4 defaults,comment=cloudconfig 0 2\n";
        let line = |device: &str, target: &str| {
            format!("{device}\t{target}\text4\tdefaults,nofail,comment=cloudconfig\t0\t2\n")
        };
        for (mounts, added) in [
            (vec![mount("sdb1", Some("/data"))], line("/dev/sdb1", "/data")),
            (vec![mount("LABEL=x", Some("/a b"))], line("LABEL=x", "/a\\040b")),
            (vec![mount("/dev/sdc", Some("/c")), mount("/dev/sdc", None)], String::new()),
            (vec![mount("/dev/sdc", Some("/var"))], String::new()),
            (vec![mount("LABEL=R", Some("/opt"))], line("LABEL=R", "/opt")),
        ] {
            let world = World::with(&[(FSTAB, &format!("{own}{old}"))]);
            let target = mounts[0].target.clone().filter(|_| !added.is_empty());
            world.configure(&Configuration { mounts, ..Configuration::default() });
            assert_eq!(world.text(FSTAB), format!("{own}{added}"));
            assert!(target.is_none_or(|target| world.path(&target).is_dir()));
        }
        // Nothing asked for, nothing done.
        let world = World::with(&[(FSTAB, old)]);
        world.configure(&Configuration::default());
        assert_eq!(world.text(FSTAB), old);
    }

    #[test]
    fn what_cannot_be_mounted_is_said() {
        for (device, target, says) in [
            ("ephemeral0", "/mnt", "only some clouds"),
            ("/dev/sdb", "mnt", "write /mnt"),
            ("/dev/sdb", "/a/../../b", "contains .."),
        ] {
            let world = World::with(&[]);
            let mounts = vec![mount(device, Some(target))];
            let configuration = Configuration { mounts, ..Configuration::default() };
            let errors = errors(&world.plan(&configuration).1);
            assert!(errors.len() == 1 && errors[0].contains(says), "{says}: {errors:?}");
        }
    }
}
