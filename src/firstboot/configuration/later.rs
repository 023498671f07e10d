//! What cannot be done before the system has started, and so is written down in it: read by
//! the units that run it. The file is `/etc/health-checker/firstboot/later.json`.

use serde::{Deserialize, Serialize};

/// How often a script runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// Once in the machine's life.
    Once,
    /// Once an instance-id.
    Instance,
    /// At every boot.
    Boot,
}

/// A program to run at the end of the start, by its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script {
    /// A file name, unique: scripts of one kind run in its order.
    pub name: String,
    /// How often.
    pub when: When,
    /// All of it, interpreter line included; in base64, since it may be any bytes.
    #[serde(with = "base64_text")]
    pub text: Vec<u8>,
    /// The program that runs it, with arguments; its path comes last. Nothing: it runs itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prefix: Vec<String>,
}

/// One command of `bootcmd` or `runcmd`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Command {
    /// A line for the shell.
    Shell(String),
    /// A program and its arguments.
    Exec(Vec<String>),
}

/// What becomes of the machine in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PowerAction {
    /// It stops.
    Halt,
    /// It is switched off.
    Poweroff,
    /// It starts again.
    Reboot,
}

/// `power_state`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PowerState {
    /// What.
    pub mode: PowerAction,
    /// Minutes to wait before.
    pub delay_minutes: u64,
    /// Said to who is logged in.
    pub message: Option<String>,
    /// Only if this command, or this answer, says so.
    pub condition: Option<Command>,
    /// Seconds that cloud-init would wait for its own end. Here it is done after the verdict on
    /// the boot, whenever that is.
    pub timeout_s: u64,
}

/// `phone_home`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhoneHome {
    /// Whom to tell; `$INSTANCE_ID` in it stands for the instance-id.
    pub url: String,
    /// What: names of `cloud-init`'s documentation (`pub_key_rsa`, `instance_id`, …).
    pub post: Vec<String>,
    /// How many times it is tried.
    pub tries: u32,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Later {
    /// The instance that it belongs to.
    pub instance_id: String,
    /// Which application of a configuration wrote it, such as the new snapshot's UUID: what an
    /// earlier one ran once an instance is run again, since the system it ran in is gone. Empty:
    /// the instance-id alone decides.
    #[serde(default)]
    pub application: String,
    /// At every boot, early.
    pub bootcmd: Vec<Command>,
    /// Once an instance, at the end: the script `runcmd`, among the others by its name.
    pub runcmd: Vec<Command>,
    /// Boothooks: at every boot, before `bootcmd`.
    pub boothooks: Vec<Script>,
    /// Scripts.
    pub scripts: Vec<Script>,
    /// Tell somebody.
    pub phone_home: Option<PhoneHome>,
    /// Said when all is done.
    pub final_message: Option<String>,
    /// In the end.
    pub power_state: Option<PowerState>,
}

impl Later {
    /// Whether there is nothing of it.
    pub fn is_empty(&self) -> bool {
        let Self { bootcmd, runcmd, boothooks, scripts, .. } = self;
        bootcmd.is_empty()
            && runcmd.is_empty()
            && boothooks.is_empty()
            && scripts.is_empty()
            && self.phone_home.is_none()
            && self.final_message.is_none()
            && self.power_state.is_none()
    }
}

/// Bytes as a string of JSON.
mod base64_text {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(from)?).map_err(D::Error::custom)
    }
}
