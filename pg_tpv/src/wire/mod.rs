//! Rows that cross from node to node, who sent them, and where the rows wait that could not be
//! processed.
//!
//! | file | table |
//! | --- | --- |
//! | `document` | `wire.doc` |
//! | `operation` | `wire.op` |
//! | `beat` | `wire.beat` |
//! | `resend` | `wire.resend` |
//! | `tuple` | how a row is read from a trigger's tuple |
//! | `sender` | who sent it, and for which nodes that one may speak |
//! | `refused` | a row that is not stored |
//! | `quarantine` | `sync.quarantine`: rows that wait or were refused, and why |

mod beat;
mod document;
mod operation;
mod quarantine;
mod refused;
mod resend;
mod sender;
mod tuple;

pub use beat::BeatRow;
pub use document::{Document, recorded_at};
pub use operation::OpRow;
pub use quarantine::{
    quarantine, quarantine_entity, quarantine_op, refuse, refuse_forged, refuse_once, refuse_unasked, refuse_unentitled,
};
pub use resend::ResendRow;
pub use sender::{Sender, sender};
