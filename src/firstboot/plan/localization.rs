//! The host's time zone, its language and its keyboard.

use std::path::{Component, Path};

use anyhow::Result;

use super::Planner;
use super::text::{assign, is_assignable};
use crate::firstboot::configuration::{Host, Keyboard, Placed};
use crate::firstboot::problem::Place;

const ZONES: &str = "/usr/share/zoneinfo";

pub(super) fn plan(planner: &mut Planner, host: &Host) -> Result<()> {
    if let Some(zone) = &host.timezone {
        timezone(planner, zone)?;
    }
    if let Some(locale) = &host.locale {
        let settings = [("LANG", Some(locale.value.as_str()))];
        let file = Settings {
            place: &locale.place,
            of_systemd: "/etc/locale.conf",
            of_debian: "/etc/default/locale",
        };
        file.assign(planner, &settings, &settings)?;
    }
    if let Some(keyboard) = &host.keyboard {
        self::keyboard(planner, keyboard)?;
    }
    Ok(())
}

fn timezone(planner: &mut Planner, zone: &Placed<String>) -> Result<()> {
    let name = &zone.value;
    let is_name = |component| matches!(component, Component::Normal(_));
    if name.is_empty() || !Path::new(name).components().all(is_name) {
        let says = format!("{name:?} is no time zone: write one as Europe/Berlin, or UTC");
        planner.error(&zone.place, says);
        return Ok(());
    }
    let file = format!("{ZONES}/{name}");
    if planner.view.is_file(&file)? {
        planner.view.link("/etc/localtime", format!("..{file}"))?;
        if planner.view.exists("/etc/timezone")? {
            planner.view.write_text("/etc/timezone", format!("{name}\n"), 0o644)?;
        }
    } else if planner.view.exists(ZONES)? {
        let says =
            format!("there is no time zone {name:?}: write one of {ZONES}, as Europe/Berlin");
        planner.error(&zone.place, says);
    } else {
        let says = format!("the system has no time zones: add timezone to packages for {name}");
        planner.error(&zone.place, says);
    }
    Ok(())
}

/// Settings that systemd has in one file, and Debian in another.
struct Settings<'a> {
    place: &'a Place,
    of_systemd: &'a str,
    of_debian: &'a str,
}

impl Settings<'_> {
    /// Sets them where the system has them: Debian's, if its file is there; systemd's, if that
    /// is there, or neither.
    fn assign(
        &self,
        planner: &mut Planner,
        systemd: &[(&str, Option<&str>)],
        debian: &[(&str, Option<&str>)],
    ) -> Result<()> {
        for value in systemd.iter().chain(debian).filter_map(|(_, value)| *value) {
            if !is_assignable(value) {
                let says = format!("{value:?} contains characters that cannot be set");
                planner.error(self.place, says);
                return Ok(());
            }
        }
        let has_debians = planner.view.exists(self.of_debian)?;
        if has_debians {
            assign_all(planner, self.of_debian, debian)?;
        }
        if !has_debians || planner.view.exists(self.of_systemd)? {
            assign_all(planner, self.of_systemd, systemd)?;
        }
        Ok(())
    }
}

fn assign_all(planner: &mut Planner, path: &str, settings: &[(&str, Option<&str>)]) -> Result<()> {
    let mut text = planner.view.exact_text(path)?.unwrap_or_default();
    for (key, value) in settings {
        if let Some(value) = value {
            text = assign(&text, key, value);
        }
    }
    planner.view.write_text(path, text, 0o644)
}

/// As vconsole.conf(5), keyboard(5) and xorg.conf(5) have it.
fn keyboard(planner: &mut Planner, keyboard: &Keyboard) -> Result<()> {
    const X11: &str = "/etc/X11/xorg.conf.d";
    let Keyboard { layout, model, variant, options } = keyboard;
    let text = |it: &'_ Option<String>| it.clone().filter(|it| !it.is_empty());
    let (model, variant, options) = (text(model), text(variant), text(options));
    // The names that the keymaps made of X11's have.
    let keymap = match &variant {
        Some(variant) => format!("{}-{variant}", layout.value),
        None => layout.value.clone(),
    };
    let of_x11 = [
        ("XKBLAYOUT", Some(layout.value.as_str())),
        ("XKBMODEL", model.as_deref()),
        ("XKBVARIANT", variant.as_deref()),
        ("XKBOPTIONS", options.as_deref()),
    ];
    let mut of_console = vec![("KEYMAP", Some(keymap.as_str()))];
    of_console.extend(of_x11);
    let file = Settings {
        place: &layout.place,
        of_systemd: "/etc/vconsole.conf",
        of_debian: "/etc/default/keyboard",
    };
    let before = planner.problems.found();
    file.assign(planner, &of_console, &of_x11)?;
    if planner.problems.found() > before || !planner.view.exists(X11)? {
        return Ok(());
    }
    let mut section = "Section \"InputClass\"\n        Identifier \"system-keyboard\"\n        \
                       MatchIsKeyboard \"on\"\n"
        .to_owned();
    for ((_, value), option) in of_x11.iter().zip(["Layout", "Model", "Variant", "Options"]) {
        if let Some(value) = value {
            section.extend(["        Option \"Xkb", option, "\" \"", value, "\"\n"]);
        }
    }
    section.push_str("EndSection\n");
    planner.view.write_text(format!("{X11}/00-keyboard.conf"), section, 0o644)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{World, errors, placed};
    use super::*;
    use crate::firstboot::configuration::Configuration;

    #[test]
    fn each_setting_goes_where_the_system_has_it() {
        let locale = || Host { locale: Some(placed("de_DE.UTF-8")), ..Host::default() };
        let keyboard = || Host {
            keyboard: Some(Keyboard {
                layout: placed("de"),
                model: None,
                variant: Some("nodeadkeys".into()),
                options: Some("compose:ralt".into()),
            }),
            ..Host::default()
        };
        let zone = || Host { timezone: Some(placed("Europe/Berlin")), ..Host::default() };
        let berlin = ("/usr/share/zoneinfo/Europe/Berlin", "TZ");
        for (files, host, path, wanted) in [
            (vec![], locale(), "/etc/locale.conf", "LANG=de_DE.UTF-8\n"),
            (
                vec![("/etc/default/locale", "LANG=C\n")],
                locale(),
                "/etc/default/locale",
                "LANG=de_DE.UTF-8\n",
            ),
            (
                vec![("/etc/vconsole.conf", "FONT=x\nKEYMAP=us\n")],
                keyboard(),
                "/etc/vconsole.conf",
                "FONT=x\nKEYMAP=de-nodeadkeys\nXKBLAYOUT=de\nXKBVARIANT=nodeadkeys\n\
              XKBOPTIONS=compose:ralt\n",
            ),
            (
                vec![("/etc/default/keyboard", "XKBLAYOUT=\"us\"\n")],
                keyboard(),
                "/etc/default/keyboard",
                "XKBLAYOUT=de\nXKBVARIANT=nodeadkeys\nXKBOPTIONS=compose:ralt\n",
            ),
            (vec![berlin], zone(), "/etc/localtime", "TZ"),
            (vec![berlin, ("/etc/timezone", "UTC\n")], zone(), "/etc/timezone", "Europe/Berlin\n"),
        ] {
            World::with(&files).configures(host, path, wanted);
        }
    }

    #[test]
    fn what_cannot_be_set_is_said() {
        let berlin = ("/usr/share/zoneinfo/Europe/Berlin", "TZ");
        for (files, host, says) in [
            (
                vec![berlin],
                Host { timezone: Some(placed("../../etc")), ..Host::default() },
                "no time zone: write",
            ),
            (
                vec![berlin],
                Host { timezone: Some(placed("Europe/Berln")), ..Host::default() },
                "there is no time zone \"Europe/Berln\"",
            ),
            (vec![], Host { timezone: Some(placed("UTC")), ..Host::default() }, "no time zones"),
            (
                vec![],
                Host { locale: Some(placed("a\nPATH=x")), ..Host::default() },
                "cannot be set",
            ),
        ] {
            let configuration = Configuration { host, ..Configuration::default() };
            let errors = errors(&World::with(&files).plan(&configuration).1);
            assert!(errors.len() == 1 && errors[0].contains(says), "{says}: {errors:?}");
        }
    }
}
