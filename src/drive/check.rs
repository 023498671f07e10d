//! What would not work on the machine, found out as the machine does: the same functions read it.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::image::Format;
use super::names;
use crate::firstboot::cloud_config::Defaults;
use crate::firstboot::copy::Copied;
use crate::firstboot::datasource::kind::{self, Kind};
use crate::firstboot::interpret::interpret;
use crate::firstboot::script;
use crate::firstboot::seed::{self, NOCLOUD_FILES, Overlay, Platform, Seed, Tree};

/// Combustion's label; in capitals, since FAT knows no others.
const COMBUSTION: &str = "COMBUSTION";
/// That of a seed of `NoCloud`'s.
const NOCLOUD: &str = "CIDATA";
/// That of a config drive of `OpenStack`'s.
const CONFIG_DRIVE: &str = "CONFIG-2";

/// What is to be on the drive.
pub(super) struct Source<'a> {
    /// Where the copy is.
    pub(super) tree: &'a Path,
    /// What its author calls it, for messages: the copy is gone when they are read.
    pub(super) named: &'a str,
    /// What is in the copy.
    pub(super) copied: &'a Copied,
}

impl Source<'_> {
    /// Refuses it, or says which label a drive with this has.
    ///
    /// # Errors
    /// What is wrong, with file and line, and what to do.
    pub(super) fn refuse(&self, format: Format, signed: bool) -> Result<&'static str> {
        let label = match self.kind().context(self.named.to_owned())? {
            None => COMBUSTION,
            Some(platform) => {
                self.usable_seed(platform, signed)?;
                if platform == Platform::NoCloud { NOCLOUD } else { CONFIG_DRIVE }
            }
        };
        self.holdable(format, signed).context(self.named.to_owned())?;
        Ok(label)
    }

    /// Whose seed the machine would find on it; `None` for a script, which is one that can start.
    fn kind(&self) -> Result<Option<Platform>> {
        let has = |name: &str| self.tree.join(name).exists();
        let hint = match kind::of(self.tree)? {
            Kind::Seed(platform) => return Ok(Some(platform)),
            Kind::Combustion => {
                // It alone is copied there: a link may not lead out of it.
                let combustion = Tree::directory(&self.tree.join("combustion"), "combustion");
                let script = combustion.read("script")?.context("combustion/script is no file")?;
                script::parse(&script.bytes).context("combustion/script")?;
                return Ok(None);
            }
            Kind::Foreign(what) => bail!("it is {what}, which this program does not apply"),
            Kind::Nothing if has("script") => {
                "the script is one directory too high, move it into \"combustion\""
            }
            Kind::Nothing => {
                "what the machine runs is combustion/script; what it reads are user-data and \
                 meta-data"
            }
        };
        bail!("there is no file combustion/script in it: {hint}");
    }

    /// What user-data includes is not fetched here: only the machine can say whether it is there.
    fn usable_seed(&self, platform: Platform, signed: bool) -> Result<()> {
        if platform == Platform::NoCloud {
            let is_of_it =
                |path: &&std::path::PathBuf| NOCLOUD_FILES.iter().any(|it| path.starts_with(it));
            if let Some(link) = self.copied.others.iter().find(is_of_it) {
                bail!("{}: {} is a link: put the file itself there", self.named, link.display());
            }
        }
        let tree = Tree::directory(self.tree, self.named);
        let seed = Seed { signed, ..seed::read(&tree, platform, &Overlay::new())? };
        ensure!(
            !seed.is_disabled(),
            "{}: its meta-data says dsmode: disabled, so that a machine passes it over: remove that",
            self.named
        );
        let fetch = |_: &str| Ok(b"#cloud-config\n{}\n".to_vec());
        let problems = interpret(&seed, &Defaults::of(""), &fetch).problems;
        for problem in problems.iter().filter(|it| !it.is_error()) {
            log::warn!("{problem}");
        }
        let errors = problems.iter().filter(|it| it.is_error()).map(ToString::to_string);
        let errors: Vec<_> = errors.chain(problems.rest()).collect();
        ensure!(!problems.have_error(), "{}", errors.join("\n"));
        Ok(())
    }

    /// Whether the file system, and the manifest, can hold all of it.
    fn holdable(&self, format: Format, signed: bool) -> Result<()> {
        if let Some(other) = self.copied.others.first() {
            ensure!(!signed, "{} is a link: only files can be signed", other.display());
            ensure!(
                format != Format::Fat,
                "{} is a link, which a FAT file system cannot hold: copy the file, or make an .iso",
                other.display()
            );
        }
        if format == Format::Fat { names::refuse(self.tree) } else { Ok(()) }
    }
}
