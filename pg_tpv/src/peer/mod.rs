//! What nodes tell each other beside documents and operations, and the background worker that does
//! it.
//!
//! | file | does |
//! | --- | --- |
//! | `beat` | writes this node's heartbeats |
//! | `fold` | notes what a peer's heartbeat says |
//! | `own` | what a peer has of this node's own rows |
//! | `resend` | what one node sends to one other: a snapshot, what was lost, a request |
//! | `setup` | says at the start what is not as the migrations made it |
//! | `snapshot` | a snapshot while it arrives |
//! | `verify` | follows hash chains |
//! | `compare` | what a peer has and this node has not |
//! | `lives` | whether a server that comes to stream is the one that the peer has |
//! | `connections` | which connections a peer's login has |
//! | `worker` | the background worker |
//! | `walsender` | keeps a peer's login to the one stream that it is for |

pub mod beat;
mod compare;
mod connections;
pub mod fold;
mod lives;
mod own;
pub mod resend;
mod setup;
mod snapshot;
mod verify;
pub mod walsender;
pub mod worker;
