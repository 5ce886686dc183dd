//! Rows that cross from node to node, who sent them, and where the rows wait that could not be
//! processed.
//!
//! | file | table |
//! | --- | --- |
//! | `document` | `wire.doc` |
//! | `operation` | `wire.op` |
//! | `beat` | `wire.beat` |
//! | `resend` | `wire.resend` |
//! | `arrival` | how large a row of a peer is, and whether it can be read |
//! | `tuple` | how a row is read from a trigger's tuple |
//! | `sender` | who sent it, and for which nodes that one may speak |
//! | `refused` | a row that is not stored |
//! | `quarantine` | `sync.quarantine`: rows that wait or were refused, and why |

mod arrival;
mod beat;
mod document;
mod operation;
mod quarantine;
mod refused;
mod resend;
mod sender;
mod tuple;

pub use arrival::{Arrives, Unread, arrive};
pub use beat::BeatRow;
pub use document::{Document, recorded_at};
pub use operation::OpRow;
pub use quarantine::{
    has_unread, has_waiting, hold_op, note_dropped, quarantine, quarantine_entity, quarantine_op, refuse,
    refuse_banned, refuse_banned_once, refuse_forged, refuse_once, refuse_op, refuse_this_once, refuse_unasked,
    refuse_unentitled, refuse_unread,
};
pub use resend::ResendRow;
pub use sender::{Sender, is_taking_back, sender, subscription_of, taking_back};
pub use tuple::hex;
