//! Who a row comes from: a session of this node, or the subscription of a peer.

use std::cell::Cell;
use std::ffi::CStr;

use pgrx::pg_sys;

use crate::postgres::sql;

/// The source of the rows that this transaction writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// An ordinary session.
    Local,
    /// The subscription of a peer. Central may pass on rows of other nodes; a store sends its own.
    Peer { node_id: i32, is_central: bool },
    /// A subscription that belongs to no peer.
    Stranger,
}

thread_local! {
    /// An apply worker has one subscription for its life.
    static OF_ORIGIN: Cell<Option<(u16, Sender)>> = const { Cell::new(None) };
}

const PEER: &str = r"
    select p.node_id, n.kind = 'central'
    from pg_catalog.pg_subscription s
    join sync.peer p on p.subscription_name = s.subname
    join org.node n on n.node_id = p.node_id
    where s.oid = $1";

/// Who this transaction's rows come from.
pub fn sender() -> Sender {
    // SAFETY: reads two variables of this process.
    let (replicated, origin) = unsafe { (pg_sys::IsLogicalWorker(), pg_sys::replorigin_session_origin) };
    if !replicated {
        return Sender::Local;
    }
    if let Some((known, sender)) = OF_ORIGIN.get()
        && known == origin
    {
        return sender;
    }
    let sender = subscription_of(origin).and_then(|subscription| {
        sql::row(PEER, &[subscription.into()], |row| Sender::Peer { node_id: row.must(1), is_central: row.must(2) })
    });
    let sender = sender.unwrap_or(Sender::Stranger);
    if sender != Sender::Stranger {
        OF_ORIGIN.set(Some((origin, sender)));
    }
    sender
}

/// The subscription that an origin belongs to. PostgreSQL calls it `pg_16423`, and `pg_16423_16500`
/// while that subscription copies a table.
pub fn subscription_of(origin: u16) -> Option<pg_sys::Oid> {
    // SAFETY: the name is allocated by PostgreSQL in the current memory context, and read before
    // that goes.
    let name = unsafe {
        let mut name = std::ptr::null_mut();
        if !pg_sys::replorigin_by_oid(origin, true, &raw mut name) || name.is_null() {
            return None;
        }
        CStr::from_ptr(name).to_str().ok()?.to_owned()
    };
    let number = name.strip_prefix("pg_")?.split('_').next()?.parse::<u32>().ok()?;
    Some(pg_sys::Oid::from(number))
}

thread_local! {
    static TAKES_BACK: Cell<bool> = const { Cell::new(false) };
}

/// Takes back rows of this node that central has and this server forgot when it was restored.
pub fn taking_back(work: impl FnOnce()) {
    struct Reset(bool);
    impl Drop for Reset {
        fn drop(&mut self) {
            TAKES_BACK.set(self.0);
        }
    }
    let _reset = Reset(TAKES_BACK.replace(true));
    work();
}

/// Whether that goes on.
pub fn is_taking_back() -> bool {
    TAKES_BACK.get()
}

impl Sender {
    /// Whether it may send rows that `node_id` wrote.
    pub fn may_send_for(self, node_id: i32, this_node: Option<i32>) -> bool {
        match self {
            Self::Peer { is_central: true, .. } if is_taking_back() => Some(node_id) == this_node,
            Self::Local => Some(node_id) == this_node,
            Self::Peer { node_id: peer, is_central } => node_id == peer || (is_central && Some(node_id) != this_node),
            Self::Stranger => false,
        }
    }
}
