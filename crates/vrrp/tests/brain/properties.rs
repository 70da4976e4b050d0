//! Random lives of a set of routers, with what must hold after each event.

use proptest::prelude::*;
use types::{IfIndex, Priority};
use vrrp::config::{Config, InstanceConfig, TrackTarget};
use vrrp::{Action, Event, InstanceId, Notification, ScriptId, ScriptOutcome, State};

use crate::scene::*;

#[derive(Debug, Clone)]
enum Op {
    Advert { id: usize, source: u8, priority: u8 },
    Pass(u64),
    Oversleep(u64),
    Link { index: u32, up: bool },
    LinkGone(u32),
    Source { index: u32, there: bool },
    Script(i32),
    File(i64),
    Bfd(bool),
    HoldingLost(usize),
    Stalled(u64),
    Reload(usize),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (0..3usize, 0..4u8, prop_oneof![Just(0u8), Just(50), Just(100), Just(150), Just(255)])
            .prop_map(|(id, source, priority)| Op::Advert { id, source, priority }),
        6 => (0..5_000_000u64).prop_map(Op::Pass),
        1 => (0..20_000_000u64).prop_map(Op::Oversleep),
        2 => (1..3u32, any::<bool>()).prop_map(|(index, up)| Op::Link { index, up }),
        1 => (1..3u32).prop_map(Op::LinkGone),
        1 => (1..3u32, any::<bool>()).prop_map(|(index, there)| Op::Source { index, there }),
        1 => (0..2i32).prop_map(Op::Script),
        1 => (-300..300i64).prop_map(Op::File),
        1 => any::<bool>().prop_map(Op::Bfd),
        1 => (0..3usize).prop_map(Op::HoldingLost),
        1 => (0..10_000_000u64).prop_map(Op::Stalled),
        1 => (0..4usize).prop_map(Op::Reload),
    ]
}

fn variant(number: usize) -> Config {
    let second = InstanceConfig { interface: Some(name("eth1")), preempt: false, ..numbered("V2", 52) };
    let owner = InstanceConfig { priority: Priority::OWNER, ..numbered("V3", 53) };
    let mut config = config(vec![instance("V1"), second, owner]);
    config.scripts.push(script("chk"));
    config.files.push(vrrp::config::TrackFileConfig { name: "file".into(), path: "/f".into(), init: None });
    config.bfds.push("bfd".into());
    config.instances[0].trackers.push(tracker(TrackTarget::Script("chk".into()), -20));
    config.instances[0].trackers.push(tracker(TrackTarget::File("file".into()), 1));
    config.instances[1].trackers.push(tracker(TrackTarget::Bfd("bfd".into()), 0));
    config.instances[1].preempt_delay = seconds(3);
    config.instances[1].preempt = number != 2;
    config.instances[0].announce.master_delay = seconds(5);
    config.instances[0].announce.lower_priority_repeat = 2;
    if number >= 1 {
        config.sync_groups.push(group("G", &["V1", "V2"]));
    }
    if number == 3 {
        config.instances.remove(2);
    }
    config
}

/// What the world would look like after the actions: who holds, what was told last.
#[derive(Default)]
struct World {
    holds: Vec<bool>,
    told: Vec<Option<vrrp::NotifiedState>>,
}

impl World {
    fn perform(&mut self, actions: &[Action]) -> Result<(), TestCaseError> {
        for action in actions {
            match action {
                Action::Hold(id) => self.holds[id.0 as usize] = true,
                Action::Release(id) => self.holds[id.0 as usize] = false,
                Action::Announce(list) => {
                    for one in list {
                        let holds = self.holds[one.instance.0 as usize];
                        prop_assert!(holds, "announced without holding: {one:?}");
                    }
                }
                Action::Notify(Notification::Instance { instance, state, .. }) => {
                    let told = &mut self.told[instance.0 as usize];
                    prop_assert_ne!(*told, Some(*state), "told twice");
                    *told = Some(*state);
                }
                Action::Send(advert) => {
                    prop_assert!(!advert.destinations.is_empty());
                }
                Action::Notify(_) | Action::SocketsChanged | Action::RunScript { .. } | Action::Log(_) => {}
            }
        }
        Ok(())
    }

    fn check(&self, scene: &Scene) -> Result<(), TestCaseError> {
        for view in scene.routers.instances() {
            let id = view.id.0 as usize;
            prop_assert_eq!(self.holds[id], view.state == State::Master, "{} holds", &view.config.name);
            prop_assert!(view.state != State::Fault || !view.faults.is_empty(), "FAULT without a reason");
            let owner = view.config.priority.is_owner();
            let effective = view.effective_priority.get();
            prop_assert!(effective > 0 && (effective < 255 || owner));
            let told = match view.state {
                State::Init => self.told[id],
                State::Backup => Some(vrrp::NotifiedState::Backup),
                State::Master => Some(vrrp::NotifiedState::Master),
                State::Fault => Some(vrrp::NotifiedState::Fault),
            };
            prop_assert_eq!(self.told[id], told);
        }
        for group in scene.routers.groups().filter(|group| !group.members.is_empty()) {
            let states: Vec<_> = group.members.iter().map(|id| scene.routers.instance(*id).unwrap().state).collect();
            prop_assert!(states.iter().all(|state| *state == states[0]), "{states:?}");
        }
        prop_assert!(scene.routers.next_deadline().is_none_or(|at| at > scene.now), "a deadline was left behind");
        Ok(())
    }
}

fn live(ops: Vec<Op>) -> Result<(), TestCaseError> {
    let mut scene = Scene::furnished(variant(0), &[]);
    let mut world = World { holds: vec![false; 3], told: vec![None; 3] };
    scene.event(Event::Started);
    world.perform(&std::mem::take(&mut scene.out))?;
    for op in ops {
        match op {
            Op::Advert { id, source, priority } if id < scene.routers.config().instances.len() => {
                scene.advert(id, &format!("10.0.0.{source}"), priority);
            }
            Op::Advert { .. } => {}
            Op::Pass(duration) => scene.pass(micros(duration)),
            Op::Oversleep(duration) => scene.oversleep(micros(duration)),
            Op::Link { index, up } => scene.event(Event::Link(link(index, ["", "eth0", "eth1"][index as usize], up))),
            Op::LinkGone(index) => scene.event(Event::LinkGone(IfIndex(index))),
            Op::Source { index, there: true } => scene.address(index, ["", "10.0.0.1", "10.1.0.1"][index as usize]),
            Op::Source { index, there: false } => scene.event(Event::SourceRemoved {
                interface: IfIndex(index),
                address: ip(["0.0.0.0", "10.0.0.1", "10.1.0.1"][index as usize]),
            }),
            Op::Script(status) => {
                scene.event(Event::ScriptEnded { script: ScriptId(0), outcome: ScriptOutcome::Exited(status) })
            }
            Op::File(value) => scene.event(Event::FileValue { file: 0, value }),
            Op::Bfd(up) => scene.event(Event::BfdState { bfd: 0, up }),
            Op::HoldingLost(id) => scene.event(Event::HoldingLost { instance: InstanceId(id as u32) }),
            Op::Stalled(duration) => scene.event(Event::Stalled(micros(duration))),
            Op::Reload(number) => {
                let utc = scene.utc();
                let mut out = Vec::new();
                let result = scene.routers.reconfigure(scene.now, utc, variant(number), &mut out);
                world.perform(&result.removals)?;
                let mut next = World { holds: vec![false; 3], told: vec![None; 3] };
                for (old, new) in result.instances.iter().enumerate() {
                    if let Some(new) = new {
                        next.holds[new.0 as usize] = world.holds[old];
                        next.told[new.0 as usize] = world.told[old];
                    } else {
                        prop_assert!(!world.holds[old], "a removed instance still holds");
                    }
                }
                world = next;
                scene.out = out;
            }
        }
        scene.pass(micros(0));
        let actions = std::mem::take(&mut scene.out);
        world.perform(&actions)?;
        world.check(&scene)?;
    }
    scene.event(Event::Shutdown);
    let actions = std::mem::take(&mut scene.out);
    for action in &actions {
        if let Action::Release(id) = action {
            world.holds[id.0 as usize] = false;
        }
    }
    prop_assert!(world.holds.iter().all(|holds| !holds), "an address was left behind");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_addresses_states_and_notifications_agree(ops in proptest::collection::vec(op(), 1..60)) {
        live(ops)?;
    }
}
