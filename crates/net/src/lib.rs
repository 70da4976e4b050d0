//! (to be filled)
pub mod ipvs;
