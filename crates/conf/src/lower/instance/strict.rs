//! What strict mode forbids (RFC compliance).

use std::time::Duration;

use types::VrrpVersion;
use vrrp::config::InitialState;

use super::Written;
use crate::lower::context::Lower;

impl<'t> Lower<'t> {
    /// Resets what strict mode does not allow, telling each.
    pub(super) fn apply_strict(&mut self, written: &mut Written, version: VrrpVersion) {
        let name = written.name.clone();
        let span = written.span;
        let owner =
            written.priority.map_or(written.state == Some(InitialState::Master), |priority| priority.is_owner());
        if written.state == Some(InitialState::Master) && !owner && written.priority.is_some() {
            self.after(span, format!("({name}) State MASTER must match being address owner"));
            written.state = Some(InitialState::Backup);
        }
        if written.state == Some(InitialState::Backup) && owner {
            written.state = Some(InitialState::Master);
        }
        if written.password.as_ref().is_some_and(|password| password.header.is_some()) && version == VrrpVersion::V2 {
            self.after(span, format!("({name}) Strict mode does not support authentication. Ignoring."));
            written.password = None;
        }
        if let Some(hmac) = &mut written.hmac
            && hmac.mode != vrrp::config::HmacMode::Enforce
        {
            hmac.mode = vrrp::config::HmacMode::Enforce;
            self.after(span, format!("({name}) strict mode requires auth_hmac mode enforce - setting"));
        }
        if version == VrrpVersion::V2 && written.no_accept == Some(false) {
            self.after(
                span,
                format!("({name}) warning - accept mode for VRRP version 2 does not comply with RFC3768 - resetting"),
            );
        }
        if version == VrrpVersion::V2 || written.no_accept.is_none() {
            written.no_accept = Some(true);
        }
        if written.lower_repeat.is_some_and(|count| count > 0) {
            self.after(span, format!("({name}) Strict mode requires no repeat garps. resetting"));
        }
        if written.lower_delay.is_some_and(|delay| !delay.is_zero()) {
            self.after(span, format!("({name}) Strict mode requires no repeat garp delay. resetting"));
        }
        written.lower_repeat = Some(0);
        written.lower_delay = Some(Duration::ZERO);
        if written.lower_no_advert == Some(false) {
            self.after(span, format!("({name}) Strict mode requires no lower priority advert. resetting"));
        }
        written.lower_no_advert = Some(true);
        if written.higher_send == Some(true) {
            self.after(span, format!("({name}) strict mode requires higher_prio_send_advert to be clear. resetting"));
        }
        written.higher_send = Some(false);
        if !written.preempt_delay.is_zero() {
            self.after(span, format!("({name}) preempt_delay is incompatible with strict mode - resetting"));
            written.preempt_delay = Duration::ZERO;
        }
        if written.down_timer_adverts.is_some_and(|count| count != 3) {
            self.after(span, format!("({name}) down_timer_adverts is incompatible with strict mode - resetting"));
        }
        written.down_timer_adverts = Some(3);
        if written.transmit_base && written.link.is_some() && written.peers.is_empty() {
            self.after(span, format!("({name}) xmit_base is incompatible with strict mode - resetting"));
            written.transmit_base = false;
        }
        if owner {
            written.owner_ignore = Some(true);
        }
    }
}
