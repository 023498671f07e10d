//! Mounts that undo themselves.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::mount::{MntFlags, MsFlags, mount, umount, umount2};
use nix::sched::{CloneFlags, setns, unshare};
use rustix::fs::CWD;
use rustix::mount::{OpenTreeFlags, open_tree};

use super::{files, mountinfo};

/// A mount that is taken away again when this value goes.
#[derive(Debug)]
pub struct Mounted {
    path: PathBuf,
    gone: bool,
}

impl Mounted {
    /// Mounts `source` at `path`, which is made if it is not there.
    ///
    /// # Errors
    /// As mount(2), with source, path, type and options named.
    pub fn new(
        source: &Path,
        path: &Path,
        fstype: &str,
        flags: MsFlags,
        options: &str,
    ) -> Result<Self> {
        fs::create_dir_all(path)
            .with_context(|| format!("cannot make the mount point {}", path.display()))?;
        mount(Some(source), path, Some(fstype), flags, Some(options)).with_context(|| {
            format!(
                "cannot mount {} at {} as {fstype} ({})",
                source.display(),
                path.display(),
                if options.is_empty() { "no options" } else { options }
            )
        })?;
        Ok(Self { path: path.to_owned(), gone: false })
    }

    /// Binds `source`, with what is mounted below it, to `path`.
    ///
    /// # Errors
    /// As mount(2).
    pub fn bind(source: &Path, path: &Path) -> Result<Self> {
        Self::new(source, path, "", MsFlags::MS_BIND | MsFlags::MS_REC, "")
    }

    /// Takes charge of a mount that another program has made at `path`.
    pub fn adopt(path: &Path) -> Self {
        Self { path: path.to_owned(), gone: false }
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes it away now, and says whether that worked: a file system that is
    /// still in use has not been written out.
    ///
    /// # Errors
    /// As umount(2); EBUSY is the usual one. The mount is then detached, so
    /// that nothing more can be reached through it.
    pub fn unmount(mut self) -> Result<()> {
        self.gone = true;
        let result = umount(&self.path);
        if result.is_err() {
            self.detach();
        }
        result.with_context(|| format!("cannot unmount {}", self.path.display()))
    }

    /// Leaves the mount to the end of its namespace.
    pub fn leave(mut self) {
        self.gone = true;
    }

    fn detach(&self) {
        if let Err(e) = umount2(&self.path, MntFlags::MNT_DETACH) {
            log::warn!("{} stays mounted: {e}", self.path.display());
        }
    }
}

/// A file system that is writable for as long as this is not taken back.
#[derive(Debug)]
pub struct Writable {
    path: PathBuf,
    /// The flags that it had; `None` if it was writable.
    before: Option<MsFlags>,
}

impl Writable {
    /// Makes what is mounted at `path` writable.
    ///
    /// # Errors
    /// As mount(2).
    pub fn make(path: &Path) -> Result<Self> {
        let table = files::read_text(Path::new("/proc/thread-self/mountinfo"))?.unwrap_or_default();
        let mounts = mountinfo::parse(&table);
        let now = mountinfo::at(&mounts, path)
            .with_context(|| format!("nothing is mounted at {}", path.display()))?;
        let flags = flags(&now.options);
        let this = Self {
            path: path.to_owned(),
            before: flags.contains(MsFlags::MS_RDONLY).then_some(flags),
        };
        if this.before.is_some() {
            this.remount(flags.difference(MsFlags::MS_RDONLY))?;
        }
        Ok(this)
    }

    /// Makes it read-only again, if it was.
    ///
    /// # Errors
    /// As mount(2).
    pub fn take_back(mut self) -> Result<()> {
        self.before.take().map_or(Ok(()), |flags| self.remount(flags))
    }

    fn remount(&self, flags: MsFlags) -> Result<()> {
        let none = None::<&Path>;
        mount(none, &self.path, none, flags | MsFlags::MS_REMOUNT, none)
            .with_context(|| format!("cannot remount {}", self.path.display()))
    }
}

impl Drop for Writable {
    fn drop(&mut self) {
        if let Some(flags) = self.before
            && let Err(e) = self.remount(flags)
        {
            log::warn!("{} stays writable: {e:#}", self.path.display());
        }
    }
}

/// Mounts again what is mounted at `path`, from the same source with the same
/// flags: a btrfs without a subvolume among its options is entered by its
/// default subvolume, which may be another one by now.
///
/// # Errors
/// As umount(2) and mount(2). What still uses the old mount keeps it, with a
/// warning: it is then only hidden.
pub fn renew(path: &Path) -> Result<()> {
    let table = files::read_text(Path::new("/proc/thread-self/mountinfo"))?.unwrap_or_default();
    let mounts = mountinfo::parse(&table);
    let old = mountinfo::at(&mounts, path)
        .with_context(|| format!("nothing is mounted at {}", path.display()))?;
    // Held until it is mounted again: closed in between, the file system would be committed, and
    // read anew, while the boot waits. Where the kernel does not do that (before 5.2), so it is.
    let held =
        open_tree(CWD, path, OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC);
    // What another program has mounted below it would keep it busy.
    for below in mounts.iter().rev().filter(|it| it.target != path && it.target.starts_with(path)) {
        if let Err(e) = umount(&below.target) {
            log::warn!("{} is still in use: {e}", below.target.display());
        }
    }
    if let Err(e) = umount(path) {
        log::warn!("{} is still in use ({e}): its old mount is kept, hidden", path.display());
        umount2(path, MntFlags::MNT_DETACH)
            .with_context(|| format!("cannot unmount {}", path.display()))?;
    }
    Mounted::new(&old.source, path, &old.fstype, flags(&old.options), "")?.leave();
    drop(held);
    Ok(())
}

/// The flags of mount(2) that a mount's options stand for.
fn flags(options: &str) -> MsFlags {
    let flag = |option| match option {
        "ro" => MsFlags::MS_RDONLY,
        "nosuid" => MsFlags::MS_NOSUID,
        "nodev" => MsFlags::MS_NODEV,
        "noexec" => MsFlags::MS_NOEXEC,
        "noatime" => MsFlags::MS_NOATIME,
        "nodiratime" => MsFlags::MS_NODIRATIME,
        "relatime" => MsFlags::MS_RELATIME,
        _ => MsFlags::empty(),
    };
    options.split(',').map(flag).collect()
}

/// Runs `work` in a thread of its own with a mount namespace of its own: nobody
/// else sees what it mounts, and however it ends, nothing stays mounted. Mounts
/// made elsewhere still appear in it.
///
/// In the initrd that matters for the boot's time: systemd starts no mount for up to a
/// second after five changes to the table of mounts within one (its `mount.c`), and all
/// that fstab mounts there is still to come.
///
/// # Errors
/// Those of `work`; the namespace could not be made; `work` panicked.
pub fn in_own_namespace<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    in_thread(|| {
        unshare(CloneFlags::CLONE_NEWNS).context("cannot make a mount namespace")?;
        let slave = MsFlags::MS_REC | MsFlags::MS_SLAVE;
        mount(None::<&Path>, "/", None::<&Path>, slave, None::<&Path>)
            .context("cannot keep mounts to this namespace")?;
        work()
    })
}

/// A mount namespace, to come back to from another one.
#[derive(Debug)]
pub struct Namespace(File);

impl Namespace {
    /// The one that this thread is in.
    ///
    /// # Errors
    /// Its file below /proc cannot be opened.
    pub fn of_this_thread() -> Result<Self> {
        let path = Path::new("/proc/thread-self/ns/mnt");
        let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        Ok(Self(file))
    }

    /// Runs `work` in it, in a thread of its own.
    ///
    /// # Errors
    /// Those of `work`; the namespace could not be entered; `work` panicked.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        in_thread(|| {
            // Who shares his root directory with other threads is refused (setns(2)).
            unshare(CloneFlags::CLONE_FS)
                .and_then(|()| setns(&self.0, CloneFlags::CLONE_NEWNS))
                .context("cannot go back to another mount namespace")?;
            work()
        })
    }
}

fn in_thread<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    match std::thread::scope(|scope| scope.spawn(work).join()) {
        Ok(result) => result,
        Err(_) => bail!("a fault in this program: a thread with its own mounts panicked"),
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if !self.gone {
            self.detach();
        }
    }
}
