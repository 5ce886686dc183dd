//! SQL functions that only pass on what the core answers: they read and write no table.

mod barcode;
mod dat;
mod identity;
mod receipt_parse;
mod registration;

pub use dat::parsed as parsed_profile;
