//! What a probe found.

use std::borrow::Cow;
use std::io;

use lvs::Outcome;

/// The one report of one probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What the director is told, with the reason in keepalived's words.
    pub outcome: Outcome,
    /// What was seen, for the person who mends it (`Connection refused`, `status 503, wanted 200-299`); empty where the
    /// reason says it all. One line without control characters, at most 200 characters long.
    pub detail: String,
}

/// Longest detail that is kept, in characters: hostile replies are quoted in it.
const LONGEST_DETAIL: usize = 200;

impl Report {
    /// All is well.
    pub const SUCCESS: Self = Self { outcome: Outcome::Success, detail: String::new() };
}

impl From<Outcome> for Report {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, detail: String::new() }
    }
}

/// Why a probe failed, inside this crate; becomes a [`Report`] at its edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// REASON of keepalived's log text, or a text of ours where keepalived has none.
    pub(crate) reason: Cow<'static, str>,
    /// See [`Report::detail`].
    pub(crate) detail: String,
    /// It never began for want of something that may come back: [`Outcome::NotRun`].
    pub(crate) not_run: bool,
}

impl Failure {
    /// A failure; `detail` is cut and cleaned.
    pub(crate) fn new(reason: &'static str, detail: impl AsRef<str>) -> Self {
        let clean = |c: char| if c.is_control() { '.' } else { c };
        let detail = detail.as_ref().chars().take(LONGEST_DETAIL).map(clean).collect();
        Self { reason: Cow::Borrowed(reason), detail, not_run: false }
    }

    /// A failure whose reason is the operating system's.
    pub(crate) fn system(reason: &'static str, error: &io::Error) -> Self {
        Self::new(reason, error.to_string())
    }

    /// Something of our own is missing: a check that cannot be made. What may come back by itself is no verdict.
    pub(crate) fn own(what: String, error: &io::Error) -> Self {
        let passing = [libc::EMFILE, libc::ENFILE, libc::ENOMEM, libc::ENOBUFS, libc::EAGAIN];
        let not_run = error.raw_os_error().is_some_and(|errno| passing.contains(&errno));
        Self { reason: Cow::Owned(what), not_run, ..Self::system("", error) }
    }
}

impl From<Failure> for Report {
    fn from(failure: Failure) -> Self {
        let outcome = match failure.not_run {
            true => Outcome::NotRun(failure.reason),
            false => Outcome::Failed(failure.reason),
        };
        Self { outcome, detail: failure.detail }
    }
}

impl From<Result<(), Failure>> for Report {
    fn from(result: Result<(), Failure>) -> Self {
        result.map_or_else(Self::from, |()| Self::SUCCESS)
    }
}
