//! What is requested of a difference, and when again.

use super::difference::Difference;
use super::facts::Facts;
use super::kind::Kind;

/// A request that was not answered for so long is repeated. Comparing runs once a minute.
pub(super) const PATIENCE_MS: i64 = 50_000;

/// What to do about a difference now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// The rows are requested, for the first time or again.
    Rows,
    /// The peer's state is requested: what is missing can only come as a part of it.
    Snapshot,
    /// Part of it has arrived since, so that the rest is on its way: the time to wait begins anew.
    Coming,
    /// It was requested a moment ago.
    Waiting,
    /// No request helps: a person has to look.
    Nothing,
}

/// What to do about a difference, given how it stood when it was looked at last, and whether a
/// snapshot of that peer arrives now: it brings the operations of all nodes.
pub fn request(difference: &Difference, facts: &Facts, snapshot_arrives: bool) -> Request {
    // Central believes no store that says what central forgot: a person looks, and asks.
    if difference.kind == Kind::Restored && !facts.peer_is_central {
        return Request::Nothing;
    }
    if snapshot_arrives && matches!(difference.kind, Kind::Operations | Kind::Restored) {
        return Request::Coming;
    }
    let before = facts.open.iter().find(|it| it.kind == difference.kind && it.subject == difference.subject);
    match before {
        Some(before) if before.from_seq != difference.from_seq => Request::Coming,
        Some(before) if before.waited_ms.is_some_and(|waited| waited <= PATIENCE_MS) => Request::Waiting,
        _ => match difference.kind {
            Kind::Operations | Kind::HashChain => Request::Rows,
            Kind::Restored => Request::Snapshot,
            Kind::Broken => Request::Nothing,
        },
    }
}
