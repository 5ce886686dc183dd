//! Rows that cross from node to node, who sent them, and where those wait that could not be worked with.
//!
//! | file | table |
//! | --- | --- |
//! | `document` | `wire.doc` |
//! | `operation` | `wire.op` |
//! | `beat` | `wire.beat` |
//! | `resend` | `wire.resend` |
//! | `tuple` | how a row is read from a trigger's tuple |
//! | `sender` | who sent it, and for whom that one may speak |
//! | `quarantine` | `sync.quarantine` |

mod beat;
mod document;
mod operation;
mod quarantine;
mod refused;
mod resend;
mod sender;
mod tuple;

pub use beat::BeatRow;
pub use document::{Document, SCHEMA_VERSION};
pub use operation::OpRow;
pub use quarantine::{quarantine, quarantine_entity, quarantine_op, refuse, refuse_forged};
pub use resend::ResendRow;
pub use sender::{Sender, sender};
