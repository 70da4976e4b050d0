//! Whatever happens, the kernel has what is desired.

use lvs::{Config, Event, FlushOnStop, GroupConfig, GroupEntry, Outcome, Remembered, Target};
use proptest::prelude::*;
use types::{Family, FwMark, Port, Protocol, Weight};

use crate::lab::{Lab, config, misc_check, sorry, unordered, virtual_server};

/// Small numbers, so that collisions (same server, same service, sorry server that is a real one) are frequent.
fn any_virtual_server() -> impl Strategy<Value = lvs::VirtualServerConfig> {
    let server = (1u8..6, 0u32..3, any::<bool>(), 0u8..4, 0u32..2);
    let head = (100u8..103, 0u8..5, 0u32..4, 0u32..2, 0u8..8, any::<bool>());
    (head, prop::collection::btree_map(1u8..6, server, 1..5)).prop_map(
        |((address, target, quorum, hysteresis, sorry_number, sorry_inhibit), servers)| {
            let mut with = virtual_server(&format!("10.0.0.{address}:80"), &[]);
            with.target = match target {
                0 => Target::Group { name: "G".into(), protocol: Protocol::Tcp, family: Family::Inet },
                1 => Target::Group { name: "H".into(), protocol: Protocol::Tcp, family: Family::Inet },
                2 => Target::Mark { mark: FwMark(1), family: Family::Inet },
                _ => with.target,
            };
            with.quorum = quorum.max(1);
            with.hysteresis = hysteresis.min(with.quorum - 1);
            if sorry_number > 2 {
                with.sorry_server = sorry(&format!("10.0.0.{sorry_number}:80"), sorry_inhibit);
            }
            for (number, (_, weight, inhibit, checkers, threshold)) in servers {
                let mut server = crate::lab::real(&format!("10.0.0.{number}:80"));
                server.weight = Weight::new(weight).unwrap();
                server.inhibit_on_failure = inhibit;
                server.upper_threshold = threshold;
                server.checkers[0].alpha = checkers == 1;
                match checkers {
                    0 => server.checkers.clear(),
                    3 => server.checkers.push(misc_check(u32::from(number), true)),
                    _ => {}
                }
                with.real_servers.push(server);
            }
            with
        },
    )
}

fn any_config() -> impl Strategy<Value = Config> {
    let range = |last: u8| GroupEntry::Range {
        first: "10.0.0.100".parse().unwrap(),
        last: format!("10.0.0.{last}").parse().unwrap(),
        port: Port(80),
    };
    (prop::collection::vec(any_virtual_server(), 0..4), 100u8..103, 100u8..103).prop_map(
        move |(virtual_servers, last, other)| {
            let mark = GroupEntry::Mark { mark: FwMark(1), family: None };
            Config {
                groups: vec![
                    GroupConfig { name: "G".into(), entries: vec![range(last), mark] },
                    GroupConfig { name: "H".into(), entries: vec![range(other)] },
                ],
                flush_on_stop: FlushOnStop::No,
                ..config(virtual_servers)
            }
        },
    )
}

#[derive(Debug, Clone)]
enum Step {
    Pass,
    End(usize, u8),
    Reload(Box<Config>),
    SetWeight(usize, usize, u32),
    Clear,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Pass),
        8 => (0usize..8, 0u8..6).prop_map(|(which, how)| Step::End(which, how)),
        1 => any_config().prop_map(|config| Step::Reload(Box::new(config))),
        1 => (0usize..3, 0usize..4, 0u32..5).prop_map(|(v, r, w)| Step::SetWeight(v, r, w)),
        1 => Just(Step::Clear),
    ]
}

fn take(lab: &mut Lab, step: &Step) {
    match step {
        Step::Pass => {
            lab.step();
        }
        Step::End(which, how) => {
            let Some((&probe, (address, _))) = lab.running.iter().nth(*which) else { return };
            let script = address.ip().is_unspecified();
            let outcome = match (script, how) {
                (true, 0) => Outcome::Exited(0),
                (true, 1) => Outcome::Exited(1),
                (true, 2) => Outcome::TimedOut,
                (true, code) => Outcome::Exited(*code),
                (false, 0..=2) => Outcome::Success,
                (false, _) => Outcome::Failed("refused".into()),
            };
            lab.running.remove(&probe);
            lab.tell(Event::Probe { probe, outcome });
        }
        Step::Reload(config) => lab.reload(Config::clone(config)),
        Step::SetWeight(virtual_server, real_server, weight) => lab.tell(Event::SetWeight {
            virtual_server: *virtual_server,
            real_server: *real_server,
            weight: Weight::new(*weight).unwrap(),
        }),
        Step::Clear => {
            lab.kernel.services.clear();
            lab.tell(Event::Compare);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// The kernel of the lab panics when something is added twice or removed without being there, so this shows that operations are exact as well.
    #[test]
    fn the_kernel_always_has_what_is_desired(first in any_config(), steps in prop::collection::vec(any_step(), 0..60)) {
        let mut lab = Lab::new(first);
        lab.assert_settled();
        for step in &steps {
            take(&mut lab, step);
            lab.assert_settled();
        }
        lab.tell(Event::Shutdown);
        prop_assert!(lab.kernel.services.is_empty());
    }

    /// A reload ends where a start with the new configuration begins, as long as every server is as the file says.
    #[test]
    fn a_reload_is_equivalent_to_a_start(old in any_config(), new in any_config()) {
        let mut reloaded = Lab::new(old);
        reloaded.reload(new.clone());
        let started = Lab::new(new.clone());
        // services are the same; destinations too, except where a server that both have kept its state
        let services = |lab: &Lab| lab.kernel.services.iter().map(|(key, entry)| (*key, entry.service.clone())).collect::<Vec<_>>();
        prop_assert_eq!(services(&reloaded), services(&started));
        // and once more the same changes nothing
        reloaded.forget();
        reloaded.reload(new);
        prop_assert!(reloaded.operations.is_empty());
        prop_assert!(reloaded.notifications.is_empty());
    }

    /// A crash between any two events costs nothing: the successor finds the table as it desires it.
    #[test]
    fn a_crash_changes_nothing(first in any_config(), steps in prop::collection::vec(any_step(), 0..40)) {
        let mut lab = Lab::new(first);
        for step in &steps {
            if !matches!(step, Step::SetWeight(..)) {
                take(&mut lab, step);
            }
        }
        let remembered = lab.director.remember();
        let after = Lab::after_crash(lab.director.config().clone(), &remembered, lab.kernel.clone());
        after.assert_settled();
        let dynamic = lab.director.config().virtual_servers.iter().any(|v| v.real_servers.iter().any(|r| r.checkers.len() > 1));
        if !dynamic {
            prop_assert_eq!(unordered(&after.kernel), unordered(&lab.kernel));
        }
    }
}

#[test]
fn remembered_states_of_targets_that_have_gone_do_no_harm() {
    let lab = Lab::new(config(vec![virtual_server("10.0.0.100:80", &["10.0.0.1:80"])]));
    let remembered: Remembered = lab.director.remember();
    let other = Lab::after_crash(config(vec![]), &remembered, Default::default());
    assert!(other.kernel.services.is_empty());
}
