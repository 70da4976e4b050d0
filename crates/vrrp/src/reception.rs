//! From packets to adverts: whose they are, whether they count, and what is said about those that do not.

use std::net::IpAddr;

use types::Family;

use crate::config::{Authentication, Cast};
use crate::event::ReceivedPacket;
use crate::instance::{Accepted, Complaint, Heard, Run};
use crate::log::Text;
use crate::packet::{Counter, Expected, Memory, Refusal, Remark, peek_vrid, receive};
use crate::routers::{Routers, Turn};
use crate::statistics::Statistics;

/// Unknown VRIDs that are told once each; a stranger cannot make us remember more.
const MAX_UNKNOWN_VRIDS: usize = 1024;

impl Statistics {
    fn count(&mut self, counter: Counter) {
        let counted = match counter {
            Counter::PacketLength => &mut self.packet_len_err,
            Counter::IpTtl => &mut self.ip_ttl_err,
            Counter::AdvertInterval => &mut self.advert_interval_err,
            Counter::InvalidType => &mut self.invalid_type_rcvd,
            Counter::AddressList => &mut self.addr_list_err,
            Counter::InvalidAuthType => &mut self.invalid_authtype,
            Counter::AuthTypeMismatch => &mut self.authtype_mismatch,
            Counter::AuthFailure => &mut self.auth_failure,
            Counter::TrailerMissing => &mut self.auth_ext_missing,
            Counter::TrailerMalformed => &mut self.auth_ext_malformed,
            Counter::TrailerUnknownKey => &mut self.auth_ext_unknown_key,
            Counter::TrailerInvalidHmac => &mut self.auth_ext_invalid_hmac,
            Counter::TrailerStale => &mut self.auth_ext_stale,
            Counter::TrailerReplay => &mut self.auth_ext_replay,
            Counter::Version | Counter::Checksum | Counter::Vrid | Counter::Ignored => return,
        };
        *counted += 1;
    }
}

impl Routers {
    /// A packet arrived.
    pub(crate) fn hear(&mut self, turn: &mut Turn<'_>, packet: &ReceivedPacket<'_>) {
        let Some(vrid) = peek_vrid(packet) else {
            self.global.vrid_err += 1;
            return;
        };
        let Some(id) = self.addressee(packet, vrid) else {
            self.hear_unknown(turn, packet, vrid);
            return;
        };
        match self.instances[id].run {
            Run::Init | Run::Fault => return,
            Run::Backup(_) if self.silent_until.is_some_and(|end| turn.now < end) => return,
            // it stood still: what it was is no reason to claim anything now
            Run::Master(_) => self.yield_after_stall(turn, id),
            Run::Backup(_) => {}
        }
        if let Some(heard) = self.check(turn, id, packet) {
            self.instances[id].statistics.advert_rcvd += 1;
            match self.instances[id].run {
                Run::Backup(_) => self.backup_hears(turn, id, heard),
                Run::Master(_) => self.master_hears(turn, id, heard),
                Run::Init | Run::Fault => {}
            }
        }
    }

    /// The instance that a packet is for. Several may share interface and VRID when their cast types differ.
    fn addressee(&self, packet: &ReceivedPacket<'_>, vrid: u8) -> Option<usize> {
        let family = Family::of(packet.source);
        let on_interface = self.addressees.get(&(Some(packet.interface), family, vrid));
        let candidates = on_interface.or_else(|| self.addressees.get(&(None, family, vrid)))?;
        let fits = |id: &&usize| match &self.config.instances[**id].cast {
            Cast::Multicast { group } => packet.destination == *group,
            Cast::Unicast { peers, .. } => {
                self.instances[**id].source.is_some_and(|source| source == packet.destination)
                    && (candidates.len() == 1 || peers.iter().any(|peer| peer.address == packet.source))
            }
        };
        candidates.iter().find(fits).or_else(|| candidates.first()).copied()
    }

    fn hear_unknown(&mut self, turn: &mut Turn<'_>, packet: &ReceivedPacket<'_>, vrid: u8) {
        self.global.vrid_err += 1;
        if !self.config.log_unknown_vrids || self.unknown_vrids.len() >= MAX_UNKNOWN_VRIDS {
            return;
        }
        if self.unknown_vrids.insert((packet.interface, vrid)) {
            let interface = self.links.name(packet.interface).map_or("?", |name| name.as_str());
            turn.say(Text::UnknownVrid(vrid, interface, packet.source));
        }
    }

    /// Checks a packet. The octets that were accepted last are not looked at again.
    fn check(&mut self, turn: &mut Turn<'_>, id: usize, packet: &ReceivedPacket<'_>) -> Option<Heard> {
        let config = &self.config.instances[id];
        let instance = &mut self.instances[id];
        if let Some(accepted) = &instance.accepted
            && accepted.source == packet.source
            && accepted.destination == packet.destination
            && accepted.ttl == packet.ttl
            && accepted.octets == packet.octets
        {
            return Some(accepted.heard);
        }
        let skip_addresses = config.skip_check_advert_addresses
            && matches!(instance.run, Run::Backup(_))
            && instance.master.is_some_and(|(master, _)| master == packet.source);
        let expected = Expected { skip_addresses, ..Expected::of(config) };
        let advert = match receive(packet, &expected, &mut instance.memory, turn.now, turn.utc) {
            Ok(advert) => advert,
            Err(refusal) => {
                let counter = refusal.counter();
                instance.statistics.count(counter);
                self.global.checksum_err += u64::from(counter == Counter::Checksum);
                self.global.version_err += u64::from(counter == Counter::Version);
                if instance.reported.first(Complaint::Refused(&refusal)) {
                    turn.say(Text::Refused(&config.name, &refusal, packet.source));
                }
                if let Refusal::HeaderReplay { .. } = refusal {
                    self.step_out(turn, id);
                }
                return None;
            }
        };
        let heard = Heard { source: advert.source, priority: advert.priority, interval: advert.interval };
        for remark in &advert.remarks {
            remark.counter().into_iter().for_each(|counter| instance.statistics.count(counter));
            if *remark == Remark::OldUnicastChecksum {
                instance.advert = None;
            }
            if instance.reported.first(Complaint::Odd(remark)) {
                turn.say(odd(&config.name, remark, &heard));
            }
        }
        let same_each_time = matches!(config.authentication, Authentication::None | Authentication::Password(_));
        if same_each_time && advert.remarks.is_empty() && !skip_addresses {
            let mut octets = instance.accepted.take().map(|accepted| accepted.octets).unwrap_or_default();
            octets.clear();
            octets.extend_from_slice(packet.octets);
            let (source, destination, ttl) = (packet.source, packet.destination, packet.ttl);
            instance.accepted = Some(Accepted { octets, source, destination, ttl, heard });
        }
        Some(heard)
    }

    /// Two masters that count in step refuse each other's sequence numbers for ever, and both stay master. The check
    /// value was right, so it is a router that knows the key (or its echo): once an interval we skip some numbers,
    /// as many as our address says, so that two masters do not skip the same. keepalived has no way out of this.
    fn step_out(&mut self, turn: &Turn<'_>, id: usize) {
        let interval = self.config.instances[id].interval.duration();
        let instance = &mut self.instances[id];
        let Run::Master(master) = &mut instance.run else { return };
        if master.stepped.is_some_and(|at| turn.now.since(at) < interval) {
            return;
        }
        master.stepped = Some(turn.now);
        let skip = match instance.source {
            Some(IpAddr::V4(address)) => 1 + u32::from(address.octets()[3]),
            Some(IpAddr::V6(_)) | None => 1,
        };
        instance.memory = Memory::with_sequence(instance.memory.sequence().saturating_add(skip));
    }
}

fn odd<'a>(name: &'a str, remark: &Remark, heard: &Heard) -> Text<'a> {
    match remark {
        Remark::Interval { found, own } => Text::IntervalDiffers(name, heard.source, own.duration(), found.duration()),
        Remark::OldUnicastChecksum => Text::OldUnicastChecksum(name),
        Remark::MessageOnlyChecksum => Text::MessageOnlyChecksum(name, heard.source),
        Remark::AddressCount { found, own } => Text::AddressCount(name, heard.source, *found, *own),
        Remark::AddressMissing(address) => Text::AddressMissing(name, heard.source, *address),
        Remark::ClockSkew { skew, window } => Text::ClockSkew(name, *skew, heard.source, *window),
    }
}
