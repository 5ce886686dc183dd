//! Which hash chains a heartbeat names.

use super::head::Heads;

/// What this process has told so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The stamp of its last heartbeat.
    pub hlc: i64,
    /// When it named all hash chains last, on its own clock.
    pub all_at_ms: u64,
    /// All heads at its last heartbeat.
    pub heads: Heads,
}

/// What a heartbeat says of hash chains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// It names what moved since the heartbeat with this stamp; none when it names all.
    pub since: Option<i64>,
    /// What it names.
    pub heads: Heads,
}

/// Asks whoever hears the heartbeat what it has of the node's own rows: a server that has just
/// started does not know whether it was restored from a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Own {
    /// Another one than before asks anew.
    pub token: i64,
    /// Of how many operations the stamps are to be named.
    pub stamps: i64,
}

/// Which of `heads` a heartbeat names: those that moved since this process told them, or all, when
/// it has told none yet, was asked to, or has not for so long. Also when one is gone, which nothing
/// else says.
pub fn carry(heads: &Heads, told: Option<&Told>, asked: bool, now_ms: u64, all_every_ms: u64) -> Carried {
    let continued = told.filter(|told| {
        !asked
            && now_ms.checked_sub(told.all_at_ms).is_some_and(|passed| passed < all_every_ms)
            && told.heads.0.keys().all(|name| heads.0.contains_key(name))
    });
    let Some(told) = continued else { return Carried { since: None, heads: heads.clone() } };
    let moved = heads.0.iter().filter(|(name, head)| told.heads.0.get(*name) != Some(*head));
    Carried { since: Some(told.hlc), heads: Heads(moved.map(|(name, head)| (name.clone(), *head)).collect()) }
}

impl Carried {
    /// What goes into `more`.
    pub fn more(&self, own: Option<Own>) -> String {
        let since = self.since.map(|since| format!("\"since\":{since}"));
        let own = own.map(|Own { token, stamps }| format!("\"own\":[{token},{stamps}]"));
        let members: Vec<_> = own.into_iter().chain(since).collect();
        format!("{{{}}}", members.join(","))
    }

    /// What this process has told once the heartbeat is written.
    pub fn told(&self, hlc: i64, heads: Heads, before: Option<&Told>, now_ms: u64) -> Told {
        let all_at_ms = before.filter(|_| self.since.is_some()).map_or(now_ms, |before| before.all_at_ms);
        Told { hlc, all_at_ms, heads }
    }
}
