//! `vrrp_sync_group`.

use types::TrackWeight;
use vrrp::config::{InstanceConfig, SyncGroupConfig, TrackTarget};

use super::context::{Lower, printable};
use super::tracking::{Definitions, PlacedTracker, TrackKind, target_keyword, target_name};
use crate::configuration::GroupPart;
use crate::source::Span;
use crate::tree::Line;
use notify::VrrpScripts;

/// A group as written.
#[derive(Debug, Clone)]
pub(super) struct GroupWritten {
    pub(super) name: String,
    pub(super) span: Span,
    pub(super) members: Vec<String>,
    pub(super) trackers: Vec<PlacedTracker>,
    pub(super) tracking_weight: bool,
    pub(super) notify_priority_changes: Option<bool>,
    pub(super) scripts: VrrpScripts,
    pub(super) smtp_alert: Option<bool>,
}

impl<'t> Lower<'t> {
    /// `vrrp_sync_group NAME { … }`.
    pub(super) fn sync_group(&mut self, line: Line<'t>, definitions: &mut Definitions) -> Option<GroupWritten> {
        let (name, block) = (line.word(1)?, line.block()?);
        let name = name.text;
        let mut group = GroupWritten {
            name: name.to_owned(),
            span: line.span(),
            members: Vec::new(),
            trackers: Vec::new(),
            tracking_weight: false,
            notify_priority_changes: None,
            scripts: VrrpScripts::default(),
            smtp_alert: None,
        };
        let mut notified = Vec::new();
        self.walk("vrrp_sync_group", block.lines(), &mut |lower, line, keyword| {
            if let Some(kind) = TrackKind::of(keyword) {
                lower.trackers(kind, name, line.block(), definitions, &mut group.trackers);
                return;
            }
            if lower.vrrp_notify(line, keyword, name, &mut notified, &mut group.scripts) {
                return;
            }
            match keyword {
                "group" => {
                    if !group.members.is_empty() {
                        lower.general(line.span(), format!("({name}) group already specified - ignoring"));
                        return;
                    }
                    for line in line.block().into_iter().flat_map(|block| block.lines()) {
                        group.members.extend(line.words().map(|word| word.text.to_owned()));
                    }
                    if group.members.is_empty() {
                        lower.general(line.span(), format!("Warning - sync group {name} has empty group block"));
                    }
                }
                "smtp_alert" => {
                    if let Some(on) =
                        lower.boolean(line, |text| format!("Invalid vrrp_group smtp_alert parameter {text}"))
                    {
                        group.smtp_alert = Some(on);
                    }
                }
                "notify_priority_changes" => {
                    if let Some(on) =
                        lower.boolean(line, |text| format!("({name}) invalid notify_priority_changes {text} specified"))
                    {
                        group.notify_priority_changes = Some(on);
                    }
                }
                "global_tracking" => {
                    lower.error(
                        crate::diagnostic::Class::Deprecated,
                        "deprecated",
                        line.span(),
                        format!(
                            "({name}) global_tracking is deprecated. Use track_interface/script/file on the sync group"
                        ),
                    );
                    group.tracking_weight = true;
                }
                "sync_group_tracking_weight" => group.tracking_weight = true,
                _ => {}
            }
        });
        Some(group)
    }

    /// Members resolved, weights of members' trackers settled. `placed` gives where the trackers of each instance stand.
    pub(super) fn complete_groups(
        &mut self,
        groups: Vec<GroupWritten>,
        instances: &mut [InstanceConfig],
    ) -> Vec<(SyncGroupConfig, GroupPart)> {
        let mut index: std::collections::HashMap<String, (usize, bool)> =
            instances.iter().enumerate().map(|(at, instance)| (instance.name.clone(), (at, false))).collect();
        let mut done: Vec<(SyncGroupConfig, GroupPart)> = Vec::new();
        for mut group in groups {
            let name = group.name.clone();
            if done.iter().any(|(other, _)| other.name == name) {
                self.general(group.span, format!("vrrp sync group {} already defined", printable(&name)));
                continue;
            }
            if group.members.is_empty() {
                self.after(group.span, format!("Sync group {name} has no virtual router(s). removing"));
                continue;
            }
            let mut members = Vec::new();
            for member in std::mem::take(&mut group.members) {
                match index.get_mut(&member) {
                    None => self.after(
                        group.span,
                        format!(
                            "Virtual router {} specified in sync group {name} doesn't exist - ignoring",
                            printable(&member)
                        ),
                    ),
                    Some((_, true)) => self.after(
                        group.span,
                        format!("Virtual router {member} cannot exist in more than one sync group; ignoring {name}"),
                    ),
                    Some((_, taken)) => {
                        *taken = true;
                        members.push(member);
                    }
                }
            }
            if members.is_empty() {
                self.after(
                    group.span,
                    format!("Sync group {name}, no matching virtual router found in group declaration - removing"),
                );
                continue;
            }
            if members.len() == 1 {
                self.after(
                    group.span,
                    format!("Sync group {name} has only 1 virtual router(s) - this probably isn't what you want"),
                );
            }
            for member in &members {
                if let Some((at, _)) = index.get(member) {
                    self.member_trackers(&group, &mut instances[*at]);
                }
            }
            let smtp = &self.global.smtp;
            let part = GroupPart {
                scripts: group.scripts,
                smtp_alert: group.smtp_alert.or(smtp.alert_vrrp).or(smtp.alert).unwrap_or(false),
            };
            let config = SyncGroupConfig {
                name,
                members,
                trackers: group.trackers.into_iter().map(|placed| placed.tracker).collect(),
                tracking_weight: group.tracking_weight,
                notify_priority_changes: group
                    .notify_priority_changes
                    .unwrap_or(self.global.vrrp.notify_priority_changes),
            };
            done.push((config, part));
        }
        done
    }

    fn member_trackers(&mut self, group: &GroupWritten, instance: &mut InstanceConfig) {
        let name = instance.name.clone();
        let mut kept = Vec::with_capacity(instance.trackers.len());
        for mut tracker in std::mem::take(&mut instance.trackers) {
            let what = target_name(&tracker.target).to_owned();
            if group.trackers.iter().any(|placed| placed.tracker.target == tracker.target) {
                self.after(
                    group.span,
                    format!(
                        "({name}) {} {what} is configured on VRRP instance and sync group. Remove vrrp instance or sync group config",
                        target_keyword(&tracker.target)
                    ),
                );
                continue;
            }
            if !group.tracking_weight && tracker.weight != TrackWeight::FAULT {
                match &tracker.target {
                    TrackTarget::Interface(_) => {
                        self.after(
                            group.span,
                            format!("({name}) ignoring {what} tracked interface weight due to SYNC group"),
                        );
                        tracker.weight = TrackWeight::FAULT;
                    }
                    TrackTarget::File(_) if tracker.weight.get() == 1 => {
                        self.after(
                            group.span,
                            format!(
                                "({name}) ignoring weight from tracked file {what} due to SYNC group. specify weight 0"
                            ),
                        );
                        tracker.weight = TrackWeight::FAULT;
                    }
                    TrackTarget::File(_) => {
                        self.after(
                            group.span,
                            format!("({name}) ignoring tracked file {what} with weights due to SYNC group"),
                        );
                        continue;
                    }
                    TrackTarget::Script(_) => {
                        self.after(
                            group.span,
                            format!("({name}) ignoring tracked script {what} with weights due to SYNC group"),
                        );
                        continue;
                    }
                    TrackTarget::Process(_) => {
                        self.after(
                            group.span,
                            format!("({name}) ignoring tracked process {what} with weights due to SYNC group"),
                        );
                        continue;
                    }
                    TrackTarget::Bfd(_) => {
                        self.after(
                            group.span,
                            format!("({name}) ignoring tracked bfd {what} with weights due to SYNC group"),
                        );
                        continue;
                    }
                }
            }
            kept.push(tracker);
        }
        instance.trackers = kept;
    }
}
