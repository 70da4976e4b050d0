//! BFD control packets, alone and in front of a session that is up.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bfd::{Action, ControlPacket, Diagnostic, Event, ReceivedPacket, SessionConfig, SessionId, Sessions, State, parse};
use types::{Instant, Ttl};

/// One UDP payload: what is understood is written and read back the same.
pub fn bfd(octets: &[u8]) {
    if let Ok(packet) = parse(octets) {
        assert_eq!(parse(&packet.emit()), Ok(packet));
    }
}

/// A conversation: 26 octets each are a pause (in ms, 16 bits) and a packet whose discriminator is made to fit.
pub fn bfd_session(octets: &[u8]) {
    let mut out = Vec::new();
    let mut sessions = Sessions::new(&[config()], 1, &mut out);
    let mut now = Instant::ZERO;
    sessions.handle(now, Event::OutputOpened(SessionId(0)), &mut out);
    for step in octets.chunks_exact(26) {
        let end = now + Duration::from_millis(u64::from(u16::from_be_bytes([step[0], step[1]])));
        // A long silence at the shortest interval is many packets and nothing new.
        for _ in 0..200 {
            let Some(at) = sessions.next_deadline().filter(|at| *at <= end) else { break };
            now = now.max(at);
            sessions.handle_timeout(now, &mut out);
            assert!(sessions.next_deadline().is_none_or(|next| next > now), "what is due was done");
        }
        now = end;
        let mut packet = step[2..].to_vec();
        if step[2 + 8] & 1 == 1 {
            let ours = sessions.views().next().map_or(0, |view| view.discriminator);
            packet[8..12].copy_from_slice(&ours.to_be_bytes());
        }
        let packet = ReceivedPacket {
            source: SocketAddr::new(IpAddr::from([192, 0, 2, 2]), 50_000),
            destination: IpAddr::from([192, 0, 2, 1]),
            ttl: Ttl::MAX,
            multihop: false,
            octets: &packet,
        };
        sessions.handle(now, Event::Packet(packet), &mut out);
        for action in out.drain(..) {
            if let Action::Send(outgoing) = action {
                let sent = parse(&outgoing.octets).expect("what we send is valid");
                assert!(!(sent.poll && sent.finish), "RFC 5880 §6.5");
            }
        }
    }
}

fn config() -> SessionConfig {
    SessionConfig {
        name: "fuzz".to_owned(),
        neighbour: IpAddr::from([192, 0, 2, 2]),
        source: Some(IpAddr::from([192, 0, 2, 1])),
        min_rx: Duration::from_millis(100),
        min_tx: Duration::from_millis(100),
        idle_tx: Duration::from_secs(1),
        multiplier: 3,
        passive: false,
        ttl: Ttl::MAX,
        max_hops: Some(0),
        multihop: false,
        vrrp: true,
        checker: true,
    }
}

/// Packets of a session that comes up.
pub(super) fn seeds() -> Vec<Vec<u8>> {
    let packet = |state, your_discriminator, poll| {
        ControlPacket {
            diagnostic: Diagnostic::None,
            state,
            poll,
            finish: false,
            control_plane_independent: false,
            demand: false,
            multiplier: 3,
            my_discriminator: 7,
            your_discriminator,
            desired_min_tx: Duration::from_secs(1),
            required_min_rx: Duration::from_millis(100),
            required_min_echo_rx: Duration::ZERO,
        }
        .emit()
        .to_vec()
    };
    vec![packet(State::Down, 0, false), packet(State::Init, 0x0100_0000, false), packet(State::Up, 0x0100_0000, true)]
}

/// A conversation that comes up and then goes on.
pub(super) fn conversations() -> Vec<Vec<u8>> {
    let paused = |packets: Vec<Vec<u8>>| -> Vec<u8> {
        packets.into_iter().flat_map(|packet| [vec![0, 200], packet].concat()).collect()
    };
    let up = seeds();
    vec![paused(up.clone()), paused([up.clone(), up[2..].to_vec(), up].concat())]
}
