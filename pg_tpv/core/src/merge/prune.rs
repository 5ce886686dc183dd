use super::{Entity, Operation, Vector, Version};

/// Whether an operation may leave the journal of a node: it has done what it can do.
///
/// `known` is, for each node, up to which number its operations are at this node without a gap, and
/// at all peers who may still ask for them. An operation stays
///
/// - while it is beyond that;
/// - while it names one that is: when that arrives, the journal is searched for whoever had seen
///   it;
/// - while it is a head: a conflict says who wrote which value;
/// - while a young operation names it (`is_named_lately`): what a machine that was stolen has replaced can
///   be put back as long as that.
///
/// What arrives later finds the same without those that left. A repeat is known by its number. One
/// that they had replaced is in `known`, so it is here, or a repeat. And who names them finds
/// neither them nor, had they stayed, a head of theirs.
pub fn may_leave(
    operation: &Operation,
    entity: &Entity,
    known: &Vector,
    is_named_lately: impl FnOnce(Version) -> bool,
) -> bool {
    let is_head = || entity.0.values().flatten().any(|head| head.version == operation.version);
    known.covers(operation.version)
        && operation.names().all(|version| known.covers(version))
        && !is_head()
        && !is_named_lately(operation.version)
}

impl Vector {
    /// Up to which number both know the operations of each node.
    #[must_use]
    pub fn common(&self, other: &Self) -> Self {
        let both = self.0.iter().map(|(node, seq)| (*node, other.0.get(node).copied().unwrap_or(0).min(*seq)));
        Self(both.collect())
    }
}
