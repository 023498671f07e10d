//! Who chooses the snapshot that a start enters: what loaders keep from one start to the
//! next, and what of that the program can see.

use health_checker::health::facts::Entry;

use super::compact::ByNumber;

/// The starts that an entry of an update has.
const TRIES: u8 = 2;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Loader {
    /// It enters the default subvolume, and remembers nothing.
    Plain,
    /// It goes by entries: number → tries left, none for a good one.
    Entries(ByNumber<Option<u8>>),
    /// GRUB with SUSE's protocol.
    Grub(Flag),
}

/// What GRUB remembers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flag {
    /// Set with each start.
    pub set: bool,
    /// What it was told is known good.
    pub told: Option<u8>,
    /// The default whose start has set the flag, and was the last to do so.
    pub hung: Option<u8>,
}

impl Flag {
    /// A start has come to its end.
    pub fn clear(&mut self) {
        self.set = false;
        self.hung = None;
    }
}

impl Loader {
    /// An update makes an entry for what it makes the default, with tries.
    pub fn knows_default(&mut self, number: u8) {
        if let Self::Entries(entries) = self {
            entries.insert(number, Some(TRIES));
        }
    }

    /// What is started where nobody chooses: of entries the newest that is not counted
    /// out, as systemd-boot sorts them.
    pub fn choice(&self, default: u8) -> u8 {
        let Self::Entries(entries) = self else { return default };
        let usable = entries.iter().rev().find(|(_, left)| *left != Some(0));
        usable.map(|(number, _)| number).or(entries.numbers().next_back()).unwrap()
    }

    /// What GRUB starts instead of the default, if its flag is set.
    pub fn offered(&self, default: u8) -> Option<u8> {
        let Self::Grub(flag) = self else { return None };
        flag.told.filter(|told| flag.set && *told != default)
    }

    /// Whether it has given the default up, so that `booted` is its own choice, or one
    /// that cannot be told from it.
    pub fn gave_up(&self, default: u8, booted: u8) -> bool {
        match self {
            Self::Plain => false,
            Self::Entries(entries) => booted != default && entries.get(default) == Some(Some(0)),
            Self::Grub(flag) => flag.hung == Some(default) && self.offered(default) == Some(booted),
        }
    }

    /// It starts a snapshot. Whether it counts that.
    pub fn start(&mut self, booted: u8, default: u8) -> bool {
        match self {
            Self::Plain => false,
            Self::Entries(entries) => {
                let Some(Some(left)) = entries.get(booted) else { return false };
                entries.insert(booted, Some(left.saturating_sub(1)));
                true
            }
            Self::Grub(flag) => {
                flag.set = true;
                if booted == default {
                    flag.hung = Some(booted);
                }
                false
            }
        }
    }

    /// What the program is told of a start of the named entry.
    pub fn entry(&self, counted: bool, booted: u8, default: u8) -> Option<Entry> {
        let Self::Entries(_) = self else { return None };
        Some(Entry { counted, default_counted_out: self.gave_up(default, booted) })
    }

    /// systemd-bless-boot: an entry is good, and has no tries any more.
    pub fn bless(&mut self, number: u8) {
        if let Self::Entries(entries) = self {
            entries.insert(number, None);
        }
    }

    /// Takes an entry's tries. Whether there is one.
    pub fn count_out(&mut self, number: u8) -> bool {
        let Self::Entries(entries) = self else { return false };
        let is_there = entries.contains(number);
        if is_there {
            entries.insert(number, Some(0));
        }
        is_there
    }

    /// What GRUB remembers, where it is the loader.
    pub fn flag(&self) -> Option<&Flag> {
        if let Self::Grub(flag) = self { Some(flag) } else { None }
    }

    /// The same, to be changed.
    pub fn flag_mut(&mut self) -> Option<&mut Flag> {
        if let Self::Grub(flag) = self { Some(flag) } else { None }
    }
}
