//! Somebody owns a name on the system bus: the bus is alive, and so is the
//! service.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Check, Context, Finding, Keyed};
use crate::sys::systemd::bus;

/// What a system that has a bus has one of.
const BUS_UNITS: [&str; 3] = [
    "/usr/lib/systemd/system/dbus.socket",
    "/etc/systemd/system/dbus.socket",
    "/run/dbus/system_bus_socket",
];

/// `{dbus_name: org.freedesktop.login1}`
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DbusName {
    dbus_name: String,
}

impl Keyed for DbusName {
    const KEY: &'static str = "dbus_name";
}

impl Check for DbusName {
    fn look(&self, context: &Context) -> Finding {
        if !BUS_UNITS.iter().any(|path| Path::new(&context.root.join(path)).exists()) {
            return Finding::absent("there is no system bus");
        }
        match bus::has_owner(&self.dbus_name, context.timeout) {
            Ok(true) => Finding::pass(format!("{} has an owner", self.dbus_name)),
            Ok(false) => Finding::fail(format!("nobody owns {}", self.dbus_name)),
            Err(e) => e.into(),
        }
    }
}
