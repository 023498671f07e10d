//! What runs in the started system: `bootcmd`, `runcmd`, `phone_home`, `final_message`,
//! `power_state`.

use super::Context;
use super::reader::Reader;
use crate::firstboot::configuration::{Configuration, PhoneHome, PowerAction, PowerState};
use crate::firstboot::yaml::{Node, Value};

/// What `post: all` sends.
const POST_ALL: [&str; 7] = [
    "pub_key_rsa",
    "pub_key_ecdsa",
    "pub_key_ed25519",
    "instance_id",
    "hostname",
    "fqdn",
    "pub_key_dsa",
];

pub(super) fn read(reader: &mut Reader, context: &Context<'_>, to: &mut Configuration) {
    to.later.instance_id.clone_from(&to.instance_id);
    let mut commands = |key| context.get(key).map_or_else(Vec::new, |it| reader.commands(it, key));
    to.later.bootcmd = commands("bootcmd");
    to.later.runcmd = commands("runcmd");
    to.later.phone_home = context.get("phone_home").and_then(|it| phone_home(reader, it));
    let message = context.get("final_message");
    to.later.final_message =
        message.and_then(|it| reader.text(it, "final_message")).map(|it| it.value);
    to.later.power_state = context.get("power_state").and_then(|it| power_state(reader, it));
}

fn phone_home(reader: &mut Reader, node: &Node) -> Option<PhoneHome> {
    let fields = reader.fields(node, "phone_home", &["url", "post", "tries"])?;
    let Some(url) = fields.get("url") else {
        reader.error(&node.place, "phone_home has no url");
        return None;
    };
    let url = reader.line(url, "url of phone_home")?;
    if !url.value.starts_with("http://") && !url.value.starts_with("https://") {
        reader.error(&url.place, "url of phone_home must begin with http:// or https://");
        return None;
    }
    let post = match fields.get("post") {
        None => POST_ALL.map(str::to_owned).to_vec(),
        Some(node) if node.as_str() == Some("all") => POST_ALL.map(str::to_owned).to_vec(),
        Some(node) => {
            let mut names = Vec::new();
            for name in reader.lines(node, "post") {
                if POST_ALL.contains(&name.value.as_str()) {
                    names.push(name.value);
                } else {
                    let what = format!("post: {:?} is none of {}", name.value, POST_ALL.join(", "));
                    reader.error(&name.place, what);
                }
            }
            names
        }
    };
    let tries = fields.get("tries").and_then(|it| reader.number(it, "tries", 1..=100));
    let tries = tries.and_then(|it| u32::try_from(it).ok()).unwrap_or(10);
    Some(PhoneHome { url: url.value, post, tries })
}

fn power_state(reader: &mut Reader, node: &Node) -> Option<PowerState> {
    let known = ["mode", "delay", "message", "timeout", "condition"];
    let fields = reader.fields(node, "power_state", &known)?;
    let Some(mode) = fields.get("mode") else {
        reader.error(&node.place, "power_state has no mode: halt, poweroff or reboot");
        return None;
    };
    let mode = match mode.as_str() {
        Some("halt") => PowerAction::Halt,
        Some("poweroff") => PowerAction::Poweroff,
        Some("reboot") => PowerAction::Reboot,
        _ => {
            reader.error(&mode.place, "mode of power_state must be halt, poweroff or reboot");
            return None;
        }
    };
    let delay_minutes = fields.get("delay").map_or(Some(0), |it| delay(reader, it))?;
    let timeout = fields.get("timeout").and_then(|it| reader.number(it, "timeout", 0..=86_400));
    let message = fields.get("message").and_then(|it| reader.text(it, "message"));
    let condition = match fields.get("condition") {
        None => None,
        Some(node) => match &node.value {
            Value::Bool(true) => None,
            // Not at all.
            Value::Bool(false) => return None,
            Value::Str(_) | Value::Seq(_) => reader.command(node, "condition"),
            _ => {
                reader.error(&node.place, "condition must be true, false or a command");
                None
            }
        },
    };
    Some(PowerState {
        mode,
        delay_minutes,
        message: message.map(|it| it.value),
        condition,
        timeout_s: timeout.and_then(|it| u64::try_from(it).ok()).unwrap_or(30),
    })
}

/// `now`, `+5` or `5`: minutes.
fn delay(reader: &mut Reader, node: &Node) -> Option<u64> {
    if node.as_str() == Some("now") {
        return Some(0);
    }
    let minutes = match &node.value {
        Value::Str(text) => text.trim().trim_start_matches('+').parse().ok(),
        Value::Int(number) => u64::try_from(*number).ok(),
        _ => None,
    };
    let minutes = minutes.filter(|minutes| *minutes <= 100_000);
    if minutes.is_none() {
        reader.error(&node.place, "delay must be now, or minutes: 5");
    }
    minutes
}
