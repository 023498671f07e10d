//! Which program am I, and what came of it: name, arguments, logger, exit code.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use health_checker::cli::{Cli, Command, ConfigCommand, SafeModeCommand};
use health_checker::firstboot::cli::FirstbootCommand;
use health_checker::health::assess::{self, Assessed, How, assess};
use health_checker::health::checks::{Outcome, run};
use health_checker::health::deadline::{self, Waited};
use health_checker::health::manual::Wish;
use health_checker::health::plan::Plan;
use health_checker::health::safe_mode::{self, Left};
use health_checker::health::start;
use health_checker::report::{self, status::Health, style::Style};
use health_checker::sys::files::Root;
use health_checker::{boot, firstboot, generator, settings, sys};
use log::LevelFilter;

/// The answer is no: unhealthy, invalid, refused.
const NO: u8 = 1;
/// It could not be found out.
const UNKNOWN: u8 = 3;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_default();
    if Path::new(&name).file_name() == Some(OsStr::new("health-checker-generator")) {
        return generate(arguments.next().as_deref());
    }
    if Path::new(&name).file_name() == Some(OsStr::new("combustion")) {
        sys::log::init(LevelFilter::Info);
        return ExitCode::from(firstboot::cli::combustion(arguments.next().as_deref()));
    }
    let cli = Cli::parse();
    sys::log::init(cli.log_level);
    match run_command(&cli) {
        Ok(code) => ExitCode::from(code),
        Err(e) if is_closed_pipe(&e) => ExitCode::SUCCESS,
        Err(e) => {
            log::error!("{e:#}");
            ExitCode::from(UNKNOWN)
        }
    }
}

/// `health-checker status | head -1` is no error.
fn is_closed_pipe(e: &anyhow::Error) -> bool {
    let kind = match (e.downcast_ref::<io::Error>(), e.downcast_ref::<serde_json::Error>()) {
        (Some(e), _) => Some(e.kind()),
        // A writer of JSON has the pipe's error inside its own.
        (None, Some(e)) => e.io_error_kind(),
        (None, None) => None,
    };
    kind == Some(io::ErrorKind::BrokenPipe)
}

/// Exit status 0 whatever happens: systemd would log a failure, and nothing else
/// would come of it.
fn generate(normal_dir: Option<&OsStr>) -> ExitCode {
    sys::log::init(LevelFilter::Info);
    let Some(dir) = normal_dir else {
        log::error!("health-checker-generator: systemd calls it with three directories");
        return ExitCode::from(2);
    };
    if let Err(e) = generator::run(&Root::new("/"), Path::new(dir)) {
        log::error!("{e:#}");
    }
    ExitCode::SUCCESS
}

fn run_command(cli: &Cli) -> anyhow::Result<u8> {
    let root = Root::new(&cli.root);
    root.check()?;
    let style = Style::for_stdout(cli.no_color);
    let out = &mut io::stdout().lock();
    match &cli.command {
        Command::Status { json } => {
            let status = report::status::read(&root);
            if *json {
                status.json(out)?;
            } else {
                status.text(out, style)?;
            }
            Ok(match status.health {
                Health::Healthy => 0,
                Health::Unhealthy => NO,
                Health::Unknown => UNKNOWN,
            })
        }
        Command::Check { names, json } => check(out, &root, names, *json, style),
        Command::Assess { dry_run, act } => {
            let how = match (dry_run, act) {
                (true, _) => How::DryRun,
                (false, true) => How::Again,
                (false, false) => How::OnceABoot,
            };
            show_assessed(out, &assess(&root, how), how, style)
        }
        Command::Rollback { number, dry_run, reboot } => {
            fulfil(out, &root, Wish::Rollback { to: *number, reboot: *reboot }, *dry_run)
        }
        Command::MarkGood { number } => fulfil(out, &root, Wish::MarkGood(*number), false),
        Command::MarkBad { number } => fulfil(out, &root, Wish::MarkBad(*number), false),
        Command::Protect => fulfil(out, &root, Wish::Protect, false),
        Command::Start => boot::note_default(&root, root.dir()).map(|()| 0),
        Command::Ended => assess::ended(&root).map(|()| 0),
        Command::Emergency { sysroot } => {
            // A first boot that has failed stops here on purpose, with its reason: a reboot
            // would only fail the same way, before anybody could read it.
            if firstboot::stage::has_stopped(&root) {
                log::info!("nothing is tried: a first boot has stopped this start");
            } else {
                start::emergency::act(&root, sysroot);
            }
            Ok(0)
        }
        Command::Deadline => match deadline::wait(&root) {
            Waited::Over => show_assessed(out, &assess(&root, How::Overdue), How::Overdue, style),
            Waited::Verdict => Ok(0),
        },
        Command::Firstboot { command } => first_boot(command, &root),
        Command::Drive { command } => health_checker::drive::run(command),
        Command::SafeMode { command: SafeModeCommand::Leave } => leave_safe_mode(out, &root),
        Command::Config { command } => config(out, &root, command),
    }
}

/// Once it is settled what is entered, first boot or not, the start begins.
fn first_boot(command: &FirstbootCommand, root: &Root) -> anyhow::Result<u8> {
    let code = firstboot::cli::run(command, root);
    let goes_on = !matches!(code, Ok(NO));
    if let FirstbootCommand::Stage { sysroot, .. } = command
        && goes_on
        && !firstboot::stage::is_pending(root)
    {
        start::begin(root, sysroot);
    }
    code
}

fn check(
    out: &mut dyn Write,
    root: &Root,
    names: &[String],
    json: bool,
    style: Style,
) -> anyhow::Result<u8> {
    let checks = run::all(&settings::read(root), root, names);
    if let Some(name) = names.iter().find(|name| !checks.iter().any(|it| it.name == **name)) {
        anyhow::bail!("there is no check {name:?}; `health-checker check` lists them");
    }
    if json {
        report::check::json(out, &checks)?;
    } else {
        report::check::text(out, &checks, style)?;
    }
    Ok(if checks.iter().any(Outcome::condemns) { NO } else { 0 })
}

fn show_assessed(
    out: &mut dyn Write,
    assessed: &Assessed,
    how: How,
    style: Style,
) -> anyhow::Result<u8> {
    let (facts, plan) = match assessed {
        Assessed::Off => {
            log::info!("switched off; no checks were run");
            return Ok(0);
        }
        Assessed::Crashed => anyhow::bail!("health-checker crashed; see the journal"),
        Assessed::Done(done) => &**done,
    };
    if how == How::DryRun {
        report::check::text(out, &facts.checks, style)?;
        writeln!(out, "would decide: {}: {}", plan.decision.action, plan.decision.reason)?;
        show_plan(out, plan)?;
    } else if facts.judged.is_some() && how != How::Overdue {
        report::check::text(out, &facts.checks, style)?;
        writeln!(out, "{}", plan.decision.reason)?;
        if plan.healthy && facts.judged == Some(false) {
            writeln!(out, "It was: unhealthy. `health-checker assess --act` gives a new one.")?;
        }
    }
    // What waits for a healthy boot waits for its verdict: a later look does not change that.
    let unhealthy_before = how == How::OnceABoot && facts.judged == Some(false);
    Ok(if plan.healthy && !unhealthy_before { 0 } else { NO })
}

/// Carries out what was asked for by name, or says why not.
fn fulfil(out: &mut dyn Write, root: &Root, wish: Wish, dry_run: bool) -> anyhow::Result<u8> {
    let plan = match assess::for_wish(root, wish) {
        Ok(plan) => plan,
        Err(why) => {
            log::error!("{why}");
            return Ok(NO);
        }
    };
    if dry_run {
        show_plan(out, &plan)?;
        return Ok(0);
    }
    assess::fulfil(root, &plan)?;
    Ok(0)
}

fn show_plan(out: &mut dyn Write, plan: &Plan) -> io::Result<()> {
    for step in &plan.steps {
        writeln!(out, "  - {step}")?;
    }
    writeln!(out, "  - {}", plan.end)
}

fn leave_safe_mode(out: &mut dyn Write, root: &Root) -> anyhow::Result<u8> {
    anyhow::ensure!(root.is_live(), "--root: only the running system can leave safe mode");
    match safe_mode::leave(root)? {
        Left::Leaving => {
            writeln!(out, "Services are starting; `systemctl list-jobs` shows what is to come.")?;
            writeln!(out, "`health-checker assess --act` gives this boot a new verdict.")?;
            Ok(0)
        }
        Left::NotThere => {
            log::error!("this system is not in safe mode; nothing was changed");
            Ok(NO)
        }
    }
}

fn config(out: &mut dyn Write, root: &Root, command: &ConfigCommand) -> anyhow::Result<u8> {
    let settings = settings::read(root);
    match command {
        ConfigCommand::Check => {
            for problem in &settings.problems {
                writeln!(out, "{problem}")?;
            }
            for doubt in &settings.doubts {
                writeln!(out, "warning: {doubt}")?;
            }
            if settings.problems.is_empty() {
                writeln!(
                    out,
                    "{} files, {} checks, no problems",
                    settings.files.len(),
                    settings.checks.len()
                )?;
            }
            Ok(if settings.problems.is_empty() { 0 } else { NO })
        }
        ConfigCommand::Show { json } => {
            report::config::show(out, &settings, *json)?;
            Ok(0)
        }
    }
}
