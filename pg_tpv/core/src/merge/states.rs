use std::collections::BTreeSet;

use super::{Entity, Head, Operation, Version};

/// Merges what two nodes have of one entity, without the operations themselves. This is how a node
/// that joins, or whose line was lost for too long, catches up: it is sent a snapshot, and each
/// entity of it is merged with what is `here`.
///
/// `here_knows` and `there_knows` say whether a side has merged an operation. For each register:
///
/// - A head of both sides stays.
/// - A head of one side stays if the other side does not know its operation. If it does and has no
///   such head, somebody there had seen the value and replaced it.
/// - Where one side knows that the entity was erased, nothing else of it stays.
/// - A head of the other side does not become one here if an operation of `journal` names it. These
///   are the operations on the entity that are here: the writer of one of them may have seen and
///   replaced a value that this node never received.
pub fn merge_states(
    here: &Entity,
    there: &Entity,
    here_knows: impl Fn(Version) -> bool,
    there_knows: impl Fn(Version) -> bool,
    journal: &[Operation],
) -> Entity {
    merge_registers(here, there, here_knows, |_, version| there_knows(version), journal)
}

/// The same where what the sender knows depends on the register.
pub(super) fn merge_registers(
    here: &Entity,
    there: &Entity,
    here_knows: impl Fn(Version) -> bool,
    there_knows: impl Fn(&str, Version) -> bool,
    journal: &[Operation],
) -> Entity {
    let registers: BTreeSet<&String> = here.0.keys().chain(there.0.keys()).collect();
    let merged = registers.into_iter().map(|register| {
        let (ours, theirs) = (here.heads(register), there.heads(register));
        let is_theirs = |version| theirs.iter().any(|head| head.version == version);
        let is_ours = |version| ours.iter().any(|head| head.version == version);
        let is_named = |version| journal.iter().any(|operation| operation.seen(register).contains(&version));
        let kept = ours.iter().filter(|head| is_theirs(head.version) || !there_knows(register, head.version));
        let is_new = |head: &&Head| !is_ours(head.version) && !here_knows(head.version) && !is_named(head.version);
        let mut heads: Vec<Head> = kept.chain(theirs.iter().filter(is_new)).cloned().collect();
        heads.sort_by_key(|head| head.version);
        (register.clone(), heads)
    });
    Entity(merged.filter(|(_, heads)| !heads.is_empty()).collect()).settled()
}
