//! What the administrator's word must do to every decision of the search's first
//! boots, whatever the facts are.

use health_checker::health::decide::decide;
use health_checker::health::facts::{Facts, Mode, Occasion};
use health_checker::health::plan::{Action, End, Step};

use super::world::World;
use super::{POLICY, boot, events};

/// The facts of every first, second and third boot.
pub fn facts() -> Vec<Facts> {
    let mut worlds = vec![World::fresh()];
    let mut facts = Vec::new();
    for depth in 0..3 {
        let mut next = super::Worlds::default();
        for world in &worlds {
            for event in events::all(world) {
                let mut started = world.clone();
                started.start(&event);
                facts.push(started.facts(&event, Occasion::Start));
                facts.push(started.facts(&event, Occasion::Verdict));
                if depth < 2 {
                    let count = &mut super::Count::default();
                    next.extend(boot(world, &event, None, count).expect("the search covers this"));
                }
            }
        }
        worlds = next.into_iter().collect();
    }
    facts
}

pub fn observing_touches_nothing(all: &[Facts]) {
    for mut facts in all.iter().cloned() {
        let enforced = decide(&facts, POLICY);
        facts.control.mode = Mode::Observe;
        let observed = decide(&facts, POLICY);
        assert_eq!(observed.decision, enforced.decision, "the same must be reported");
        assert_eq!((observed.end, observed.otherwise.end), (End::GoOn, End::GoOn));
        assert!(observed.steps.iter().all(|step| matches!(step, Step::Alert(_))));
    }
}

pub fn no_reboot_where_it_is_switched_off(all: &[Facts]) {
    for mut facts in all.iter().cloned() {
        let allowed = decide(&facts, POLICY);
        facts.control.may_reboot = false;
        let forbidden = decide(&facts, POLICY);
        let done = |steps: &[Step]| -> Vec<Step> {
            steps.iter().filter(|step| !matches!(step, Step::Alert(_))).cloned().collect()
        };
        assert_eq!(done(&forbidden.steps), done(&allowed.steps), "all but the reboot is done");
        let expected = if allowed.end == End::Reboot { End::SafeMode } else { allowed.end };
        assert_eq!(forbidden.end, expected);
    }
}

pub fn a_second_verdict_in_one_boot_changes_nothing(all: &[Facts]) {
    let at_verdict = |facts: &&Facts| facts.occasion == Occasion::Verdict;
    for mut facts in all.iter().filter(at_verdict).cloned() {
        for verdict in [true, false] {
            facts.judged = Some(verdict);
            let plan = decide(&facts, POLICY);
            assert_eq!((plan.decision.action, plan.end), (Action::None, End::GoOn));
            assert!(plan.steps.is_empty());
        }
    }
}
