//! Everything a stranger can send, as functions that take octets and must not panic.
//!
//! ```text
//!   cargo run -p rkeepalived-fuzz -- --seconds 60            every target in turn, on the stable toolchain
//!   cargo run -p rkeepalived-fuzz -- --seconds 60 bfd        one target
//!   cargo run -p rkeepalived-fuzz -- --input FILE bfd        a failure again
//!   cd crates/fuzz/libfuzzer && cargo +nightly fuzz run bfd  the same function, guided by coverage
//! ```
//!
//! A target asserts what must hold for whatever it understood: reading what was written gives the same value again.
//! The driver here mutates a small corpus without looking at coverage, the same way for the same seed; a failing
//! input is written to a file and becomes a test of the crate that failed.

mod driver;
mod mutate;
pub mod targets;

pub use driver::{Effort, Failure, run};
pub use mutate::Mutator;
pub use targets::{TARGETS, Target};
