//! Tracked rows and their operations: a change here becomes an operation, an operation of another
//! node changes the row.
//!
//! | file | does |
//! | --- | --- |
//! | `capture` | a change of a tracked row in a session of this node → an operation in `wire.op` |
//! | `without_capture` | tells such a change from a write of the merge |
//! | `merge_operation` | an operation of another node → the heads of its entity |
//! | `merge_snapshot` | an entity of a snapshot → the heads here |
//! | `coverage` | which operations were received inside a snapshot |
//! | `unmerged` | what becomes of an operation that is not merged |
//! | `unparsed` | operations that are here and cannot be read |
//! | `row` | heads → the row |
//! | `set` | a set in its one form |
//! | `sibling` | heads → the list of conflicts |
//! | `stored_heads` | heads as they are stored |
//! | `guard_heads` | nobody else writes them |
//! | `tracked` | what is tracked, and by which rules |
//! | `lookup` | keeps that in each session until it changes |
//! | `policy` | a policy is checked, tried on what is on record, and applied anew after a change |
//! | `custom` | rules that are SQL functions |
//! | `entitlement` | whether a node may decide what an operation says |
//! | `ban` | which nodes are banned |
//! | `written` | what a node wrote is listed, and taken back |
//! | `set_aside` | what a store wrote of central's tables while it was alone leaves its rows |
//! | `erase` | erases an entity that somebody of this node decided to erase |
//! | `erasure` | takes the values of an entity out of all that is here |
//! | `conflict` | a person resolves a conflict |
//! | `canonical_key` | the key that stands for its duplicates |
//! | `prune` | what may leave `wire.op` |
//! | `serial` | what may not run beside a merge, and the turns of merges |
//! | `table_check` | whether a table can be tracked |

mod ban;
mod canonical_key;
mod capture;
mod conflict;
mod coverage;
mod custom;
mod entitlement;
mod erase;
mod erasure;
mod guard_heads;
mod lookup;
mod merge_operation;
mod merge_snapshot;
mod policy;
mod prune;
mod row;
mod serial;
mod set;
mod set_aside;
mod sibling;
mod stored_heads;
mod table_check;
mod tracked;
mod unmerged;
mod unparsed;
mod without_capture;
mod written;

pub use ban::{is_banned, within_bans};
pub use entitlement::verdict;
pub use erasure::{is_blanking, is_erased};
pub use lookup::forget;
pub use merge_operation::{merge, merge_again, not_entitled};
pub use merge_snapshot::{SnapshotRow, lock_for_snapshot, merge_snapshot_row, write_entity};
pub use set_aside::{set_aside, settle_lost};
pub use stored_heads::lost;
pub use unmerged::Unmerged;
pub use unparsed::Unparsed;
