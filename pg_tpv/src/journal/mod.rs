//! The journal of decisions: what is written here becomes an operation, what arrives is merged.
//!
//! | file | does |
//! | --- | --- |
//! | `capture` | a change of a tracked row in a session of this node → an operation in `wire.op` |
//! | `merge_operation` | the trigger of `wire.op`: an operation of another node → the row |
//! | `row` | heads → the row and the list of conflicts |
//! | `merge_snapshot` | the state of a thing, from a node that sent it as such → its heads and its row |
//! | `coverage` | which operations came as state |
//! | `tracked` | what is tracked, and by which rules |
//! | `lookup` | that is kept in each session until it changes |
//! | `policy` | a rule is checked where it is written, and tried on what is on record |
//! | `custom` | rules that are SQL functions |
//! | `conflict` | what a person decides about a conflict |
//! | `canonical_key` | which thing stands for its duplicates |
//! | `serial` | what may not happen beside a merge |
//! | `stored_heads` | the heads of one thing, as they are stored |

mod canonical_key;
mod capture;
mod conflict;
mod coverage;
mod custom;
mod lookup;
mod merge_operation;
mod merge_snapshot;
mod policy;
mod row;
mod serial;
mod stored_heads;
mod tracked;
mod without_capture;

pub use coverage::Unparsed;
pub use lookup::forget;
pub use merge_operation::{merge, merge_again};
pub use merge_snapshot::{SnapshotRow, lock_for_snapshot, merge_snapshot_row, write_entity};
