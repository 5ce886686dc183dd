//! The one way into `wire.doc`: a BEFORE INSERT row trigger, the same on every node, in ordinary sessions and in the
//! apply worker.
//!
//! A repeat is dropped. Anything else is stored; what can be projected is, and what can not waits in
//! `sync.quarantine` with the reason. The stream of documents never stops for one of them.

mod document;
mod probe;
mod quarantine;
mod sender;
mod trigger;
mod tuple;

pub use document::Document;
pub use quarantine::{Refused, quarantine, quarantine_op, quarantine_thing};
pub use sender::Sender;
pub use tuple::Tuple;
