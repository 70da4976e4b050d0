//! Exit codes, as keepalived has them.

/// How a process of ours ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub(crate) enum Exit {
    /// Normal stop, `-v`, `-h`, or a daemon that runs already.
    Ok = 0,
    /// Something that starting again will not mend.
    Fatal = 1,
    /// The configuration cannot be used.
    Configuration = 2,
    /// A permission is missing.
    Permission = 4,
    /// The configuration file is absent or unreadable.
    NoConfiguration = 6,
}

impl Exit {
    /// The number that the parent process sees.
    pub(crate) fn code(self) -> i32 {
        self as i32
    }

    /// A child that ends so must not be started again; the name that the log gives it.
    pub(crate) fn permanent(code: i32) -> Option<&'static str> {
        match code {
            1 => Some("FATAL"),
            2 => Some("CONFIG"),
            4 => Some("missing permission"),
            _ => None,
        }
    }
}
