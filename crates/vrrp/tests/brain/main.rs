//! The brain from outside: exact answers to exact events at exact microseconds.

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
