//! One virtual router: its state with the deadlines of that state, and what it knows.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use types::{CentiSeconds, IfIndex, Instant, Priority, Ttl, VrrpVersion};

use crate::config::InstanceConfig;
use crate::event::{Advert, SocketSpec, State};
use crate::faults::Fault;
use crate::packet::{Memory, Refusal, Remark};
use crate::statistics::Statistics;

/// State with its own deadlines (RFC 9568 §6.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Run {
    /// Waits for the first result of a tracked script.
    Init,
    Backup(Backup),
    Master(Master),
    Fault,
}

/// Listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Backup {
    pub(crate) wait: Wait,
    pub(crate) preempt: PreemptDelay,
}

/// What a backup waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// The master's silence.
    Silence { down_at: Instant },
    /// The rest of its sync group: its own timer expired.
    Group,
}

/// `preempt_delay`, which begins with the first advert of lower priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PreemptDelay {
    Idle,
    Until(Instant),
}

/// Holds the addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Master {
    pub(crate) advert_at: Instant,
    /// The second set of announcements, with its rounds.
    pub(crate) second_set: Option<(Instant, u32)>,
    pub(crate) refresh_at: Option<Instant>,
    pub(crate) extra_refresh_at: Option<Instant>,
    pub(crate) repair: Repair,
    pub(crate) rival: Option<Rival>,
    /// When the authentication header's sequence was last moved out of step with another master's.
    pub(crate) stepped: Option<Instant>,
}

/// Putting back what others removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Repair {
    /// Repairs in a row.
    pub(crate) times: u32,
    /// The last one.
    pub(crate) last: Option<Instant>,
    /// The next one.
    pub(crate) at: Option<Instant>,
}

/// Another owner of the addresses, with a lower address, that ought to give way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rival {
    pub(crate) address: IpAddr,
    /// When it must have given way.
    pub(crate) decide_at: Instant,
    /// How long after its last advert it counts as gone.
    pub(crate) patience: Duration,
    pub(crate) last_heard: Instant,
}

/// The octets of the last advert that was accepted without a remark: the same octets need no second look.
#[derive(Debug, Clone)]
pub(crate) struct Accepted {
    pub(crate) octets: Vec<u8>,
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) ttl: Ttl,
    pub(crate) heard: Heard,
}

/// What the state machine needs of an advert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) source: IpAddr,
    pub(crate) priority: Priority,
    pub(crate) interval: CentiSeconds,
}

/// Complaints made since the state or the master changed: one of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Reported(u64);

impl Reported {
    /// Whether this kind is to be told now.
    pub(crate) fn first(&mut self, kind: Complaint) -> bool {
        let bit = 1u64 << kind.number();
        let first = self.0 & bit == 0;
        self.0 |= bit;
        first
    }
}

/// Kinds of complaints.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Complaint<'a> {
    Refused(&'a Refusal),
    Odd(&'a Remark),
    OwnAddress,
    LowerPriorityDiscarded,
    TwoOwners,
}

impl Complaint<'_> {
    fn number(&self) -> u32 {
        match self {
            Self::Refused(refusal) => match refusal {
                Refusal::TooShort { .. } => 0,
                Refusal::IpHeader => 1,
                Refusal::Length { .. } => 2,
                Refusal::Ttl { .. } => 3,
                Refusal::Version { .. } => 4,
                Refusal::Vrid { .. } => 5,
                Refusal::Type { .. } => 6,
                Refusal::Checksum { .. } => 7,
                Refusal::Interval { .. } => 8,
                Refusal::InvalidAuthType { .. } => 9,
                Refusal::AuthTypeMismatch { .. } => 10,
                Refusal::Password => 11,
                Refusal::HeaderMalformed => 12,
                Refusal::HeaderCheckValue => 13,
                Refusal::HeaderSpi { .. } => 14,
                Refusal::HeaderReplay { .. } => 15,
                Refusal::TrailerMissing => 16,
                Refusal::TrailerMalformed => 17,
                Refusal::TrailerUnknownKey { .. } => 18,
                Refusal::TrailerInvalidHmac => 19,
                Refusal::TrailerStale { .. } => 20,
                Refusal::TrailerReplay => 21,
                Refusal::Cast { .. } => 22,
                Refusal::Ignored => 23,
                Refusal::NoAddress => 24,
                Refusal::FirstAddressNotLinkLocal { .. } => 25,
                Refusal::UnknownPeer => 26,
                Refusal::PeerTtl { .. } => 27,
            },
            Self::Odd(remark) => match remark {
                Remark::Interval { .. } => 32,
                Remark::OldUnicastChecksum => 33,
                Remark::MessageOnlyChecksum => 34,
                Remark::AddressCount { .. } => 35,
                Remark::AddressMissing(_) => 36,
                Remark::ClockSkew { .. } => 37,
            },
            Self::OwnAddress => 40,
            Self::LowerPriorityDiscarded => 41,
            Self::TwoOwners => 42,
        }
    }
}

/// One virtual router. Its configuration stands beside it, at the same place of `Config::instances`.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) run: Run,
    /// What scripts and FIFOs were told last.
    pub(crate) told: Option<State>,
    pub(crate) effective: Priority,
    /// An owner that gave way to another owner: 254 until that one changes.
    pub(crate) lowered: bool,
    /// Priority of the former process, until all scripts have spoken.
    pub(crate) inherited: Option<Priority>,
    /// Its own reasons for FAULT; those of its group's other members are not among them.
    pub(crate) faults: Vec<Fault>,
    /// A tracked script without weight has no result yet.
    pub(crate) pending: bool,
    /// Place among the companies: the instances that change state together.
    pub(crate) company: usize,
    /// `interface`.
    pub(crate) base: Option<IfIndex>,
    /// The interface that adverts use.
    pub(crate) transmit: Option<IfIndex>,
    /// The interface that addresses without `dev` stand on.
    pub(crate) home: Option<IfIndex>,
    pub(crate) source: Option<IpAddr>,
    /// The source before it was lost: the last word of a master may still come from it.
    pub(crate) former_source: Option<IpAddr>,
    pub(crate) socket: Option<SocketSpec>,
    pub(crate) duplicate_of: Option<usize>,
    pub(crate) master: Option<(IpAddr, Priority)>,
    pub(crate) master_interval: CentiSeconds,
    pub(crate) statistics: Statistics,
    pub(crate) reported: Reported,
    pub(crate) memory: Memory,
    /// The advert as sent last, while nothing in it changed.
    pub(crate) advert: Option<Arc<Advert>>,
    pub(crate) accepted: Option<Accepted>,
    pub(crate) last_advert: Instant,
    pub(crate) last_transition: Duration,
}

impl Instance {
    /// An instance that has not taken its first state.
    pub(crate) fn new(config: &InstanceConfig, now: Instant) -> Self {
        Self {
            run: Run::Init,
            told: None,
            effective: config.priority,
            lowered: false,
            inherited: None,
            faults: Vec::new(),
            pending: false,
            company: 0,
            base: None,
            transmit: None,
            home: None,
            source: None,
            former_source: None,
            socket: None,
            duplicate_of: None,
            master: None,
            master_interval: config.interval,
            statistics: Statistics::default(),
            reported: Reported::default(),
            memory: Memory::default(),
            advert: None,
            accepted: None,
            last_advert: now,
            last_transition: Duration::ZERO,
        }
    }

    pub(crate) fn state(&self) -> State {
        match self.run {
            Run::Init => State::Init,
            Run::Backup(_) => State::Backup,
            Run::Master(_) => State::Master,
            Run::Fault => State::Fault,
        }
    }

    /// What it would be if its sync group let it.
    pub(crate) fn wanted_state(&self) -> State {
        match self.run {
            Run::Backup(Backup { wait: Wait::Group, .. }) => State::Master,
            _ => self.state(),
        }
    }

    pub(crate) fn is_master(&self) -> bool {
        matches!(self.run, Run::Master(_))
    }

    /// The interval that the down timer counts in: the master's (v3, RFC 9568 §6.1) or our own (v2, RFC 3768 §6.1).
    pub(crate) fn counted_interval(&self, config: &InstanceConfig) -> CentiSeconds {
        match config.version {
            VrrpVersion::V3 => self.master_interval,
            VrrpVersion::V2 => config.interval,
        }
    }

    /// Skew time of a router of this priority (RFC 9568 §6.1, RFC 3768 §6.1).
    pub(crate) fn skew(&self, config: &InstanceConfig, priority: Priority) -> Duration {
        match config.version {
            VrrpVersion::V3 => self.master_interval.skew_v3(priority),
            VrrpVersion::V2 => CentiSeconds::skew_v2(priority),
        }
    }

    /// Time without adverts after which a router of this priority takes over: `down_timer_adverts` (3) intervals and
    /// the skew.
    pub(crate) fn down_interval(&self, config: &InstanceConfig, priority: Priority) -> Duration {
        let adverts = u32::from(config.down_timer_adverts.max(1));
        self.counted_interval(config).duration() * adverts + self.skew(config, priority)
    }

    /// Listening from `from` on, for the whole down timer.
    pub(crate) fn listening(&self, config: &InstanceConfig, from: Instant) -> Run {
        let down_at = from + self.down_interval(config, self.effective);
        Run::Backup(Backup { wait: Wait::Silence { down_at }, preempt: PreemptDelay::Idle })
    }

    /// Whether a lower priority is no master for us: `nopreempt` does not hold an owner back (RFC 9568 §6.1).
    pub(crate) fn preempts(&self, config: &InstanceConfig) -> bool {
        config.preempt || self.effective.is_owner()
    }
}
