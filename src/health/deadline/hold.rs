//! What holds the deadline, and how much time a boot has left: a pure function.
//!
//! The clock of the deadline stands still while a person is asked for a password
//! and while work is going on that takes as long as it takes. When that is over,
//! time goes on from where it stood, and the boot gets at least [`LEAST`].

use std::fmt::Write;
use std::time::Duration;

/// What a boot gets in any case after it was held: what waited for the password
/// or the file system has only begun then.
pub const LEAST: Duration = Duration::from_secs(60);

/// From when to when, by the monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The beginning.
    pub begin: Duration,
    /// The end, not before the beginning.
    pub end: Duration,
}

/// Work that takes its time, by the unit that does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file system is checked: for as long as that takes.
    Fsck,
    /// Labels are set on every file: for as long as that takes.
    Relabel,
    /// The last stage of a first boot: a script of somebody's, so not without limit.
    LastStage,
    /// A volume is unlocked. Held by the question for its password; this says
    /// afterwards for how long somebody was asked.
    Unlock,
}

/// One such unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// Its name.
    pub unit: String,
    /// What it does.
    pub kind: Kind,
    /// When it began.
    pub begin: Duration,
    /// When it was done; `None` while it works.
    pub end: Option<Duration>,
}

/// A question for a password that waits for its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What people are asked.
    pub message: String,
    /// Since when.
    pub begin: Duration,
}

/// What there is to know.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The monotonic clock.
    pub now: Duration,
    /// From when the deadline counts.
    pub since: Duration,
    /// Who is asked for a password.
    pub questions: Vec<Asked>,
    /// Work, under way and done. Where systemd does not answer there is none: a
    /// PID 1 that hangs is a boot that hangs.
    pub work: Vec<Work>,
    /// When it was held before, as far as that was seen.
    pub held: Vec<Span>,
}

/// `policy:`
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a boot may take without what holds it.
    pub deadline: Duration,
    /// How long the last stage of a first boot holds it.
    pub last_stage: Duration,
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// No verdict while this is so.
    Held {
        /// What holds it, in words.
        why: String,
        /// Since when.
        since: Duration,
        /// When it no longer does, whatever happens; `None` for no limit.
        until: Option<Duration>,
    },
    /// The boot has this long.
    Wait(Duration),
    /// The time is over.
    Over,
}

/// Decides that.
pub fn next(seen: &Seen, limits: Limits) -> Next {
    let now = seen.now;
    let limit = |work: &Work| {
        let limited = work.kind == Kind::LastStage;
        limited.then(|| work.begin.saturating_add(limits.last_stage))
    };
    let working: Vec<&Work> = seen.work.iter().filter(|it| it.end.is_none()).collect();
    let holding: Vec<&Work> = working
        .into_iter()
        .filter(|it| it.kind != Kind::Unlock && limit(it).is_none_or(|end| end > now))
        .collect();
    let begin = seen.questions.iter().map(|it| it.begin);
    if let Some(since) = begin.chain(holding.iter().map(|it| it.begin)).min() {
        let until = holding.iter().filter_map(|it| limit(it)).min();
        return Next::Held { why: words(&seen.questions, &holding), since, until };
    }
    let over = seen.work.iter().filter_map(|it| {
        let end = it.end.or_else(|| limit(it))?;
        Some(Span { begin: it.begin, end: limit(it).map_or(end, |limit| limit.min(end)) })
    });
    let held = merged(over.chain(seen.held.iter().copied()), seen.since, now);
    let stood: Duration = held.iter().map(|span| span.end.saturating_sub(span.begin)).sum();
    let counted = now.saturating_sub(seen.since).saturating_sub(stood);
    let left = limits.deadline.saturating_sub(counted);
    let least = held.last().map_or(Duration::ZERO, |last| {
        last.end.saturating_add(LEAST.min(limits.deadline)).saturating_sub(now)
    });
    match left.max(least) {
        Duration::ZERO => Next::Over,
        left => Next::Wait(left),
    }
}

fn words(questions: &[Asked], holding: &[&Work]) -> String {
    let mut why = String::new();
    let mut also = |text: &str, name: &str| {
        let comma = if why.is_empty() { "" } else { ", " };
        // Writing to a string cannot fail.
        let _written = write!(why, "{comma}{text} ({name})");
    };
    for asked in questions {
        also("a password is asked for", asked.message.trim_end_matches([':', ' ']));
    }
    for work in holding {
        let text = match work.kind {
            Kind::Fsck => "a file system is checked",
            Kind::Relabel => "files are labelled anew",
            Kind::LastStage => "first boot's last stage works",
            Kind::Unlock => "a volume is unlocked",
        };
        also(text, &work.unit);
    }
    why
}

/// The parts of `spans` between `since` and `now`, in order, none twice.
fn merged(spans: impl Iterator<Item = Span>, since: Duration, now: Duration) -> Vec<Span> {
    let within = |span: Span| Span { begin: span.begin.max(since), end: span.end.min(now) };
    let mut spans: Vec<_> = spans.map(within).filter(|span| span.begin < span.end).collect();
    spans.sort_unstable();
    let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.begin <= last.end => last.end = last.end.max(span.end),
            _ => merged.push(span),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    const LIMITS: Limits = Limits { deadline: s(600), last_stage: s(3600) };

    fn at(now: u64) -> Seen {
        Seen { now: s(now), since: s(5), ..Seen::default() }
    }

    fn work(kind: Kind, begin: u64, end: Option<u64>) -> Work {
        Work { unit: "it.service".to_owned(), kind, begin: s(begin), end: end.map(s) }
    }

    fn span(begin: u64, end: u64) -> Span {
        Span { begin: s(begin), end: s(end) }
    }

    #[test]
    fn without_anything_that_holds_it_the_deadline_counts_from_switch_root() {
        assert_eq!(next(&at(604), LIMITS), Next::Wait(s(1)));
        assert_eq!(next(&at(605), LIMITS), Next::Over);
        assert_eq!(next(&at(9999), LIMITS), Next::Over);
    }

    #[test]
    fn it_is_held_by_people_and_by_work_and_says_by_which() {
        let mut seen = at(605);
        let message = "Passphrase for disk data:".to_owned();
        seen.questions = vec![Asked { message, begin: s(50) }];
        let held = |why: &str, since, until| Next::Held { why: why.to_owned(), since, until };
        assert_eq!(
            next(&seen, LIMITS),
            held("a password is asked for (Passphrase for disk data)", s(50), None)
        );
        seen.questions.clear();
        for (kind, why, until) in [
            (Kind::Fsck, "a file system is checked (it.service)", None),
            (Kind::Relabel, "files are labelled anew (it.service)", None),
            (Kind::LastStage, "first boot's last stage works (it.service)", Some(s(3630))),
        ] {
            seen.work = vec![work(kind, 30, None)];
            assert_eq!(next(&seen, LIMITS), held(why, s(30), until));
        }
        // A volume that is unlocked without a question may be one that hangs.
        seen.work = vec![work(Kind::Unlock, 30, None)];
        assert_eq!(next(&seen, LIMITS), Next::Over);
    }

    #[test]
    fn two_at_a_time_are_both_named_and_hold_it_from_the_first_on() {
        let mut seen = at(700);
        seen.questions = vec![Asked { message: "PIN".to_owned(), begin: s(80) }];
        seen.work = vec![work(Kind::LastStage, 90, None), work(Kind::Fsck, 70, None)];
        let Next::Held { why, since, until } = next(&seen, LIMITS) else { panic!("not held") };
        assert_eq!((since, until), (s(70), Some(s(3690))));
        for part in ["PIN", "a file system is checked", "first boot's last stage"] {
            assert!(why.contains(part), "{why}");
        }
    }

    #[test]
    fn time_goes_on_from_where_it_stood() {
        // Held from 100 to 1000: 95 s had counted.
        let mut seen = at(1000);
        seen.held = vec![span(100, 1000)];
        assert_eq!(next(&seen, LIMITS), Next::Wait(s(505)));
        seen.now = s(1505);
        assert_eq!(next(&seen, LIMITS), Next::Over);
        // What overlaps counts once, what was before switch-root not at all.
        seen.held = vec![span(100, 600), span(500, 1000), span(0, 5), span(200, 300)];
        assert_eq!(next(&Seen { now: s(1000), ..seen.clone() }, LIMITS), Next::Wait(s(505)));
        // Also what was over before the deadline came.
        seen.held.clear();
        for kind in [Kind::Fsck, Kind::Relabel, Kind::LastStage, Kind::Unlock] {
            seen.work = vec![work(kind, 100, Some(400))];
            assert_eq!(next(&Seen { now: s(605), ..seen.clone() }, LIMITS), Next::Wait(s(300)));
        }
    }

    #[test]
    fn what_was_held_late_gets_a_minute_at_least_and_no_more_than_the_deadline() {
        let mut seen = at(2000);
        seen.held = vec![span(604, 2000)];
        assert_eq!(next(&seen, LIMITS), Next::Wait(LEAST));
        seen.now = s(2060);
        assert_eq!(next(&seen, LIMITS), Next::Over);
        let short = Limits { deadline: s(10), ..LIMITS };
        assert_eq!(next(&Seen { now: s(2003), ..seen }, short), Next::Wait(s(7)));
    }

    #[test]
    fn a_last_stage_that_does_not_end_holds_it_only_so_long() {
        let mut seen = at(3700);
        seen.work = vec![work(Kind::LastStage, 30, None)];
        // Over at 3630; 25 s had counted before, 70 since.
        assert_eq!(next(&seen, LIMITS), Next::Wait(s(505)));
        seen.now = s(4205);
        assert_eq!(next(&seen, LIMITS), Next::Over);
        seen.work = vec![work(Kind::LastStage, 30, Some(4205))];
        assert_eq!(next(&seen, LIMITS), Next::Over);
    }
}
