//! DNS_CHECK: a query over UDP is answered with the right id and without an error code.
//!
//! As in keepalived the answer section may be empty. keepalived refuses names whose first label has one letter and
//! asks for the root instead; here `a.example.org` is what it says.

use std::borrow::Cow;

use lvs::Endpoint;
use simple_dns::{CLASS, Name, Packet, PacketFlag, QCLASS, QTYPE, Question, TYPE, header_buffer};

use crate::connection::{NoConnection, connect_datagram, plain_words, receive, send};
use crate::outcome::Failure;

/// Octets of a reply that are read: only its header counts, the rest is the server's affair.
const LONGEST_REPLY: usize = 4096;

/// Octets of a message's header (RFC 1035 §4.1.1).
const HEADER: usize = 12;

/// A record type by its name in keepalived.conf; `None` for one that keepalived does not know.
pub fn record_type(name: &str) -> Option<TYPE> {
    Some(match name.to_ascii_uppercase().as_str() {
        "A" => TYPE::A,
        "NS" => TYPE::NS,
        "CNAME" => TYPE::CNAME,
        "SOA" => TYPE::SOA,
        "MX" => TYPE::MX,
        "TXT" => TYPE::TXT,
        "AAAA" => TYPE::AAAA,
        "RRSIG" => TYPE::RRSIG,
        "DNSKEY" => TYPE::DNSKEY,
        _ => return None,
    })
}

/// The query: one question, recursion desired (RFC 1035 §4.1).
pub fn query(id: u16, record: &str, name: &str) -> Result<Vec<u8>, String> {
    let kind = record_type(record).ok_or_else(|| format!("unknown type '{record}'"))?;
    let bare = name.strip_suffix('.').unwrap_or(name);
    if !bare.is_empty() && bare.split('.').any(str::is_empty) {
        return Err(format!("name '{name}' has an empty label"));
    }
    let name = Name::new(bare).map_err(|error| format!("name '{name}': {error:?}"))?;
    let mut packet = Packet::new_query(id);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    packet.questions.push(Question::new(name, QTYPE::TYPE(kind), QCLASS::CLASS(CLASS::IN), false));
    packet.build_bytes_vec().map_err(|error| format!("{error:?}"))
}

/// What is wrong with a reply to query `id`, in keepalived's words; `None` for nothing.
pub fn fault(reply: &[u8], id: u16) -> Option<Cow<'static, str>> {
    if reply.len() < HEADER {
        return Some(format!("too small message. ({} bytes)", reply.len()).into());
    }
    let (Ok(answered), Ok(is_reply)) =
        (header_buffer::id(reply), header_buffer::has_flags(reply, PacketFlag::RESPONSE))
    else {
        return Some(format!("too small message. ({} bytes)", reply.len()).into());
    };
    if answered != id {
        return Some(format!("ID does not match. ({answered:04x} != {id:04x})").into());
    }
    if !is_reply {
        return Some("receive query message?".into());
    }
    // The code is the low half of the header's fourth octet (RFC 1035 §4.1.1).
    match reply[3] & 0x0f {
        0 => None,
        code => Some(format!("read error occurred. (rcode = {code})").into()),
    }
}

pub(crate) async fn check(endpoint: &Endpoint, record: &str, name: &str, id: u16) -> Result<(), Failure> {
    let query = query(id, record, name).map_err(|why| Failure::new("cannot make the query.", why))?;
    let socket = connect_datagram(endpoint).map_err(|refusal| match refusal {
        NoConnection::Own(failure) => failure,
        NoConnection::Unreachable(error) | NoConnection::Failed(error) | NoConnection::Refused(error) => {
            Failure::system("connection error.", &error)
        }
        NoConnection::TimedOut => Failure::new("connection timeout.", ""),
    })?;
    match send(&socket, &query) {
        Ok(sent) if sent == query.len() => {}
        Ok(_) => return Err(Failure::new("failed to write all of the datagram.", "")),
        Err(error) => return Err(Failure::system("failed to write socket.", &error)),
    }
    let mut buffer = [0; LONGEST_REPLY];
    let reading = socket.read_with(|socket| receive(socket, &mut buffer));
    match tokio::time::timeout(endpoint.timeout, reading).await {
        Ok(Ok(length)) => match fault(&buffer[..length], id) {
            None => Ok(()),
            Some(reason) => Err(Failure { reason, ..Failure::new("", "") }),
        },
        Ok(Err(error)) => {
            let errno = error.raw_os_error().unwrap_or(0);
            let words = plain_words(&error).reason;
            let reason = format!("failed to read socket; errno {errno} ({words})").into();
            Err(Failure { reason, ..Failure::new("", "") })
        }
        Err(_) => Err(Failure::new("read timeout from socket", "")),
    }
}

#[cfg(test)]
mod tests;
