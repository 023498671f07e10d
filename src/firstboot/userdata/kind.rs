//! What a part is: by its first line, or by its MIME type.

use crate::firstboot::configuration::When;

/// What a part is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `#cloud-config`: YAML.
    CloudConfig,
    /// `#!`: a program, run once an instance at the end of the start.
    Script,
    /// A program in one of cloud-init's directories; by its MIME type only.
    ScriptPer(When),
    /// `#cloud-boothook`: a program, run at each start, as early as can be.
    Boothook,
    /// `#include`: addresses of more user-data.
    Include,
    /// `#include-once`: the same, fetched once an instance.
    IncludeOnce,
    /// `#cloud-config-archive`: a list of parts, in YAML.
    Archive,
    /// `#cloud-config-jsonp`: a JSON patch for what was merged before.
    Jsonp,
    /// `#part-handler`: Python code for parts of other types.
    PartHandler,
    /// `## template: jinja`: to be rendered first; with what it seems to be then.
    JinjaTemplate(Option<Box<Kind>>),
}

/// First lines, in small letters, longest first: `#include` begins `#include-once` too.
const FIRST_LINES: [(&str, Kind); 9] = [
    ("#cloud-config-archive", Kind::Archive),
    ("#cloud-config-jsonp", Kind::Jsonp),
    (JINJA, Kind::JinjaTemplate(None)),
    ("#cloud-boothook", Kind::Boothook),
    ("#cloud-config", Kind::CloudConfig),
    ("#include-once", Kind::IncludeOnce),
    ("#part-handler", Kind::PartHandler),
    ("#include", Kind::Include),
    ("#!", Kind::Script),
];

const JINJA: &str = "## template: jinja";
/// The longest of them.
const LONGEST: usize = "#cloud-config-archive".len();

impl Kind {
    /// By the first line: white space before it and case do not matter.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let found = plain(bytes)?;
        Some(match found {
            Self::JinjaTemplate(_) => {
                let rest = bytes.trim_ascii_start().splitn(2, |byte| *byte == b'\n').nth(1);
                Self::JinjaTemplate(rest.and_then(plain).map(Box::new))
            }
            other => other,
        })
    }

    const ALL: [Self; 12] = [
        Self::CloudConfig,
        Self::Script,
        Self::ScriptPer(When::Boot),
        Self::ScriptPer(When::Instance),
        Self::ScriptPer(When::Once),
        Self::Boothook,
        Self::Include,
        Self::IncludeOnce,
        Self::Archive,
        Self::Jsonp,
        Self::PartHandler,
        Self::JinjaTemplate(None),
    ];

    /// The MIME type that cloud-init has for it.
    pub fn mime(&self) -> &'static str {
        match self {
            Self::CloudConfig => "text/cloud-config",
            Self::Script => "text/x-shellscript",
            Self::ScriptPer(When::Boot) => "text/x-shellscript-per-boot",
            Self::ScriptPer(When::Instance) => "text/x-shellscript-per-instance",
            Self::ScriptPer(When::Once) => "text/x-shellscript-per-once",
            Self::Boothook => "text/cloud-boothook",
            Self::Include => "text/x-include-url",
            Self::IncludeOnce => "text/x-include-once-url",
            Self::Archive => "text/cloud-config-archive",
            Self::Jsonp => "text/cloud-config-jsonp",
            Self::PartHandler => "text/part-handler",
            Self::JinjaTemplate(_) => "text/jinja2",
        }
    }

    /// By the MIME type, in small letters; `bytes` are what has it.
    pub(super) fn of_type(mime: &str, bytes: &[u8]) -> Option<Self> {
        let kind = Self::ALL.into_iter().find(|kind| kind.mime() == mime)?;
        if !matches!(kind, Self::JinjaTemplate(_)) {
            return Some(kind);
        }
        Some(match Self::of(bytes) {
            Some(template @ Self::JinjaTemplate(_)) => template,
            inner => Self::JinjaTemplate(inner.map(Box::new)),
        })
    }
}

fn plain(bytes: &[u8]) -> Option<Kind> {
    let begin = beginning(bytes);
    FIRST_LINES.iter().find(|(line, _)| begin.starts_with(line)).map(|(_, kind)| kind.clone())
}

/// The first characters that count, in small letters.
fn beginning(bytes: &[u8]) -> String {
    let trimmed = bytes.trim_ascii_start();
    let head = &trimmed[..trimmed.len().min(4 * LONGEST)];
    String::from_utf8_lossy(head).trim_start().to_lowercase()
}

/// The first lines, for who looks for what is nearly one of them.
pub(super) fn first_lines() -> impl Iterator<Item = &'static str> {
    FIRST_LINES.iter().map(|(line, _)| *line)
}
