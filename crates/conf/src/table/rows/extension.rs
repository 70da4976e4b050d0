//! What keepalived does not have. Such a line begins with `@rkeepalived`, so that keepalived skips it and the same file runs
//! under both.

use super::super::row::{Area::Extension, Section, row};
use super::super::status::HONOURED;

/// Rows in the order of the manual.
#[rustfmt::skip]
pub(super) const SECTIONS: &[Section] = &[
    Section {
        paths: &["global_defs"],
        rows: &[
            row("metrics", "ADDRESS:PORT", "none", "-", Extension, HONOURED, "Global::metrics", "Serve states and counters to Prometheus at http://ADDRESS:PORT/metrics; an extension, written as '@rkeepalived metrics ADDRESS:PORT' so that keepalived skips it"),
        ],
    },
];
