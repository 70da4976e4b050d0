//! IPVS

mod table;
pub use table::*;
