//! What priorities and faults depend on: scripts, files, processes, BFD sessions, interfaces; and the lines that track them.

mod bfd;
mod definitions;
mod groups;

use std::collections::{HashMap, HashSet};

use notify::ScriptUser;
use types::TrackWeight;
use vrrp::config::{ScriptConfig, TrackFileConfig, TrackProcessConfig, TrackTarget, Tracker};

use super::context::{Lower, printable};
use super::value::signed;
use crate::source::Span;
use crate::tree::{Block, Line};

/// A definition with the weight that its trackers inherit.
#[derive(Debug, Clone)]
pub(super) struct Defined<T> {
    pub(super) value: T,
    pub(super) weight: i64,
    pub(super) reverse: bool,
    pub(super) span: Span,
}

/// Command of a tracked script before the checks of script security.
#[derive(Debug, Clone)]
pub(super) struct ScriptDefinition {
    pub(super) config: ScriptConfig,
    pub(super) user: ScriptUser,
}

/// Everything that can be tracked, in the order of the file, found by name.
#[derive(Debug, Default)]
pub(super) struct Definitions {
    pub(super) scripts: Named<ScriptDefinition>,
    pub(super) files: Named<TrackFileConfig>,
    pub(super) processes: Named<TrackProcessConfig>,
    pub(super) bfds: Named<bfd_config::SessionConfig>,
}

use ::bfd as bfd_config;

/// Definitions in order, with an index by name.
#[derive(Debug)]
pub(super) struct Named<T> {
    pub(super) list: Vec<Defined<T>>,
    index: HashMap<String, usize>,
    refused: HashSet<String>,
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self { list: Vec::new(), index: HashMap::new(), refused: HashSet::new() }
    }
}

impl<T> Named<T> {
    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut Defined<T>> {
        self.index.get(name).map(|index| &mut self.list[*index])
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.index.contains_key(name)
    }

    /// Remember a name whose definition was refused: it has been told, its uses need no second message.
    pub(super) fn refuse(&mut self, name: &str) {
        self.refused.insert(name.to_owned());
    }

    pub(super) fn was_refused(&self, name: &str) -> bool {
        self.refused.contains(name)
    }

    pub(super) fn add(&mut self, name: &str, defined: Defined<T>) {
        self.index.insert(name.to_owned(), self.list.len());
        self.list.push(defined);
    }
}

/// A tracker and where it was written.
#[derive(Debug, Clone)]
pub(super) struct PlacedTracker {
    pub(super) tracker: Tracker,
    pub(super) span: Span,
}

/// Kinds of trackers, by the keyword of their block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TrackKind {
    Interface,
    Script,
    File,
    Process,
    Bfd,
}

impl TrackKind {
    pub(super) fn of(keyword: &str) -> Option<Self> {
        Some(match keyword {
            "track_interface" => Self::Interface,
            "track_script" => Self::Script,
            "track_file" => Self::File,
            "track_process" => Self::Process,
            "track_bfd" => Self::Bfd,
            _ => return None,
        })
    }

    fn keyword(self) -> &'static str {
        match self {
            Self::Interface => "track_interface",
            Self::Script => "track_script",
            Self::File => "track_file",
            Self::Process => "track_process",
            Self::Bfd => "track_bfd",
        }
    }

    /// Largest weight either way.
    fn limit(self) -> i64 {
        match self {
            Self::File | Self::Process => 254,
            _ => 253,
        }
    }
}

/// The name that a tracker goes by.
pub(super) fn target_name(target: &TrackTarget) -> &str {
    match target {
        TrackTarget::Interface(name) => name.as_str(),
        TrackTarget::Script(name) | TrackTarget::File(name) | TrackTarget::Process(name) | TrackTarget::Bfd(name) => {
            name
        }
    }
}

/// Keyword of the block that a tracker stands in.
pub(super) fn target_keyword(target: &TrackTarget) -> &'static str {
    match target {
        TrackTarget::Interface(_) => "track_interface",
        TrackTarget::Script(_) => "track_script",
        TrackTarget::File(_) => "track_file",
        TrackTarget::Process(_) => "track_process",
        TrackTarget::Bfd(_) => "track_bfd",
    }
}

impl<'t> Lower<'t> {
    /// The lines of `track_*` of the instance or group `owner`.
    pub(super) fn trackers(
        &mut self,
        kind: TrackKind,
        owner: &str,
        block: Option<Block<'t>>,
        definitions: &mut Definitions,
        into: &mut Vec<PlacedTracker>,
    ) {
        for line in block.into_iter().flat_map(|block| block.lines()) {
            if line.is_empty() {
                continue;
            }
            if let Some(tracker) = self.tracker(kind, owner, line, definitions) {
                if into.iter().any(|placed| placed.tracker.target == tracker.target) {
                    let name = printable(line.keyword().text);
                    self.general(line.span(), format!("({owner}) duplicate {} {name} - ignoring", kind.keyword()));
                } else {
                    into.push(PlacedTracker { tracker, span: line.span() });
                }
            }
        }
    }

    fn tracker(
        &mut self,
        kind: TrackKind,
        owner: &str,
        line: Line<'t>,
        definitions: &mut Definitions,
    ) -> Option<Tracker> {
        let name = line.keyword();
        let text = name.text;
        let inherited = match kind {
            TrackKind::Interface => {
                let interface =
                    self.interface_told(name, |text| format!("({owner}) tracked interface {text} doesn't exist"));
                Some((TrackTarget::Interface(interface?), 0, false))
            }
            TrackKind::Script => definitions
                .scripts
                .get_mut(text)
                .map(|found| (TrackTarget::Script(text.to_owned()), found.weight, found.reverse)),
            TrackKind::File => definitions
                .files
                .get_mut(text)
                .map(|found| (TrackTarget::File(text.to_owned()), found.weight, found.reverse)),
            TrackKind::Process => definitions
                .processes
                .get_mut(text)
                .map(|found| (TrackTarget::Process(text.to_owned()), found.weight, found.reverse)),
            TrackKind::Bfd => definitions
                .bfds
                .get_mut(text)
                .map(|found| (TrackTarget::Bfd(text.to_owned()), found.weight, found.reverse)),
        };
        let Some((target, mut weight, mut reverse)) = inherited else {
            if kind == TrackKind::Bfd && definitions.bfds.was_refused(text) {
                return None;
            }
            let what = kind.keyword().replace('_', " ");
            self.general(name.span, format!("({owner}) {what} {} not found, ignoring...", printable(text)));
            return None;
        };
        let mut words = line.arguments();
        while let Some(word) = words.next() {
            match word.text {
                "weight" => {
                    let Some(value) = words.next() else {
                        self.general(
                            word.span,
                            format!("({owner}) weight without value specified for {text} - ignoring"),
                        );
                        break;
                    };
                    let limit = kind.limit();
                    match signed(value.text, -limit..=limit) {
                        Ok(value) => weight = value,
                        Err(why) => {
                            let message = format!(
                                "({owner}) weight {} for {} must be between [-{limit}..{limit}] inclusive. Ignoring...",
                                printable(value.text),
                                printable(text)
                            );
                            self.bad_number(value.span, why, message);
                        }
                    }
                }
                "reverse" => reverse = true,
                "noreverse" => reverse = false,
                _ => self.general(
                    word.span,
                    format!(
                        "({owner}) unknown {} {} option {} - ignoring",
                        kind.keyword(),
                        printable(text),
                        printable(word.text)
                    ),
                ),
            }
        }
        let weight = TrackWeight::new(weight.clamp(-254, 254) as i16).ok()?;
        Some(Tracker { target, weight, reverse })
    }
}
