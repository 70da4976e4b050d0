//! Adverts that leave: built once, sent again as they are while nothing in them changes.

use std::sync::Arc;

use types::Priority;

use crate::config::Authentication;
use crate::event::{Action, Advert};
use crate::log::Text;
use crate::packet::{Outgoing, build};
use crate::routers::{Routers, Turn};

impl Routers {
    /// Sends an advert of the effective priority now.
    pub(crate) fn send_advert(&mut self, turn: &mut Turn<'_>, id: usize) {
        let kept = self.instances[id].advert.take();
        let advert = kept.or_else(|| self.build_advert(turn, id, self.instances[id].effective));
        let Some(advert) = advert else { return };
        let instance = &mut self.instances[id];
        // sequence numbers and signatures are new in each advert
        if matches!(self.config.instances[id].authentication, Authentication::None | Authentication::Password(_)) {
            instance.advert = Some(Arc::clone(&advert));
        }
        instance.statistics.advert_sent += 1;
        instance.last_advert = turn.now;
        turn.out.push(Action::Send(advert));
    }

    /// Says that this master leaves.
    pub(crate) fn send_goodbye(&mut self, turn: &mut Turn<'_>, id: usize) {
        let Some(advert) = self.build_advert(turn, id, Priority::RELEASE) else { return };
        let statistics = &mut self.instances[id].statistics;
        statistics.advert_sent += 1;
        statistics.pri_zero_sent += 1;
        turn.out.push(Action::Send(advert));
        turn.say(Text::SentPriorityZero(&self.config.instances[id].name));
    }

    /// `None` where there is nowhere to send from or nobody to send to.
    fn build_advert(&mut self, turn: &Turn<'_>, id: usize, priority: Priority) -> Option<Arc<Advert>> {
        let config = &self.config.instances[id];
        let instance = &mut self.instances[id];
        // a master that lost its address says goodbye from there: its backups need not wait for the whole timer
        let former = instance.former_source.filter(|_| priority == Priority::RELEASE);
        let (source, socket) = (instance.source.or(former)?, instance.socket.clone()?);
        let destinations = build(&Outgoing::of(config, source, priority), &mut instance.memory, turn.utc);
        if destinations.is_empty() {
            return None;
        }
        Some(Arc::new(Advert { instance: turn.id(id), socket, source, destinations }))
    }
}
