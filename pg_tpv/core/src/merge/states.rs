use std::collections::BTreeSet;

use super::{Entity, Head, Operation, Version};

/// What two nodes know of one thing, put together without the operations themselves: how a node that joins, or whose line
/// was lost for too long, catches up.
///
/// `here_knows` and `there_knows` say whether an operation is part of what a side has merged. A head that the other side
/// knows and does not have as a head was replaced there by somebody who had seen it. `journal` holds the operations on the
/// thing that are here as such: one of them may name a head of the other side that this side never saw itself.
pub fn merge_states(
    here: &Entity,
    there: &Entity,
    here_knows: impl Fn(Version) -> bool,
    there_knows: impl Fn(Version) -> bool,
    journal: &[Operation],
) -> Entity {
    let registers: BTreeSet<&String> = here.0.keys().chain(there.0.keys()).collect();
    let united = registers.into_iter().map(|register| {
        let (ours, theirs) = (here.heads(register), there.heads(register));
        let is_theirs = |version| theirs.iter().any(|head| head.version == version);
        let is_ours = |version| ours.iter().any(|head| head.version == version);
        let named = |version| journal.iter().any(|operation| operation.seen(register).contains(&version));
        let kept = ours.iter().filter(|head| is_theirs(head.version) || !there_knows(head.version));
        let new =
            theirs.iter().filter(|head| !is_ours(head.version) && !here_knows(head.version) && !named(head.version));
        let mut heads: Vec<Head> = kept.chain(new).cloned().collect();
        heads.sort_by_key(|head| head.version);
        (register.clone(), heads)
    });
    Entity(united.filter(|(_, heads)| !heads.is_empty()).collect())
}
