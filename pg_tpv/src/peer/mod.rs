//! What nodes tell each other beside documents and operations, and the background worker that does
//! it.
//!
//! | file | does |
//! | --- | --- |
//! | `beat` | writes this node's heartbeats |
//! | `fold` | notes what a peer's heartbeat says |
//! | `resend` | what one node sends to one other: a snapshot, what was lost, a request |
//! | `setup` | says at the start what is not as the migrations made it |
//! | `snapshot` | a snapshot while it arrives |
//! | `verify` | follows hash chains |
//! | `compare` | what a peer has and this node has not |
//! | `worker` | the background worker |
//! | `walsender` | keeps a peer's login to the one stream that it is for |

pub mod beat;
mod compare;
pub mod fold;
pub mod resend;
mod setup;
mod snapshot;
mod verify;
pub mod walsender;
pub mod worker;
