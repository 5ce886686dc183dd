//! What decides in tpv, without a database, a file or a socket.
//!
//! The extension `pg_tpv` wraps these modules in SQL functions; nothing here knows that PostgreSQL
//! exists.

// From the bytes of a file to a receipt, and from all documents about a receipt to its state.
pub mod receipt;

// What becomes of a receipt when it arrives: duplicate, held, accepted, the void of another.
pub mod intake;

// The business day that a receipt belongs to, and the instant that was printed.
pub mod day;

// The `.dat` file of a receipt, under the layout of its store.
pub mod dat;

// The numbers of barcodes.
pub mod barcode;

// What was sold, as documents say it.
pub mod item;

// Who acts, what of the chain a person may see, and what a request looks like.
pub mod actor;
pub mod form;
pub mod scope;

// The identity of a document.
pub mod document_id;

// The kinds of documents, and the version of each kind's body.
pub mod document_kind;

// The hash chain that documents form.
pub mod hash_chain;

// What heartbeats say of hash chains.
pub mod heartbeat;

// What differs between the rows that documents explain and those that are there.
pub mod rebuild;

// What roll-ups say of a business day of a department.
pub mod rollup;

// What an apply worker remembers while documents arrive.
pub mod arrival;

// Operations on rows of all nodes, merged: heads, policies, snapshots.
pub mod merge;

// Whether a table can be shared with the chain.
pub mod tracking;

// What a peer has and this node has not, and what to request of it.
pub mod comparison;

// What a peer has of this node's own rows, and this node has forgotten.
pub mod restored;

// How large a row that crosses the line may be.
pub mod row_limits;

// The stamps of a node.
pub mod clock;

// Which replication commands a peer may give, and whether its server is the one of before.
pub mod life;
pub mod walsender;

// What the others are made of: JSON with exact numbers, numbers as PostgreSQL stores them, code
// pages, faults with their place.
mod encoding;
pub mod json;
pub mod numeric;
pub mod problem;
