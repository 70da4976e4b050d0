//! Every pair of state and event, with the exact answers in their order.

use types::IfIndex;
use vrrp::{Event, InstanceId, State};

use crate::scene::*;

/// What may happen to an instance.
#[derive(Debug, Clone, Copy)]
enum Happening {
    Timer,
    Advert(u8),
    /// Same priority from 10.0.0.2 (above ours, 10.0.0.1).
    EqualAbove,
    /// Same priority from 10.0.0.0 (below ours).
    EqualBelow,
    LinkDown,
    LinkUp,
    LinkGone,
    SourceLost,
    HoldingLost,
    StalledShortly,
    StalledLong,
    Shutdown,
    StartedAgain,
}
use Happening::*;

impl Scene {
    fn happen(&mut self, happening: Happening) {
        match happening {
            Timer => {
                let wait = self.deadline().unwrap_or(0);
                self.pass(micros(wait as u64));
            }
            Advert(priority) => self.advert(0, "10.0.0.2", priority),
            EqualAbove => self.advert(0, "10.0.0.2", 100),
            EqualBelow => self.advert(0, "10.0.0.0", 100),
            LinkDown => self.event(Event::Link(link(1, "eth0", false))),
            LinkUp => self.event(Event::Link(link(1, "eth0", true))),
            LinkGone => self.event(Event::LinkGone(IfIndex(1))),
            SourceLost => self.event(Event::SourceRemoved { interface: IfIndex(1), address: ip("10.0.0.1") }),
            HoldingLost => self.event(Event::HoldingLost { instance: InstanceId(0) }),
            StalledShortly => self.event(Event::Stalled(micros(3_609_374))),
            StalledLong => self.event(Event::Stalled(micros(3_609_375))),
            Shutdown => self.event(Event::Shutdown),
            StartedAgain => self.event(Event::Started),
        }
    }
}

const LINK_DOWN: &[&str] = &["log Netlink reports eth0 down", "log (V1): entering FAULT state (interface eth0 down)"];

/// (source, state before, what happens, state after, answers, microseconds to the next deadline).
/// Priority 100, interval 1 s: skew 609375 µs, down timer 3609375 µs.
#[allow(clippy::type_complexity)]
const TABLE: &[(&str, State, Happening, State, &[&str], Option<u128>)] = &[
    // Backup
    (
        "RFC 9568 §6.4.2 Active_Down_Timer: advert, announce, Adver_Timer, Active",
        State::Backup,
        Timer,
        State::Master,
        &["send V1 100", "log (V1) Entering MASTER STATE", "hold V1", "announce 10.0.0.99", "notify V1 Master 100"],
        Some(1_000_000),
    ),
    ("RFC 9568 §6.4.2 priority 0: skew", State::Backup, Advert(0), State::Backup, &[], Some(609_375)),
    ("RFC 9568 §6.4.2 higher: reset", State::Backup, Advert(200), State::Backup, &[], Some(3_609_375)),
    (
        "RFC 9568 §6.4.2 equal: reset, addresses are not compared",
        State::Backup,
        EqualBelow,
        State::Backup,
        &[],
        Some(3_609_375),
    ),
    ("RFC 9568 §6.4.2 equal: reset", State::Backup, EqualAbove, State::Backup, &[], Some(3_609_375)),
    (
        "RFC 9568 §6.4.2 lower, preempt: discard, the timer runs on",
        State::Backup,
        Advert(50),
        State::Backup,
        &["log (V1) received lower priority (50) advert from 10.0.0.2 - discarding"],
        Some(2_609_375),
    ),
    (
        "keepalived: link down is a fault",
        State::Backup,
        LinkDown,
        State::Fault,
        &[LINK_DOWN[0], LINK_DOWN[1], "log (V1) Entering FAULT STATE", "notify V1 Fault 100"],
        None,
    ),
    ("a link that is up and stays up", State::Backup, LinkUp, State::Backup, &[], Some(2_609_375)),
    (
        "keepalived: a deleted interface is a fault",
        State::Backup,
        LinkGone,
        State::Fault,
        &[LINK_DOWN[0], "sockets", LINK_DOWN[1], "log (V1) Entering FAULT STATE", "notify V1 Fault 100"],
        None,
    ),
    (
        "RFC 9568 §7.2: no source, no advert",
        State::Backup,
        SourceLost,
        State::Fault,
        &[
            "log (V1) entering FAULT state (no IPv4 address for interface)",
            "log (V1) Entering FAULT STATE",
            "notify V1 Fault 100",
        ],
        None,
    ),
    ("a backup holds nothing", State::Backup, HoldingLost, State::Backup, &[], Some(2_609_375)),
    ("a short stall", State::Backup, StalledShortly, State::Backup, &[], Some(2_609_375)),
    (
        "after a long stall it listens for the whole timer",
        State::Backup,
        StalledLong,
        State::Backup,
        &[
            "log VRRP thread timer expired 3.609375 seconds ago",
            "log (V1) this process stood still so long that another router may be master: listening for 3.609375 seconds first",
        ],
        Some(3_609_375),
    ),
    ("RFC 9568 §6.4.2 Shutdown: no advert", State::Backup, Shutdown, State::Backup, &["notify V1 Stop 100"], None),
    ("started only once", State::Backup, StartedAgain, State::Backup, &[], Some(2_609_375)),
    // Master
    (
        "RFC 9568 §6.4.3 Adver_Timer: send and rearm",
        State::Master,
        Timer,
        State::Master,
        &["send V1 100"],
        Some(1_000_000),
    ),
    (
        "RFC 9568 §6.4.3 priority 0: send and rearm",
        State::Master,
        Advert(0),
        State::Master,
        &["send V1 100"],
        Some(1_000_000),
    ),
    (
        "RFC 9568 §6.4.3 higher: Backup",
        State::Master,
        Advert(200),
        State::Backup,
        &[
            "log (V1) Master received advert from 10.0.0.2 with higher priority 200, ours 100",
            "log (V1) Entering BACKUP STATE",
            "release V1",
            "notify V1 Backup 100",
        ],
        Some(3_609_375),
    ),
    (
        "RFC 9568 §6.4.3 equal and greater address: Backup",
        State::Master,
        EqualAbove,
        State::Backup,
        &[
            "log (V1) Master received advert from 10.0.0.2 with same priority 100 but higher IP address than ours",
            "log (V1) Entering BACKUP STATE",
            "release V1",
            "notify V1 Backup 100",
        ],
        Some(3_609_375),
    ),
    (
        "RFC 9568 §6.4.3 equal and lower address: insist at once, timer not rearmed",
        State::Master,
        EqualBelow,
        State::Master,
        &[
            "log (V1) Received advert from 10.0.0.0 with lower priority 100, ours 100, forcing new election",
            "send V1 100",
            "notify V1 lower priority 100",
        ],
        Some(609_375),
    ),
    (
        "RFC 9568 §6.4.3 lower: insist at once",
        State::Master,
        Advert(50),
        State::Master,
        &[
            "log (V1) Received advert from 10.0.0.2 with lower priority 50, ours 100, forcing new election",
            "send V1 100",
            "notify V1 lower priority 100",
        ],
        Some(609_375),
    ),
    (
        "keepalived: to FAULT with priority 0",
        State::Master,
        LinkDown,
        State::Fault,
        &[
            LINK_DOWN[0],
            LINK_DOWN[1],
            "log (V1) Entering FAULT STATE",
            "send V1 0",
            "release V1",
            "notify V1 Fault 100",
        ],
        None,
    ),
    ("a link that is up and stays up", State::Master, LinkUp, State::Master, &[], Some(609_375)),
    (
        "without an interface there is nowhere to say it",
        State::Master,
        LinkGone,
        State::Fault,
        &[LINK_DOWN[0], "sockets", LINK_DOWN[1], "log (V1) Entering FAULT STATE", "release V1", "notify V1 Fault 100"],
        None,
    ),
    (
        "its last word comes from the address that it had",
        State::Master,
        SourceLost,
        State::Fault,
        &[
            "log (V1) entering FAULT state (no IPv4 address for interface)",
            "log (V1) Entering FAULT STATE",
            "send V1 0",
            "release V1",
            "notify V1 Fault 100",
        ],
        None,
    ),
    (
        "what others removed comes back at once, without giving mastership up",
        State::Master,
        HoldingLost,
        State::Master,
        &[
            "log (V1) somebody removed an address, route or rule that this master holds - restoring it",
            "hold V1",
            "announce 10.0.0.99",
        ],
        Some(609_375),
    ),
    ("a short stall", State::Master, StalledShortly, State::Master, &[], Some(609_375)),
    (
        "after a long stall a master listens and claims nothing",
        State::Master,
        StalledLong,
        State::Backup,
        &[
            "log VRRP thread timer expired 3.609375 seconds ago",
            "log (V1) this process stood still so long that another router may be master: listening for 3.609375 seconds first",
            "log (V1) Entering BACKUP STATE",
            "release V1",
            "notify V1 Backup 100",
        ],
        Some(3_609_375),
    ),
    (
        "RFC 9568 §6.4.3 Shutdown: priority 0",
        State::Master,
        Shutdown,
        State::Init,
        &["send V1 0", "release V1", "notify V1 Stop 100"],
        None,
    ),
    ("started only once", State::Master, StartedAgain, State::Master, &[], Some(609_375)),
    // Fault
    ("nothing to wait for", State::Fault, Timer, State::Fault, &[], None),
    ("RFC 9568 §6.4.1: Initialize hears nothing", State::Fault, Advert(0), State::Fault, &[], None),
    ("RFC 9568 §6.4.1: Initialize hears nothing", State::Fault, Advert(200), State::Fault, &[], None),
    ("RFC 9568 §6.4.1: Initialize hears nothing", State::Fault, Advert(50), State::Fault, &[], None),
    ("RFC 9568 §6.4.1: Initialize hears nothing", State::Fault, EqualAbove, State::Fault, &[], None),
    ("RFC 9568 §6.4.1: Initialize hears nothing", State::Fault, EqualBelow, State::Fault, &[], None),
    ("down is down", State::Fault, LinkDown, State::Fault, &[], None),
    (
        "RFC 9568 §6.4.1 Startup: Backup with the whole timer",
        State::Fault,
        LinkUp,
        State::Backup,
        &["log Netlink reports eth0 up", "log (V1) Entering BACKUP STATE", "notify V1 Backup 100"],
        Some(3_609_375),
    ),
    ("gone is down", State::Fault, LinkGone, State::Fault, &["sockets"], None),
    (
        "reasons are independent",
        State::Fault,
        SourceLost,
        State::Fault,
        &["log (V1) entering FAULT state (no IPv4 address for interface)"],
        None,
    ),
    ("a faulty one holds nothing", State::Fault, HoldingLost, State::Fault, &[], None),
    ("nothing to lose", State::Fault, StalledShortly, State::Fault, &[], None),
    ("nothing to lose", State::Fault, StalledLong, State::Fault, &[], None),
    ("nothing to give back", State::Fault, Shutdown, State::Fault, &["notify V1 Stop 100"], None),
    ("started only once", State::Fault, StartedAgain, State::Fault, &[], None),
    // Init: a script without weight has not ended; it runs, so only its next start is due
    (
        "keepalived: a script that still runs is not started again",
        State::Init,
        Timer,
        State::Init,
        &["log Track script chk is already running, expect idle - skipping run"],
        Some(1_000_000),
    ),
    ("RFC 9568 §6.4.1: Initialize hears nothing", State::Init, Advert(0), State::Init, &[], Some(1_000_000)),
    ("RFC 9568 §6.4.1: Initialize hears nothing", State::Init, Advert(200), State::Init, &[], Some(1_000_000)),
    ("RFC 9568 §6.4.1: Initialize hears nothing", State::Init, Advert(50), State::Init, &[], Some(1_000_000)),
    ("RFC 9568 §6.4.1: Initialize hears nothing", State::Init, EqualAbove, State::Init, &[], Some(1_000_000)),
    ("RFC 9568 §6.4.1: Initialize hears nothing", State::Init, EqualBelow, State::Init, &[], Some(1_000_000)),
    (
        "a fault needs no script",
        State::Init,
        LinkDown,
        State::Fault,
        &[LINK_DOWN[0], LINK_DOWN[1], "log (V1) Entering FAULT STATE", "notify V1 Fault 100"],
        Some(1_000_000),
    ),
    ("a link that is up and stays up", State::Init, LinkUp, State::Init, &[], Some(1_000_000)),
    (
        "a fault needs no script",
        State::Init,
        LinkGone,
        State::Fault,
        &[LINK_DOWN[0], "sockets", LINK_DOWN[1], "log (V1) Entering FAULT STATE", "notify V1 Fault 100"],
        Some(1_000_000),
    ),
    (
        "a fault needs no script",
        State::Init,
        SourceLost,
        State::Fault,
        &[
            "log (V1) entering FAULT state (no IPv4 address for interface)",
            "log (V1) Entering FAULT STATE",
            "notify V1 Fault 100",
        ],
        Some(1_000_000),
    ),
    ("nothing held", State::Init, HoldingLost, State::Init, &[], Some(1_000_000)),
    ("nothing to lose", State::Init, StalledShortly, State::Init, &[], Some(1_000_000)),
    ("nothing to lose", State::Init, StalledLong, State::Init, &[], Some(1_000_000)),
    ("nothing to give back", State::Init, Shutdown, State::Init, &["notify V1 Stop 100"], None),
    ("started only once", State::Init, StartedAgain, State::Init, &[], Some(1_000_000)),
];

#[test]
fn every_state_answers_every_event_exactly() {
    for (source, before, happening, after, answers, deadline) in TABLE {
        let mut scene = Scene::in_state(instance("V1"), *before);
        if *before == State::Backup {
            scene.pass(seconds(1));
        }
        scene.happen(*happening);
        let row = format!("{source}: {before:?} {happening:?}");
        assert_eq!(scene.told(), *answers, "{row}");
        assert_eq!(scene.state(0), *after, "{row}");
        assert_eq!(scene.deadline(), *deadline, "{row}");
    }
}

/// `nopreempt`: RFC 9568 §6.4.2 with Preempt_Mode False, and §6.4.3 where it plays no part.
#[test]
fn without_preempt_a_backup_keeps_a_lower_priority_master_and_a_master_yields_all_the_same() {
    let nopreempt = || vrrp::config::InstanceConfig { preempt: false, ..instance("V1") };
    let mut scene = Scene::in_state(nopreempt(), State::Backup);
    scene.pass(seconds(2));
    scene.advert(0, "10.0.0.2", 1);
    assert_eq!((scene.told(), scene.deadline()), (vec![], Some(3_609_375)));
    scene.advert(0, "10.0.0.2", 0);
    assert_eq!(scene.deadline(), Some(609_375));
    let mut scene = Scene::in_state(nopreempt(), State::Master);
    scene.happen(Advert(101));
    assert_eq!(scene.state(0), State::Backup);
}
