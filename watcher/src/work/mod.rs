//! The work that is done for each terminal, one step after the other.
//!
//! | file | does |
//! | --- | --- |
//! | `queue` | is a terminal's loop: look what is there, take a batch, rest |
//! | `fairness` | keeps a terminal with a long backlog from holding up the others |
//! | `batch` | carries a batch from the inbox to `out/`, safe against a crash at any point |
//! | `operator` | carries out what operators decided: publish, withdraw |
//! | `unrecorded` | tells the database what the watcher has refused |

pub mod batch;
pub mod fairness;
pub mod operator;
pub mod queue;
pub mod unrecorded;
