//! SQL functions that only pass on what the core answers: they read and write no table.

mod barcode;
mod dat;
mod form;
mod hash_chain;
mod identity;
mod item;
mod receipt_parse;
mod registration;

pub use barcode::parsed_rules;
pub use dat::parsed as parsed_profile;
