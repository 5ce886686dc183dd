//! The journal of decisions: what is written here becomes an operation, what arrives is merged.
//!
//! | file | does |
//! | --- | --- |
//! | `capture` | a change of a tracked row in a session of this node → an operation in `wire.op` |
//! | `take_in` | the trigger of `wire.op`: an operation of another node → the row |
//! | `settle` | heads → the row and the list of conflicts |
//! | `unite` | the state of a thing, from a node that sent it as such → its heads and its row |
//! | `known` | which operations came as state |
//! | `entity` | what is tracked, and by which rules |
//! | `lookup` | that is kept in each session until it changes |
//! | `policy` | a rule is checked where it is written, and tried on what is on record |
//! | `custom` | rules that are SQL functions |
//! | `restore` | what a person decides about a conflict |
//! | `alias` | which thing stands for its duplicates |
//! | `serial` | what may not happen beside a merge |
//! | `state` | the heads of one thing, as they are stored |
//! | `table_check` | whether a table can be tracked |

mod alias;
mod capture;
mod custom;
mod entity;
mod known;
mod lookup;
mod policy;
mod restore;
mod serial;
mod settle;
mod state;
mod table_check;
mod take_in;
mod unite;

use std::cell::Cell;

pub use known::Unread;
pub use lookup::forget;
pub use take_in::{OpRow, merge, merge_again};
pub use unite::{Came, before_uniting, settle_thing, unite};

thread_local! {
    static RESOLVING: Cell<bool> = const { Cell::new(false) };
}

/// Whether a change of a row is somebody's decision, and not the merge's own.
pub fn is_capturing() -> bool {
    !RESOLVING.get()
}

/// Writes rows for the merge: nobody decided that, so nothing is captured. An error on the way leaves it as it was; so does
/// the merge of a policy, whose trigger merges again.
pub fn resolving<T>(work: impl FnOnce() -> T) -> T {
    struct Reset(bool);
    impl Drop for Reset {
        fn drop(&mut self) {
            RESOLVING.set(self.0);
        }
    }
    let _reset = Reset(RESOLVING.replace(true));
    work()
}
