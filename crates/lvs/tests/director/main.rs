//! The director as the program sees it: events in, actions out.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking, its helpers too")]

extern crate rkeepalived_lvs as lvs;

mod checks;
mod lab;
mod pools;
mod properties;
mod reloads;
mod stops;
