//! Nodes that are banned, `org.ban`: their machines are not believed any more. Each session keeps who
//! they are until that changes, as it keeps the rules (`lookup`): it is asked for every row of a peer.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use tpv_core::merge::{Knowledge, Version};

use super::lookup;
use crate::postgres::sql;
use crate::wire::Sender;

/// The last operation that central had of each, by node.
type Banned = Rc<HashMap<i32, i64>>;

thread_local! {
    /// And at which number of changes that was so.
    static KEPT: RefCell<Option<(u64, Banned)>> = const { RefCell::new(None) };
}

const BANNED: &str = "select node_id, last_seq from org.ban where lifted_at is null and not deleted";

/// Whether a row is refused since its node is banned. Of the banned node itself nothing is taken. What
/// others pass on of it counts up to its last operation; a row that is none has no number.
pub fn is_banned(from: Sender, node_id: i32, seq: Option<i64>) -> bool {
    let banned = banned();
    if banned.is_empty() {
        return false;
    }
    let is_itself = matches!(from, Sender::Peer { node_id: peer, .. } if banned.contains_key(&peer));
    is_itself || seq.zip(banned.get(&node_id)).is_some_and(|(seq, last)| seq > *last)
}

const UNDONE: &str =
    "select exists (select from org.ban where node_id = $1 and $2 between undone_seq and last_seq and not deleted)";

/// Whether what that operation wrote was taken back, so that it is not merged when it can be read at last.
/// Also when the ban was lifted since.
pub fn is_undone(node_id: i32, seq: i64) -> bool {
    sql::row(UNDONE, &[node_id.into(), seq.into()], |row| row.must(1)).unwrap_or(false)
}

/// Whether an operation is of a banned node and later than its last one.
pub fn is_beyond_ban(version: Version) -> bool {
    banned().get(&version.node_id).is_some_and(|last| version.seq > *last)
}

/// What a snapshot covers, without what is later than the last operation of a banned node: its sender may
/// not know of the ban, or have forgotten it.
pub fn within_bans(covers: Knowledge) -> Knowledge {
    banned().iter().fold(covers, |covers, (node, last)| covers.up_to(*node, *last))
}

fn banned() -> Banned {
    let changes = lookup::changes();
    let kept = KEPT.with_borrow(|kept| kept.as_ref().filter(|(as_of, _)| *as_of == changes).map(|(_, it)| it.clone()));
    kept.unwrap_or_else(|| {
        let found: Banned = Rc::new(sql::rows(BANNED, &[], |row| (row.must(1), row.must(2))).into_iter().collect());
        if lookup::may_keep(changes) {
            KEPT.set(Some((changes, found.clone())));
        }
        found
    })
}
