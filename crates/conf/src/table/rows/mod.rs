//! The rows themselves, one file for each part of the language.

use super::row::Section;

mod address;
mod checker;
mod extension;
mod global;
mod route;
mod rule;
mod syntax;
mod top;
mod tracking;
mod virtual_server;
mod vrrp;

/// Every section, in the order of the manual.
pub(super) const ALL: &[&[Section]] = &[
    syntax::SECTIONS,
    top::SECTIONS,
    global::SECTIONS,
    tracking::SECTIONS,
    vrrp::SECTIONS,
    address::SECTIONS,
    route::SECTIONS,
    rule::SECTIONS,
    virtual_server::SECTIONS,
    checker::SECTIONS,
    extension::SECTIONS,
];
