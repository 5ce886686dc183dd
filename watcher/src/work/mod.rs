//! The work that is done for each terminal, one thing after the other.
//!
//! | file | does |
//! | --- | --- |
//! | `queue` | is a terminal's loop: look what is there, take a batch, rest |
//! | `batch` | carries a batch from the inbox to `out/`, safe against a crash at any point |
//! | `operator` | carries out what operators decided: publish, withdraw |

pub mod batch;
pub mod operator;
pub mod queue;
