//! What becomes of a life that connects.

use std::time::Duration;

use super::descent::{Descent, Life};

/// What a sender says to a life that it refuses. The server that is refused knows it by this text,
/// and may be of the version before or after: it does not change.
pub const REFUSAL: &str = "CLONE: another server has the place of this one";

/// What a sender has on record of a life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is the one that may stream. At most one is; none is when nobody has connected yet, and
    /// when somebody has decided that whoever comes next is the peer.
    Current,
    /// It was, and another has taken its place.
    Replaced,
    /// It came while the slot was another's, and was put off. For so long.
    Waiting(Duration),
    /// It was refused, and is not let in when the slot is free either.
    Refused,
}

/// A life on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The life.
    pub life: Life,
    /// The one before, as it said.
    pub before: Option<Life>,
    /// What became of it.
    pub state: State,
}

/// What becomes of a life that connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// It is the one that may stream.
    Continue,
    /// It takes the place of the one that could. `is_known`: it follows that one, or there was none.
    /// Otherwise nothing of its past is on record: the sender was restored from a backup, or the
    /// server was started several times without reaching it.
    Take {
        /// Whether it is known where it comes from.
        is_known: bool,
    },
    /// The slot is another's. Perhaps that is what a server has left over which has just started
    /// again, and ends by itself.
    Wait,
    /// There are two servers, or one was restored from a backup. A person decides.
    Refuse(Why),
}

/// Why a life is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Another one has taken its place.
    Replaced,
    /// It follows one that was replaced by another or refused: its server is a copy of before, or
    /// was restored from one.
    Follows(Life),
    /// The slot is another's, and has been for too long: that other server is alive.
    Beside,
}

/// Decides about a life that connects, given what is on record of the lives of that peer.
///
/// `is_free`: nobody streams the slot, and nobody who was let in is about to. `patience`: what is
/// left over of a server that has ended holds the slot no longer than this.
///
/// What is decided about it goes on record before the next one is judged.
pub fn judge(comes: &Descent, on_record: &[Recorded], is_free: bool, patience: Duration) -> Verdict {
    let find = |life: Life| on_record.iter().find(|it| it.life == life);
    if !on_record.iter().any(|it| it.state == State::Current) {
        return Verdict::Take { is_known: true };
    }
    let mut waited = match find(comes.life).map(|it| it.state) {
        Some(State::Current) => return Verdict::Continue,
        Some(State::Replaced) => return Verdict::Refuse(Why::Replaced),
        Some(State::Refused) => return Verdict::Refuse(Why::Beside),
        Some(State::Waiting(waited)) => waited,
        None => Duration::ZERO,
    };
    // The last life that was let in or refused decides. Those since then were put off, and are the
    // same server that has started again and again; what they said of their past counts too.
    let (mut named, mut past, mut is_known) = (comes.before.iter().copied(), None, false);
    for _ in 0..=on_record.len() + comes.before.len() {
        past = named.next().or_else(|| find(past?)?.before);
        let Some(life) = past else { break };
        match find(life).map(|it| it.state) {
            Some(State::Current) => {
                is_known = true;
                break;
            }
            Some(State::Replaced | State::Refused) => return Verdict::Refuse(Why::Follows(life)),
            Some(State::Waiting(since)) => waited = waited.max(since),
            None => {}
        }
    }
    match is_free {
        true => Verdict::Take { is_known },
        false if waited < patience => Verdict::Wait,
        false => Verdict::Refuse(Why::Beside),
    }
}
