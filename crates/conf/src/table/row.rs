//! One keyword, and the blocks in which it stands.

use super::status::Status;

/// What a keyword is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names are the subjects")]
pub enum Area {
    Parser,
    Process,
    Global,
    Script,
    Smtp,
    Ipvs,
    Vrrp,
    Vip,
    Firewall,
    Notify,
    Snmp,
    Dbus,
    Checker,
    Tracking,
    Route,
    Rule,
    Bfd,
    Deprecated,
    /// Ours alone: keepalived skips the line.
    Extension,
}

/// One keyword of keepalived.conf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The word itself; `<…>` for a place that takes any word.
    pub keyword: &'static str,
    /// What follows it, with ranges and units.
    pub arguments: &'static str,
    /// What holds where it is absent.
    pub default: &'static str,
    /// First release of keepalived that has it.
    pub since: &'static str,
    /// Its subject.
    pub area: Area,
    /// Whether the daemon does it.
    pub status: Status,
    /// The field that it fills.
    pub lowers_to: &'static str,
    /// One line of documentation.
    pub meaning: &'static str,
    /// The spelling that it is another one of.
    pub means: Option<&'static str>,
}

/// Keywords that stand together in the same blocks.
pub(super) struct Section {
    /// Paths of the blocks, such as `virtual_server/real_server`.
    pub(super) paths: &'static [&'static str],
    /// The keywords.
    pub(super) rows: &'static [Row],
}

#[allow(clippy::too_many_arguments, reason = "a row reads best as the line of a table")]
pub(super) const fn row(
    keyword: &'static str,
    arguments: &'static str,
    default: &'static str,
    since: &'static str,
    area: Area,
    status: Status,
    lowers_to: &'static str,
    meaning: &'static str,
) -> Row {
    Row { keyword, arguments, default, since, area, status, lowers_to, meaning, means: None }
}

impl Row {
    pub(super) const fn means(mut self, keyword: &'static str) -> Self {
        self.means = Some(keyword);
        self
    }

    /// Whether a block follows the keyword.
    pub fn takes_block(&self) -> bool {
        self.arguments.contains("{ ")
    }

    /// Whether the block has a name or other words before its brace.
    pub fn takes_words(&self) -> bool {
        !(self.arguments == "none" || self.arguments.starts_with("{ "))
    }

    /// Whether the first word after the keyword may not be absent.
    pub fn needs_word(&self) -> bool {
        self.takes_words() && !self.arguments.starts_with('[') && !self.arguments.starts_with("hidden")
    }

    /// The range in `arguments`, where one is written: `1..255`, `≥1`.
    pub fn range(&self) -> Option<&'static str> {
        self.arguments
            .split([' ', ']', '[', '|', ';', ',', '('])
            .find(|word| word.contains("..") || word.starts_with('≥') || word.starts_with('≤'))
    }
}
