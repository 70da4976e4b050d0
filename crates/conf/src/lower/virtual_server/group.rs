//! `virtual_server_group`.

use lvs::{GroupConfig, GroupEntry};
use types::{Family, FwMark, Port};

use super::Directors;
use crate::lower::context::{Lower, printable};
use crate::lower::value::{any_base, unsigned};
use crate::lower::words::{NoRange, addresses};
use crate::tree::Line;

impl<'t> Lower<'t> {
    /// `virtual_server_group NAME { … }`.
    pub(in crate::lower) fn server_group(&mut self, line: Line<'t>, directors: &mut Directors) {
        let (Some(name), Some(block)) = (line.word(1), line.block()) else { return };
        let mut group = GroupConfig { name: name.text.to_owned(), entries: Vec::new() };
        for line in block.lines().filter(|line| !line.is_empty()) {
            group.entries.extend(self.group_entry(line));
        }
        let end = block.closing().unwrap_or(line.span());
        if group.entries.is_empty() {
            self.general(end, format!("virtual server group {} has no entries - removing", printable(name.text)));
            return;
        }
        let has = |family| {
            group
                .entries
                .iter()
                .any(|entry| matches!(entry, GroupEntry::Range { first, .. } if Family::of(*first) == family))
        };
        let unknown_mark = group.entries.iter().any(|entry| matches!(entry, GroupEntry::Mark { family: None, .. }));
        if has(Family::Inet) && has(Family::Inet6) && unknown_mark {
            self.general(
                end,
                format!(
                    "virtual server group {} cannot have IPv4, IPv6 and fwmark without family - removing",
                    printable(name.text)
                ),
            );
            return;
        }
        if directors.group_names.contains_key(name.text) {
            self.general(
                line.span(),
                format!("virtual server group {} already defined - ignoring", printable(name.text)),
            );
            return;
        }
        directors.group_names.insert(group.name.clone(), directors.groups.len());
        directors.groups.push(group);
    }

    fn group_entry(&mut self, line: Line<'t>) -> Option<GroupEntry> {
        let first = line.keyword();
        if first.text == "fwmark" {
            let Some(word) = line.word(1) else {
                self.general(first.span, "virtual server group fwmark missing");
                return None;
            };
            let mark = match any_base(word.text, 0..=u64::from(u32::MAX)) {
                Ok(mark) => FwMark(mark as u32),
                Err(why) => {
                    self.bad_number(
                        word.span,
                        why,
                        format!("virtual server group: fwmark '{}' invalid - skipping", printable(word.text)),
                    );
                    return None;
                }
            };
            let family = match line.word(2).map(|word| word.text) {
                None => None,
                Some("inet") => Some(Family::Inet),
                Some("inet6") => Some(Family::Inet6),
                Some(other) => {
                    self.general(
                        first.span,
                        format!("virtual server group: unknown fwmark option {}", printable(other)),
                    );
                    None
                }
            };
            return Some(GroupEntry::Mark { mark, family });
        }
        let port = match line.word(1) {
            None => Ok(0),
            Some(word) => unsigned(word.text, 1..=65_535),
        };
        let shown = line.word(1).map_or(String::new(), |word| printable(word.text));
        let port = match port {
            Ok(port) => Port(port as u16),
            Err(why) => {
                let message = format!(
                    "Invalid virtual server group port/address {} /port/{shown} - skipping",
                    printable(first.text)
                );
                self.bad_number(first.span, why, message);
                return None;
            }
        };
        match addresses(first.text) {
            Ok((first, last)) => Some(GroupEntry::Range { first, last, port }),
            Err(NoRange::Backwards) => {
                self.general(
                    first.span,
                    format!(
                        "Address range end is not greater than address range start - {} - skipping",
                        printable(first.text)
                    ),
                );
                None
            }
            Err(NoRange::Malformed) => {
                self.general(
                    first.span,
                    format!(
                        "Invalid virtual server group IP address {} /port/{shown} - skipping",
                        printable(first.text)
                    ),
                );
                None
            }
        }
    }
}
