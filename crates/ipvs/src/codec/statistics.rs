//! `IPVS_…_ATTR_STATS` (32 bits, wrapping) and `IPVS_…_ATTR_STATS64`, which have the same attributes.

use super::attribute::{DecodeError, attributes};
use crate::Statistics;

pub(super) fn parse(octets: &[u8]) -> Result<Statistics, DecodeError> {
    let mut statistics = Statistics::default();
    for attribute in attributes(octets, "statistics") {
        let attribute = attribute?;
        let field = match attribute.kind {
            1 => &mut statistics.connections,
            2 => &mut statistics.packets_in,
            3 => &mut statistics.packets_out,
            4 => &mut statistics.octets_in,
            5 => &mut statistics.octets_out,
            6 => &mut statistics.connection_rate,
            7 => &mut statistics.packet_rate_in,
            8 => &mut statistics.packet_rate_out,
            9 => &mut statistics.octet_rate_in,
            10 => &mut statistics.octet_rate_out,
            _ => continue,
        };
        *field = attribute.counter()?;
    }
    Ok(statistics)
}
