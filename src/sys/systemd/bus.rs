//! The system bus, where there is one: one round trip for the states of all
//! units and a few for what is not well. Measured in a container: all checks of
//! ten running services take 4 ms, of a thousand 50 ms; a `systemctl` process
//! takes 15 ms for the first unit, as it reads every property of each.
//!
//! Nothing may depend on the bus: it is what an update may have broken. A bus
//! that refuses, hangs or breaks off (zbus waits for ever on some of these) costs
//! its time limit, once: each question runs in a thread of its own, which is left
//! behind, and what systemctl can answer as well is not asked here a second time.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use zbus::{Connection, OwnedObjectPath, OwnedVariant, connection};

use super::units::Unit;
use crate::sys::within::{Missed, within};

const SYSTEMD: &str = "org.freedesktop.systemd1";
const MANAGER: &str = "org.freedesktop.systemd1.Manager";
const MANAGER_PATH: &str = "/org/freedesktop/systemd1";
const DBUS: &str = "org.freedesktop.DBus";

/// Questions that are under way at the same time: many enough that the round
/// trips do not add up, few enough for the queues on both sides.
const AT_ONCE: usize = 64;

/// The connection that questions share: to be let in and to get a name takes more hops than
/// most questions do. Held while it is made, so that the first two do not make one each.
static KEPT: Mutex<Option<Connection>> = Mutex::new(None);

/// Set once the bus let a question go unanswered.
static SILENT: AtomicBool = AtomicBool::new(false);

/// A row of `ListUnitsByNames` (org.freedesktop.systemd1(5)): name, description,
/// load state, active state, sub state, followed unit, path, job's id, type, path.
type Row =
    (String, String, String, String, String, String, OwnedObjectPath, u32, String, OwnedObjectPath);

/// What systemd says of these units, in their order.
///
/// # Errors
/// There is no bus, or no answer within the limit, or systemd refuses one of the
/// names and with it all of them.
pub fn units(names: &[&str], limit: Duration) -> Result<Vec<Unit>> {
    if SILENT.load(Ordering::Relaxed) {
        bail!("the system bus did not answer before");
    }
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    ask(limit, async move |bus: Connection| {
        let (method, body) = ("ListUnitsByNames", (&names,));
        let reply =
            bus.call_method(Some(SYSTEMD), MANAGER_PATH, Some(MANAGER), method, &body).await?;
        let rows: Vec<Row> = reply.body().deserialize()?;
        ensure!(rows.len() == names.len(), "{} units, {} answers", names.len(), rows.len());
        let mut units = Vec::with_capacity(rows.len());
        for rows in rows.chunks(AT_ONCE) {
            for unit in all(rows.iter().map(|row| unit(&bus, row)).collect()).await {
                units.push(unit?);
            }
        }
        Ok(units)
    })
}

/// Only where it can matter: a running service may be one that is restarted over
/// and over, and of what is not well, people want to know how it ended.
async fn unit(bus: &Connection, row: &Row) -> Result<Unit> {
    let (name, _, load, active, sub, _, path, ..) = row;
    let interface = interface(name);
    let mut unit =
        Unit { load: load.clone(), active: active.clone(), sub: sub.clone(), ..Unit::default() };
    let (running, well) = (sub == "running" || active == "activating", active == "active");
    if name.ends_with(".service") && (running || active == "failed") {
        unit.restarts = property(bus, path, &interface, "NRestarts").await?;
    }
    if load == "loaded" && !well && !interface.is_empty() {
        unit.result = property(bus, path, &interface, "Result").await?;
    }
    Ok(unit)
}

/// The interface of a unit type's own properties; empty for types that have no
/// `Result`.
fn interface(name: &str) -> String {
    let kind = match name.rsplit_once('.').map(|(_, kind)| kind) {
        Some("service") => "Service",
        Some("socket") => "Socket",
        Some("mount") => "Mount",
        Some("automount") => "Automount",
        Some("swap") => "Swap",
        Some("path") => "Path",
        Some("timer") => "Timer",
        Some("scope") => "Scope",
        _ => return String::new(),
    };
    format!("{SYSTEMD}.{kind}")
}

async fn property<T>(
    bus: &Connection,
    path: &OwnedObjectPath,
    interface: &str,
    name: &str,
) -> Result<T>
where
    T: TryFrom<OwnedVariant>,
    T::Error: std::error::Error + Send + Sync + 'static,
{
    let properties = "org.freedesktop.DBus.Properties";
    let body = (interface, name);
    let reply = bus.call_method(Some(SYSTEMD), path, Some(properties), "Get", &body).await?;
    let value: OwnedVariant = reply.body().deserialize()?;
    value.try_into().with_context(|| format!("{name} of {path} is of another type"))
}

/// Whether somebody owns this name now.
///
/// # Errors
/// There is no bus, or no answer within the limit.
pub fn has_owner(name: &str, limit: Duration) -> Result<bool> {
    let name = name.to_owned();
    ask(limit, async move |bus: Connection| {
        let path = "/org/freedesktop/DBus";
        let reply =
            bus.call_method(Some(DBUS), path, Some(DBUS), "NameHasOwner", &(&name,)).await?;
        Ok(reply.body().deserialize()?)
    })
}

/// Asks, in a thread that is left behind if it does not end in time.
fn ask<T, Q>(limit: Duration, question: Q) -> Result<T>
where
    T: Send + 'static,
    Q: AsyncFn(Connection) -> Result<T> + Send + 'static,
{
    let answer = within(limit, "bus", move || asked(question));
    if let Err(Missed::Late(_)) = &answer {
        SILENT.store(true, Ordering::Relaxed);
    }
    answer.map_err(anyhow::Error::from).flatten().context("system bus")
}

/// A connection that has broken since it was made says nothing of the bus: the same is
/// then asked over a new one. A refusal is an answer.
fn asked<T>(question: impl AsyncFn(Connection) -> Result<T>) -> Result<T> {
    let (bus, new) = connected()?;
    let error = match zbus::block_on(question(bus)) {
        Ok(answer) => return Ok(answer),
        Err(e) => e,
    };
    if matches!(error.downcast_ref(), Some(zbus::Error::MethodError(..))) {
        return Err(error);
    }
    *KEPT.lock().unwrap_or_else(PoisonError::into_inner) = None;
    if new { Err(error) } else { zbus::block_on(question(connected()?.0)) }
}

/// The connection, and whether it was made just now.
fn connected() -> Result<(Connection, bool)> {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(bus) = &*kept {
        return Ok((bus.clone(), false));
    }
    let bus = zbus::block_on(connection::Builder::system().build()).context("no connection")?;
    Ok((kept.insert(bus).clone(), true))
}

/// Waits for all of them at the same time; the results are in their order.
async fn all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut waiting: Vec<Pin<Box<F>>> = futures.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<F::Output>> = waiting.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (future, done) in waiting.iter_mut().zip(&mut done) {
            if done.is_none()
                && let Poll::Ready(output) = future.as_mut().poll(context)
            {
                *done = Some(output);
            }
        }
        if done.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}
