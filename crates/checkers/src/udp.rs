//! UDP_CHECK: nothing refuses the datagram, or with `require_reply` the right answer comes.

use lvs::UdpConfig;

use crate::connection::{NoConnection, connect_datagram, plain_words, receive, send};
use crate::outcome::Failure;

/// What is sent where no payload is configured: 32 octets of this text, repeated (as keepalived sends it).
const FILLER: &[u8; 32] = b"keepalived check - keepalived ch";

/// Octets of a reply that are read. `max_reply_length` ends at 65535.
const LONGEST_REPLY: usize = 65_536;

/// Whether a reply is what was wanted: its length within the limits, and the octets under the masks equal.
///
/// keepalived ignores the limits where no octets are given; here they count.
pub fn is_wanted(reply: &[u8], config: &UdpConfig) -> bool {
    (config.min_reply..=config.max_reply).contains(&reply.len())
        && reply.len() >= config.reply.len()
        && reply.iter().zip(&config.reply).all(|(octet, (wanted, mask))| octet & mask == wanted & mask)
}

pub(crate) async fn check(config: &UdpConfig) -> Result<(), Failure> {
    let socket = connect_datagram(&config.endpoint).map_err(NoConnection::in_plain_words)?;
    let payload = config.payload.as_deref().unwrap_or(FILLER);
    send(&socket, payload).map_err(|error| plain_words(&error))?;
    let mut buffer = match config.require_reply {
        true => vec![0; LONGEST_REPLY.min(config.max_reply.saturating_add(1))],
        false => vec![0; 1],
    };
    let reading = socket.read_with(|socket| receive(socket, &mut buffer));
    match (tokio::time::timeout(config.endpoint.timeout, reading).await, config.require_reply) {
        (Ok(Err(error)), _) => Err(plain_words(&error)),
        // Silence is all that can be wanted of a service that need not answer.
        (Err(_) | Ok(Ok(_)), false) => Ok(()),
        (Err(_), true) => Err(Failure::new("no reply within connect_timeout", "")),
        (Ok(Ok(length)), true) if is_wanted(&buffer[..length.min(buffer.len())], config) => Ok(()),
        (Ok(Ok(length)), true) => {
            Err(Failure::new("reply data mismatch", format!("{length} octets, not as require_reply wants them")))
        }
    }
}

#[cfg(test)]
mod tests;
