//! Rule lines: `virtual_rules` and `static_rules`.

use types::{Family, Prefix};
use vip::{Rule, RuleAction};

use super::context::{Lower, printable};
use super::names;
use super::route::everything;
use super::value::any_base;
use super::words;
use crate::tree::{Line, Word};

/// Preferences given to rules without one, counting down from 16384, for each family.
#[derive(Debug)]
pub(super) struct FreePreferences([u32; 2]);

impl Default for FreePreferences {
    fn default() -> Self {
        Self([16_384; 2])
    }
}

impl<'t> Lower<'t> {
    /// One rule line; `static_line` allows `track_group`.
    pub(super) fn rule(&mut self, line: Line<'t>, static_line: bool, free: &mut FreePreferences) -> Option<Rule> {
        let mut family: Option<Family> = None;
        let mut preference: Option<u32> = None;
        let mut action: Option<RuleAction> = None;
        let mut default_source = false;
        let mut default_destination = false;
        let mut rule = Rule {
            family: Family::Inet,
            source: None,
            destination: None,
            invert: false,
            preference: 0,
            tos: 0,
            mark: None,
            input: None,
            output: None,
            action: RuleAction::Nop,
            realms: None,
            suppress_prefix_length: None,
            suppress_group: None,
            tunnel_id: None,
            uid_range: None,
            l3mdev: false,
            protocol: 18,
            ip_protocol: None,
            source_ports: None,
            destination_ports: None,
            no_track: false,
            track_group: None,
        };
        let mut words = line.words();
        while let Some(word) = words.next() {
            let mut meet = |lower: &mut Self, found: Family| {
                if family.is_some_and(|known| known != found) {
                    lower.general(word.span, "rule specification has mixed IPv4 and IPv6");
                    return None;
                }
                family = Some(found);
                Some(())
            };
            match word.text {
                "inet" => meet(self, Family::Inet)?,
                "inet6" => meet(self, Family::Inet6)?,
                "not" => rule.invert = true,
                "l3mdev" => rule.l3mdev = true,
                "no_track" => rule.no_track = true,
                "type" => {}
                "nop" => action = Some(RuleAction::Nop),
                "blackhole" => action = Some(RuleAction::Blackhole),
                "unreachable" => action = Some(RuleAction::Unreachable),
                "prohibit" => action = Some(RuleAction::Prohibit),
                option => {
                    if !takes_value(option, static_line) {
                        self.general(word.span, format!("Unknown rule option {}", printable(option)));
                        return None;
                    }
                    let Some(value) = words.next() else {
                        self.general(word.span, format!("No value specified for rule option {option}"));
                        return None;
                    };
                    match option {
                        "from" | "to" => {
                            let prefix = match value.text {
                                "default" | "any" | "all" => {
                                    if option == "from" {
                                        default_source = true;
                                    } else {
                                        default_destination = true;
                                    }
                                    continue;
                                }
                                _ => match self.prefix(value) {
                                    Some(prefix) => prefix,
                                    None => {
                                        self.general(
                                            value.span,
                                            format!("Invalid rule {option} address {}", printable(value.text)),
                                        );
                                        return None;
                                    }
                                },
                            };
                            meet(self, prefix.family())?;
                            *(if option == "from" { &mut rule.source } else { &mut rule.destination }) = Some(prefix);
                        }
                        "table" | "lookup" => match names::table(self.system, value.text) {
                            Some(0) => {
                                self.general(value.span, format!("Table {} is not valid", printable(value.text)));
                                return None;
                            }
                            Some(table) => action = Some(RuleAction::Lookup(table)),
                            None => {
                                self.general(
                                    value.span,
                                    format!("Routing table {} not found for rule", printable(value.text)),
                                );
                                return None;
                            }
                        },
                        "goto" => {
                            action =
                                Some(RuleAction::Goto(self.rule_number(value, "goto", u64::from(u32::MAX))? as u32))
                        }
                        "preference" | "order" | "priority" => {
                            preference = Some(self.rule_number(value, "preference", u64::from(u32::MAX))? as u32);
                        }
                        "tos" | "dsfield" => {
                            rule.tos = self.rule_name(names::dsfield(self.system, value.text), value, "TOS value")?
                        }
                        "fwmark" => {
                            rule.mark = Some(self.rule_name(words::mark_and_mask(value.text), value, "fwmark")?);
                        }
                        "realms" => {
                            rule.realms =
                                Some(self.rule_name(names::realms(self.system, value.text), value, "realms")?)
                        }
                        "suppress_prefixlength" | "sup_pl" => {
                            rule.suppress_prefix_length =
                                Some(self.rule_number(value, "suppress_prefixlength", i32::MAX as u64)? as u32);
                        }
                        "suppress_ifgroup" | "sup_group" => {
                            rule.suppress_group = Some(self.rule_name(
                                names::interface_group(self.system, value.text),
                                value,
                                "suppress_ifgroup",
                            )?);
                        }
                        "dev" | "iif" | "oif" => {
                            let interface = self.interface_told(value, |name| {
                                format!("WARNING - interface {name} for rule doesn't exist")
                            })?;
                            *(if option == "oif" { &mut rule.output } else { &mut rule.input }) = Some(interface);
                        }
                        "tunnel-id" => rule.tunnel_id = Some(self.rule_number(value, "tunnel-id", u64::MAX)?),
                        "uidrange" => {
                            let (low, high) = self.rule_range(value, "uidrange", u64::from(u32::MAX - 1))?;
                            rule.uid_range = Some((low as u32, high as u32));
                        }
                        "protocol" => {
                            rule.protocol =
                                self.rule_name(names::protocol(self.system, value.text), value, "protocol")?
                        }
                        "ipproto" => {
                            rule.ip_protocol =
                                Some(self.rule_name(names::ip_protocol(self.system, value.text), value, "ipproto")?)
                        }
                        "sport" | "dport" => {
                            let (low, high) = self.rule_range(value, option, 65_535)?;
                            let ports = Some((low as u16, high as u16));
                            *(if option == "sport" { &mut rule.source_ports } else { &mut rule.destination_ports }) =
                                ports;
                        }
                        _ => rule.track_group = Some(value.text.to_owned()),
                    }
                }
            }
        }
        let Some(action) = action.or(rule.l3mdev.then_some(RuleAction::Lookup(0))) else {
            self.general(line.span(), "No action specified for rule - ignoring");
            return None;
        };
        if rule.l3mdev && !matches!(action, RuleAction::Lookup(0)) {
            self.general(line.span(), "table cannot be specified for l3mdev rules");
            return None;
        }
        rule.action = action;
        rule.family = family.unwrap_or(Family::Inet);
        let everything: Prefix = everything(rule.family);
        if default_source {
            rule.source = Some(everything);
        }
        if default_destination {
            rule.destination = Some(everything);
        }
        rule.preference = match preference {
            Some(preference) => preference,
            None => {
                let free = &mut free.0[usize::from(rule.family == Family::Inet6)];
                let preference = *free;
                *free = free.saturating_sub(1);
                self.general(
                    line.span(),
                    format!("Rule has no preference specified - setting to {preference}. This is probably not what you want."),
                );
                preference
            }
        };
        if let RuleAction::Goto(target) = rule.action
            && rule.preference >= target
        {
            self.general(line.span(), format!("Invalid rule - preference {} >= goto target {target}", rule.preference));
            return None;
        }
        if rule.protocol != 18 && !rule.no_track {
            self.general(
                line.span(),
                "Rule cannot be tracked if protocol is not RTPROT_KEEPALIVED(18), resetting protocol",
            );
            rule.protocol = 18;
        }
        Some(rule)
    }

    fn rule_number(&mut self, word: Word<'t>, what: &str, largest: u64) -> Option<u64> {
        match any_base(word.text, 0..=largest) {
            Ok(number) => Some(number),
            Err(why) => {
                self.bad_number(word.span, why, format!("Invalid {what} {}", printable(word.text)));
                None
            }
        }
    }

    fn rule_name<T>(&mut self, found: Option<T>, word: Word<'t>, what: &str) -> Option<T> {
        if found.is_none() {
            self.general(word.span, format!("Invalid {what} {}", printable(word.text)));
        }
        found
    }

    /// `A-B`; one number alone is refused, as keepalived does.
    fn rule_range(&mut self, word: Word<'t>, what: &str, largest: u64) -> Option<(u64, u64)> {
        let range = words::range(word.text, 0..=largest);
        if range.is_none() {
            self.general(word.span, format!("invalid {what} range {}", printable(word.text)));
        }
        range
    }
}

fn takes_value(option: &str, static_line: bool) -> bool {
    matches!(
        option,
        "from"
            | "to"
            | "table"
            | "lookup"
            | "goto"
            | "preference"
            | "order"
            | "priority"
            | "tos"
            | "dsfield"
            | "fwmark"
            | "realms"
            | "suppress_prefixlength"
            | "sup_pl"
            | "suppress_ifgroup"
            | "sup_group"
            | "dev"
            | "iif"
            | "oif"
            | "tunnel-id"
            | "uidrange"
            | "protocol"
            | "ipproto"
            | "sport"
            | "dport"
    ) || (option == "track_group" && static_line)
}
