//! What decides in tpv, without a database, a file or a socket.
//!
//! The extension `pg_tpv` wraps these modules in SQL functions; nothing here knows that PostgreSQL exists.

pub mod barcode;
pub mod clock;
pub mod dat;
pub mod day;
pub mod document_id;
pub mod encoding;
pub mod hash_chain;
pub mod intake;
pub mod json;
pub mod merge;
pub mod problem;
pub mod receipt;
pub mod walsender;
