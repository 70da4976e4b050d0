//! (to be filled)
pub mod calendar;
