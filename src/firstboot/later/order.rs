//! What runs, in which order: cloud-init's, by the modules of its boot stages (`cc_bootcmd`,
//! `cc_scripts_per_once`, `…_per_boot`, `…_per_instance`, `cc_scripts_user`, `cc_phone_home`).

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use anyhow::Result;

use super::shell;
use crate::firstboot::configuration::{Later, PhoneHome, Script, When};
use crate::sys::files::{self, Root};

/// Where cloud-init runs what is put there (by `write_files`, or in an image).
const DIRS: [(When, &str); 3] = [
    (When::Once, "/var/lib/cloud/scripts/per-once"),
    (When::Boot, "/var/lib/cloud/scripts/per-boot"),
    (When::Instance, "/var/lib/cloud/scripts/per-instance"),
];
/// It would run the same files.
pub(super) const CLOUD_INIT: &str = "/usr/bin/cloud-init";

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Task<'a> {
    /// What it is called in messages and marks.
    pub(super) name: String,
    pub(super) when: When,
    pub(super) work: Work<'a>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Work<'a> {
    /// A program, by its text, and the words that are put before it ([`Script::prefix`]).
    Text {
        text: Vec<u8>,
        prefix: &'a [String],
    },
    /// A program that is there.
    File(PathBuf),
    PhoneHome(&'a PhoneHome),
    /// The end of the machine's run: only for its mark.
    Power,
}

impl Work<'_> {
    fn text(text: Vec<u8>) -> Self {
        Self::Text { text, prefix: &[] }
    }
}

/// What the boot stage does.
pub(super) fn early(later: &Later) -> Vec<Task<'_>> {
    let mut hooks: Vec<&Script> = later.boothooks.iter().collect();
    hooks.sort_by(|a, b| a.name.cmp(&b.name));
    let task = |name: String, text| Task { name, when: When::Boot, work: Work::text(text) };
    let mut tasks: Vec<_> = hooks
        .into_iter()
        .map(|hook| task(format!("boothooks/{}", hook.name), hook.text.clone()))
        .collect();
    if !later.bootcmd.is_empty() {
        tasks.push(task("bootcmd".to_owned(), shell::script(&later.bootcmd)));
    }
    tasks
}

/// What the final stage does, with the programs that are found in [`DIRS`].
pub(super) fn late<'a>(later: &'a Later, found: &[(When, PathBuf)]) -> Vec<Task<'a>> {
    let of = |when: When| move |script: &&Script| script.when == when;
    let mut tasks = Vec::new();
    for when in [When::Once, When::Boot, When::Instance] {
        let mut of_kind: Vec<_> = found
            .iter()
            .filter(|(kind, _)| *kind == when)
            .map(|(_, path)| Task {
                name: format!("{}/{}", directory(when), file_name(path)),
                when,
                work: Work::File(path.clone()),
            })
            .collect();
        let scripts = later.scripts.iter().filter(of(when));
        let mut own: Vec<_> = scripts.map(|script| own_task(script, when)).collect();
        if when == When::Instance {
            // First what lies in the directory, then the user's own, runcmd among them.
            tasks.append(&mut of_kind);
            own.extend(runcmd(later));
            own.sort_by(|a, b| by_file(a).cmp(by_file(b)));
        } else {
            own.append(&mut of_kind);
            own.sort_by(|a, b| a.name.cmp(&b.name));
            // In cloud-init both are files of one directory: there is one of a name.
            own.dedup_by(|later, first| later.name == first.name);
        }
        tasks.append(&mut own);
    }
    tasks.extend(later.phone_home.as_ref().map(|home| Task {
        name: "phone_home".to_owned(),
        when: When::Instance,
        work: Work::PhoneHome(home),
    }));
    tasks
}

/// What is in [`DIRS`] now, unless cloud-init is there to run it.
pub(super) fn found(root: &Root) -> Result<Vec<(When, PathBuf)>> {
    let mut found = Vec::new();
    if root.join(CLOUD_INIT).exists() {
        return Ok(found);
    }
    for (when, dir) in DIRS {
        for path in files::list(&root.join(dir))? {
            let program = path.metadata().is_ok_and(|it| it.is_file() && is_executable(&it));
            if program {
                found.push((when, path));
            } else {
                log::warn!("{} is not executable, and so not run", path.display());
            }
        }
    }
    Ok(found)
}

fn is_executable(metadata: &std::fs::Metadata) -> bool {
    metadata.permissions().mode() & 0o111 != 0
}

fn own_task(script: &Script, when: When) -> Task<'_> {
    let name = format!(
        "{}/{}",
        if when == When::Instance { "scripts" } else { directory(when) },
        script.name
    );
    let work = Work::Text { text: script.text.clone(), prefix: &script.prefix };
    Task { name, when, work }
}

/// cloud-init writes it as a user's script of that name.
fn runcmd(later: &Later) -> Option<Task<'_>> {
    (!later.runcmd.is_empty()).then(|| Task {
        name: "runcmd".to_owned(),
        when: When::Instance,
        work: Work::text(shell::script(&later.runcmd)),
    })
}

fn by_file<'a>(task: &'a Task<'_>) -> &'a str {
    task.name.strip_prefix("scripts/").unwrap_or(&task.name)
}

fn directory(when: When) -> &'static str {
    match when {
        When::Once => "per-once",
        When::Boot => "per-boot",
        When::Instance => "per-instance",
    }
}

fn file_name(path: &std::path::Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::firstboot::configuration::Command;

    fn script(name: &str, when: When) -> Script {
        Script { name: name.to_owned(), when, text: b"#!/bin/sh\n".to_vec(), prefix: Vec::new() }
    }

    #[test]
    fn the_order_is_cloud_inits() {
        let later = Later {
            bootcmd: vec![Command::Shell("a".into())],
            runcmd: vec![Command::Shell("b".into())],
            boothooks: vec![script("z", When::Boot), script("y", When::Boot)],
            scripts: vec![
                script("zz-last", When::Instance),
                script("part-002", When::Instance),
                script("part-001", When::Instance),
                script("every", When::Boot),
                script("b-once", When::Once),
            ],
            phone_home: Some(PhoneHome { url: String::new(), post: Vec::new(), tries: 1 }),
            ..Later::default()
        };
        let names = |tasks: Vec<Task>| tasks.into_iter().map(|it| it.name).collect::<Vec<_>>();
        assert_eq!(names(early(&later)), ["boothooks/y", "boothooks/z", "bootcmd"]);
        let found = vec![
            (When::Instance, "/x/zzz".into()),
            (When::Boot, "/x/every".into()),
            (When::Once, "/x/a-once".into()),
        ];
        assert_eq!(
            names(late(&later, &found)),
            [
                "per-once/a-once",
                "per-once/b-once",
                "per-boot/every",
                "per-instance/zzz",
                "scripts/part-001",
                "scripts/part-002",
                "runcmd",
                "scripts/zz-last",
                "phone_home",
            ]
        );
        assert_eq!(names(late(&Later::default(), &[])), [""; 0]);
    }

    #[test]
    fn programs_in_the_directories_are_found_unless_cloud_init_runs_them() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::new(dir.path());
        files::replace(&root.join(DIRS[1].1).join("b"), b"", 0o755).unwrap();
        files::replace(&root.join(DIRS[1].1).join("no"), b"", 0o644).unwrap();
        assert_eq!(found(&root).unwrap(), [(When::Boot, root.join(DIRS[1].1).join("b"))]);
        files::replace(&root.join(CLOUD_INIT), b"", 0o755).unwrap();
        assert_eq!(found(&root).unwrap(), []);
    }
}
