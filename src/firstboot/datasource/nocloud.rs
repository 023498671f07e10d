//! `NoCloud` by an address: `ds=nocloud;s=…` on the kernel command line, in SMBIOS, or
//! `seedfrom` in a seed's own meta-data. What such an address leads to is a directory of four
//! files, on a server or in the system that is to be configured.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::ds::{self, Word};
use super::image::Image;
use super::kind::{self, Kind};
use super::remote::{File, Remote};
use super::{Datasource, Ignored, Offer, Seen};
use crate::firstboot::machine::Machine;
use crate::firstboot::seed::{META_DATA, NOCLOUD_FILES, Overlay, Platform, USER_DATA};
use crate::firstboot::{network, trust};
use crate::sys::fetch::without_secrets;

/// All files together, with all tries: a server may itself be starting.
const LIMIT: Duration = Duration::from_secs(300);

/// The kernel command line's address.
pub(super) struct NoCloud {
    pub(super) machine: Machine,
}

impl NoCloud {
    fn address(&self) -> Option<String> {
        let address = Word::of_cmdline(&self.machine)?.seedfrom()?.to_owned();
        Some(ds::with_dmi(&self.machine, &address))
    }
}

fn name_of(address: &str) -> String {
    format!("{} (ds=nocloud)", without_secrets(address))
}

impl Datasource for NoCloud {
    fn name(&self) -> &'static str {
        "nocloud"
    }

    fn look(&self) -> Result<Vec<Seen>> {
        Ok(self.address().map(|it| Seen::usable(name_of(&it))).into_iter().collect())
    }

    fn fetch(&self, _: &mut Vec<Ignored>) -> Result<Option<Offer>> {
        let Some(address) = self.address() else { return Ok(None) };
        seedfrom(&self.machine, &name_of(&address), &address, ds::names(&self.machine)).map(Some)
    }
}

/// Names without a seed: `ds=nocloud;h=…;i=…`, and nothing else found anywhere.
pub(super) struct Names {
    pub(super) machine: Machine,
}

impl Names {
    fn names(&self) -> Option<Overlay> {
        Some(ds::names(&self.machine)).filter(|names| !names.is_empty())
    }
}

impl Datasource for Names {
    fn name(&self) -> &'static str {
        "names"
    }

    fn look(&self) -> Result<Vec<Seen>> {
        let seen = self.names().map(|names| {
            let names: Vec<_> = names
                .iter()
                .map(|(key, value)| format!("{key} {}", value.as_str().unwrap_or_default()))
                .collect();
            Seen::usable(format!("{} alone (ds=nocloud)", names.join(", ")))
        });
        Ok(seen.into_iter().collect())
    }

    fn fetch(&self, _: &mut Vec<Ignored>) -> Result<Option<Offer>> {
        let (Some(names), Some(seen)) = (self.names(), self.look()?.pop()) else { return Ok(None) };
        let files = [USER_DATA, META_DATA].map(|name| (name.to_owned(), Vec::new()));
        Ok(Some(Offer::files(seen.what, &files)?.seed(Platform::NoCloud, names)))
    }
}

/// The seed that an address leads to.
pub(super) fn seedfrom(
    machine: &Machine,
    source: &str,
    address: &str,
    overlay: Overlay,
) -> Result<Offer> {
    let fetch = || -> Result<Offer> {
        let path = address.strip_prefix("file://").unwrap_or(address);
        if path.starts_with('/') {
            let mut image = Image::open(machine)?;
            let dir = image.path(Path::new(path))?;
            ensure!(
                kind::of(&dir)? == Kind::Seed(Platform::NoCloud),
                "the system has no seed there: a directory with {USER_DATA} and {META_DATA}"
            );
            let offer = image.offer(source, dir)?;
            image.close()?;
            return Ok(offer);
        }
        let is_known = ["http://", "https://", "tftp://"].iter().any(|it| address.starts_with(it));
        ensure!(is_known, "an address such as http://server/dir/ or a path belongs there");
        network::up(machine)?;
        Offer::files(source.to_owned(), &files_at(machine, address)?)
    };
    Ok(fetch().with_context(|| source.to_owned())?.seed(Platform::NoCloud, overlay))
}

fn files_at(machine: &Machine, address: &str) -> Result<Vec<File>> {
    let remote = Remote::new(machine, LIMIT);
    let mut files = Vec::new();
    for name in NOCLOUD_FILES {
        let url = url_of(address, name);
        let is_required = matches!(name, USER_DATA | META_DATA);
        let bytes =
            if is_required { Some(remote.required(&url)?) } else { remote.optional(&url)? };
        files.extend(bytes.map(|bytes| (name.to_owned(), bytes)));
    }
    if trust::is_asked_for(machine)? {
        for name in trust::FILES {
            let bytes = remote.optional(&url_of(address, name))?;
            files.extend(bytes.map(|bytes| (name.to_owned(), bytes)));
        }
    }
    Ok(files)
}

/// The address of one of its files: in the place of `%s`, or behind it, with a slash between
/// unless there is a query, which then ends in what is asked for.
fn url_of(address: &str, name: &str) -> String {
    if address.contains("%s") {
        return address.replace("%s", name);
    }
    let needs_slash = !address.ends_with('/') && !address.contains('?');
    format!("{address}{}{name}", if needs_slash { "/" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::super::directory::Directory;
    use super::super::remote::testing::{machine, server};
    use super::*;
    use crate::firstboot::seed::{self, Tree};
    use crate::sys::files;

    #[test]
    fn where_the_files_of_an_address_are() {
        for (address, expected) in [
            ("http://a", "http://a/user-data"),
            ("http://a/b", "http://a/b/user-data"),
            ("http://a/b/", "http://a/b/user-data"),
            ("http://a/b?id=7&file=", "http://a/b?id=7&file=user-data"),
            ("http://a/%s.txt?x", "http://a/user-data.txt?x"),
        ] {
            assert_eq!(url_of(address, USER_DATA), expected);
        }
    }

    fn fetched(dir: &std::path::Path, cmdline: &str) -> Result<Option<Offer>> {
        NoCloud { machine: machine(dir, cmdline) }.fetch(&mut Vec::new())
    }

    #[test]
    fn a_server_is_asked_in_cloud_inits_order() {
        let dir = tempfile::tempdir().unwrap();
        let (at, asked) = server(&[("/s/user-data", "u"), ("/s/meta-data", "instance-id: i-1")]);
        let offer = fetched(dir.path(), &format!("ds=nocloud;s={at}/s;h=box")).unwrap().unwrap();
        assert_eq!(
            *asked.lock().unwrap(),
            ["/s/network-config", "/s/meta-data", "/s/user-data", "/s/vendor-data"]
        );
        assert_eq!(offer.source, format!("{at}/s (ds=nocloud)"));
        let seed = seed::read(&Tree::directory(&offer.dir, ""), Platform::NoCloud, &offer.overlay);
        let seed = seed.unwrap();
        assert_eq!((&*seed.instance_id, seed.local_hostname.as_deref()), ("i-1", Some("box")));
        offer.close().unwrap();
    }

    #[test]
    fn what_must_be_there_and_is_not_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let (at, _) = server(&[("/s/meta-data", "")]);
        let problem = |cmdline: &str| format!("{:#}", fetched(dir.path(), cmdline).unwrap_err());
        for (cmdline, says) in [
            (format!("ds=nocloud;s={at}/s/"), "/s/user-data: the server has no such file"),
            (format!("ds=nocloud;s={at}/forbidden/"), "meta-data: the server answers 403"),
            ("ds=nocloud;s=ftp://a/".to_owned(), "an address such as http://server/dir/"),
            ("ds=nocloud;s=/none".to_owned(), "the system has no seed there"),
        ] {
            let error = problem(&cmdline);
            assert!(error.contains(says) && error.contains("(ds=nocloud)"), "{error}");
        }
        assert!(fetched(dir.path(), "ds=nocloud").unwrap().is_none());
    }

    #[test]
    fn a_path_is_one_of_the_system() {
        let dir = tempfile::tempdir().unwrap();
        for name in NOCLOUD_FILES {
            files::replace(&dir.path().join("opt/seed").join(name), b"", 0o644).unwrap();
        }
        for address in ["/opt/seed/", "file:///opt/seed"] {
            let offer = fetched(dir.path(), &format!("ds=nocloud;s={address}")).unwrap().unwrap();
            assert!(offer.dir.starts_with(dir.path()));
        }
    }

    #[test]
    fn a_seed_may_point_elsewhere_and_its_meta_data_wins() {
        let dir = tempfile::tempdir().unwrap();
        let (at, _) =
            server(&[("/user-data", "theirs"), ("/meta-data", "instance-id: theirs\nrack: 4")]);
        let write = |name: &str, text: &str| {
            let path = dir.path().join("var/lib/cloud/seed/nocloud").join(name);
            files::replace(&path, text.as_bytes(), 0o644).unwrap();
        };
        write("user-data", "own");
        write("meta-data", &format!("instance-id: own\nlocal-hostname: own\nseedfrom: {at}"));
        let found = |cmdline: &str| {
            let directory = Directory { machine: machine(dir.path(), cmdline) };
            directory.fetch(&mut Vec::new()).unwrap().unwrap()
        };
        let read = |offer: &Offer| {
            let tree = Tree::directory(&offer.dir, "");
            seed::read(&tree, Platform::NoCloud, &offer.overlay).unwrap()
        };
        let seed = read(&found("ds=nocloud;h=line"));
        assert_eq!((&*seed.instance_id, seed.local_hostname.as_deref()), ("own", Some("line")));
        assert_eq!(seed.user_data.unwrap().bytes, b"theirs");
        assert_eq!(seed.meta_data["rack"], 4);
        // Where signatures are wanted, an unsigned seed says where to look, and nothing else.
        let key = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
        let keys = dir.path().join("etc/health-checker/firstboot.keys/me.pub");
        files::replace(&keys, key.as_bytes(), 0o644).unwrap();
        let seed = read(&found(""));
        assert_eq!((&*seed.instance_id, seed.local_hostname), ("theirs", None));
    }

    #[test]
    fn names_alone_are_a_seed_without_user_data() {
        let dir = tempfile::tempdir().unwrap();
        let names = |cmdline| Names { machine: machine(dir.path(), cmdline) };
        let offer = names("ds=nocloud;h=box").fetch(&mut Vec::new()).unwrap().unwrap();
        assert_eq!(offer.source, "local-hostname box alone (ds=nocloud)");
        let tree = Tree::directory(&offer.dir, "");
        let seed = seed::read(&tree, Platform::NoCloud, &offer.overlay).unwrap();
        assert_eq!(seed.local_hostname.as_deref(), Some("box"));
        assert!(names("ds=nocloud").fetch(&mut Vec::new()).unwrap().is_none());
    }
}
