//! Seeds of cloud-init's on their way through the stages: taken by fetch, read again by apply.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

use super::{FOUND, Found, SEED, Stage};
use crate::firstboot::cloud_config::Defaults;
use crate::firstboot::configure;
use crate::firstboot::copy::{self, Copied};
use crate::firstboot::datasource::Format;
use crate::firstboot::instance::Smbios;
use crate::firstboot::network;
use crate::firstboot::network_word;
use crate::firstboot::seed::{self, NOCLOUD_FILES, Overlay, Platform, Seed, Tree};
use crate::firstboot::trust::Trust;
use crate::record::handoff;
use crate::sys::{files, tree};

impl Stage {
    /// Reads what was taken, so that what is wrong is known before anything is changed, and
    /// brings the network up if it is needed.
    pub(super) fn prepare_seed(&self, found: Found) -> Result<()> {
        let seed = seed_of(&found)?;
        log::info!("{} says that this is instance {}", seed.datasource, seed.instance_id);
        // What is wrong with it in itself is said before there is a snapshot to be thrown away.
        let defaults = Defaults::of_tree(&tree::Tree::open(&self.machine.sysroot)?)?;
        if configure::needs_network(&seed, &defaults)? {
            network::up(&self.machine).context("the user-data is not complete without it")?;
        }
        let found =
            Found { instance: Some(Smbios::of(&self.machine).noted(seed.instance_id)), ..found };
        handoff::write(&self.machine.root, FOUND, &found)
    }
}

/// The seed that `fetch` has handed on.
///
/// # Errors
/// It is not one, or as [`seed::read`].
pub(super) fn seed_of(found: &Found) -> Result<Seed> {
    let Format::Seed(platform) = found.format else { bail!("it is no seed of cloud-init's") };
    // Without a name: places are `user-data:7:1`, and the source is told around them.
    let tree = Tree::directory(Path::new(SEED), "");
    let seed = network_word::apply(&found.overlay, |said| seed::read(&tree, platform, said))?;
    Ok(Seed { signed: found.signed_by.is_some(), ..seed })
}

/// Takes a seed into `memory`, and says who signed it. Where it must be signed, all of the
/// source is copied and verified, since all of it is signed; else only what belongs to it.
pub(in crate::firstboot) fn take(
    from: &Path,
    platform: Platform,
    overlay: &Overlay,
    trust: &Trust,
    memory: &Path,
) -> Result<(Copied, Option<String>)> {
    let kept = memory.join("seed");
    let only = match platform {
        Platform::NoCloud => &NOCLOUD_FILES[..],
        Platform::ConfigDrive | Platform::OpenStack => &["openstack"],
    };
    let (mut copied, signer) = if trust.is_asked_for() {
        ensure!(
            !network_word::is_noted(overlay),
            "network-config= on the kernel command line cannot be signed: remove it"
        );
        let whole = memory.join("source");
        let copied = copy::copy(from, &whole)?;
        no_links(&copied)?;
        let signer = trust.verify(&copied.files, |name| files::read(&whole.join(name)))?;
        copy::copy_only(&whole, &kept, Some(only))?;
        copy::remove(&whole)?;
        (copied, Some(signer))
    } else {
        let copied = copy::copy_only(from, &kept, Some(only))?;
        // A link of a config drive's may lead to another directory of its own, and is copied.
        if platform == Platform::NoCloud {
            no_links(&copied)?;
        }
        (copied, None)
    };
    copied.sha256 = with_overlay(&copied.sha256, overlay)?;
    Ok((copied, signer))
}

fn no_links(copied: &Copied) -> Result<()> {
    let link = copied.others.first().map(|path| path.display().to_string());
    ensure!(link.is_none(), "{} is a link: put the file itself there", link.unwrap_or_default());
    Ok(())
}

/// What was said elsewhere is a part of the configuration: with another, it is another one.
fn with_overlay(sha256: &str, overlay: &Overlay) -> Result<String> {
    if overlay.is_empty() {
        return Ok(sha256.to_owned());
    }
    let mut hash = Sha256::new();
    hash.update(sha256);
    hash.update(serde_json::to_vec(overlay)?);
    Ok(base16ct::lower::encode_string(&hash.finalize()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::sys::cmdline::Cmdline;

    fn source() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("user-data", "#cloud-config\n"),
            ("meta-data", "instance-id: i-1\n"),
            ("film.mkv", "large"),
            ("openstack/latest/meta_data.json", "{\"uuid\": \"u-1\"}"),
        ] {
            files::replace(&dir.path().join(name), text.as_bytes(), 0o644).unwrap();
        }
        dir
    }

    fn taken(from: &Path, platform: Platform, overlay: &Overlay) -> Result<(String, Seed)> {
        let memory = tempfile::tempdir().unwrap();
        let (copied, _) = take(from, platform, overlay, &Trust::default(), memory.path())?;
        assert!(!memory.path().join("seed/film.mkv").exists());
        let tree = Tree::directory(&memory.path().join("seed"), "");
        Ok((copied.sha256, seed::read(&tree, platform, overlay)?))
    }

    #[test]
    fn only_what_belongs_to_a_seed_is_taken_and_named_by_all_of_it() {
        let dir = source();
        let none = Overlay::new();
        let (first, seed) = taken(dir.path(), Platform::NoCloud, &none).unwrap();
        assert_eq!((&*seed.instance_id, seed.files.len()), ("i-1", 0));
        let overlay = [("instance-id".to_owned(), "i-2".into())].into_iter().collect();
        let (other, seed) = taken(dir.path(), Platform::NoCloud, &overlay).unwrap();
        assert_eq!(seed.instance_id, "i-2");
        assert_ne!(first, other);
        fs::write(dir.path().join("film.mkv"), "larger").unwrap();
        assert_eq!(taken(dir.path(), Platform::NoCloud, &none).unwrap().0, first);
        fs::write(dir.path().join("vendor-data"), "v").unwrap();
        assert_ne!(taken(dir.path(), Platform::NoCloud, &none).unwrap().0, first);
        let (_, seed) = taken(dir.path(), Platform::ConfigDrive, &none).unwrap();
        assert_eq!(seed.instance_id, "u-1");
    }

    #[test]
    fn links_are_refused_or_stay_inside() {
        let dir = source();
        let none = Overlay::new();
        fs::remove_file(dir.path().join("user-data")).unwrap();
        symlink("/etc/shadow", dir.path().join("user-data")).unwrap();
        let error = taken(dir.path(), Platform::NoCloud, &none).unwrap_err().to_string();
        assert_eq!(error, "user-data is a link: put the file itself there");
        let openstack = dir.path().join("openstack");
        fs::rename(openstack.join("latest"), openstack.join("2018-08-27")).unwrap();
        symlink("2018-08-27", openstack.join("latest")).unwrap();
        assert_eq!(taken(dir.path(), Platform::ConfigDrive, &none).unwrap().1.instance_id, "u-1");
        symlink("/etc/shadow", openstack.join("2018-08-27/user_data")).unwrap();
        let error = format!("{:#}", taken(dir.path(), Platform::ConfigDrive, &none).unwrap_err());
        assert!(error.contains("it is a link that leads out of the seed"), "{error}");
    }

    #[test]
    fn where_keys_are_wanted_a_seed_must_be_signed() {
        let (dir, memory) = (source(), tempfile::tempdir().unwrap());
        let trust = Trust::in_keys(vec![
            crate::firstboot::trust::Key::parse(
                "me".into(),
                "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3",
            )
            .unwrap(),
        ]);
        let none = Overlay::new();
        let error = take(dir.path(), Platform::NoCloud, &none, &trust, memory.path());
        assert!(error.unwrap_err().to_string().starts_with("there is no SHA256SUMS with it"));
        assert!(!memory.path().join("seed").exists());
        let mut overlay = Overlay::new();
        network_word::note(&Cmdline::parse("network-config=disabled"), &mut overlay);
        let error = take(dir.path(), Platform::NoCloud, &overlay, &trust, memory.path());
        assert!(error.unwrap_err().to_string().contains("cannot be signed: remove it"));
    }

    #[test]
    fn what_the_command_line_says_of_the_network_is_a_part_of_the_configuration() {
        let (dir, memory) = (source(), tempfile::tempdir().unwrap());
        let sha256 = |overlay: &Overlay| {
            let taken =
                take(dir.path(), Platform::NoCloud, overlay, &Trust::default(), memory.path());
            taken.unwrap().0.sha256
        };
        let mut overlay = Overlay::new();
        let before = sha256(&overlay);
        network_word::note(&Cmdline::parse("network-config=disabled"), &mut overlay);
        assert_ne!(sha256(&overlay), before);
    }
}
