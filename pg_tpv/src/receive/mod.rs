//! The way into `wire.doc`, `wire.op`, `wire.beat` and `wire.resend`: a BEFORE INSERT row trigger
//! on each, the same on every node, in ordinary sessions and in the apply worker.
//!
//! A repeat is dropped. A document and an operation are stored; what cannot be projected or merged
//! waits in `sync.quarantine` with the reason, so that the stream never stops for one row.
//!
//! | file | has |
//! | --- | --- |
//! | `triggers` | the trigger functions |
//! | `refuse_change` | the one that refuses to change a document or an operation |
//! | `own_rows` | what a session of this node may write |
//! | `place` | documents that come again, or in a place that is taken |
//! | `collected` | receipts of peers, which are written together |
//! | `room` | operations of a store that are not taken now |
//! | `unread` | rows of peers that are not read |
//! | `replay` | the second try of what waits |

mod collected;
mod own_rows;
mod place;
mod refuse_change;
mod replay;
mod room;
mod triggers;
mod unread;
