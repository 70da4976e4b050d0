//! The director as the program sees it: events in, actions out.

extern crate rkeepalived_lvs as lvs;

mod checks;
mod lab;
mod pools;
mod properties;
mod reloads;
mod stops;
