//! The brain from outside: exact answers to exact events at exact microseconds.

// a test that cannot go on says where
#![allow(clippy::unwrap_used)]

extern crate rkeepalived_vrrp as vrrp;

mod election;
mod groups;
mod properties;
mod reload;
mod scene;
mod start;
mod states;
mod surroundings;
mod tracking;
