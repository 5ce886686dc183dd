//! What people see and decide: one file for each resource, with its rows, its SQL and its handlers.
//!
//! `list` and `item` read from views of schema `own`, `write` calls its functions, `elsewhere` says
//! which gateway to ask instead. What somebody may see is decided in the database; no statement here
//! asks for a role.

// What the others share.
pub mod elsewhere;
pub mod item;
pub mod list;
pub mod write;
// Places and the catalog.
pub mod barcode;
pub mod department;
pub mod local_code;
pub mod price;
pub mod product;
pub mod scan;
pub mod store;
pub mod tax;
pub mod terminal;
// Customers and receipts.
pub mod customer;
pub mod dat_file;
pub mod raw;
pub mod receipt;
pub mod receipt_search;
pub mod rejected;
// People.
pub mod employee;
pub mod gateway_key;
pub mod pending_revocation;
pub mod role_grant;
// The chain.
pub mod audit;
pub mod drift;
pub mod node;
pub mod quarantine;
pub mod sibling;
