//! Which difference is what.

use super::facts::{Chain, Facts};
use super::kind::Kind;

/// Something that the peer has and this node has not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What it is.
    pub kind: Kind,
    /// The node whose operations they are, or the chain.
    pub subject: String,
    /// The first number that is missing.
    pub from_seq: i64,
    /// The last.
    pub to_seq: i64,
    /// A sentence.
    pub detail: String,
}

/// All differences from a peer; none when everything that it recorded before its heartbeat is here
/// and links.
pub fn differences(facts: &Facts) -> Vec<Difference> {
    operations(facts).chain(facts.chains.iter().filter_map(chain)).collect()
}

fn operations(facts: &Facts) -> impl Iterator<Item = Difference> {
    // A store answers for its own operations, central for those of all; and every peer tells what
    // this node forgot.
    let answers = |node: i32| facts.peer_is_central || node == facts.peer || node == facts.this_node;
    facts.reported.iter().filter(move |(node, _)| answers(**node)).filter_map(|(&node, &to_seq)| {
        let from_seq = facts.here.get(&node).copied().unwrap_or(0) + 1;
        let (kind, detail) = if node == facts.this_node {
            let before = format!("this node no longer has its own operations {from_seq} to {to_seq}");
            let detail = match facts.peer_is_central {
                true => format!("{before}: it was restored from a backup, and gets them back in a snapshot"),
                false => {
                    format!("{before}, so the store says: if it was restored, sync.restored_plan brings them back")
                }
            };
            (Kind::Restored, detail)
        } else {
            (Kind::Operations, format!("operations {from_seq} to {to_seq} of node {node} are missing here"))
        };
        (from_seq <= to_seq).then(|| Difference { kind, subject: node.to_string(), from_seq, to_seq, detail })
    })
}

fn chain(chain: &Chain) -> Option<Difference> {
    let difference = |kind, from_seq, to_seq, detail: String| {
        Some(Difference { kind, subject: chain.name.clone(), from_seq, to_seq, detail })
    };
    let (head_seq, head_hash) = (chain.head.0, &chain.head.1);
    let Some(followed) = chain.followed.as_ref().filter(|_| head_seq >= chain.from_seq) else {
        let detail = "the hash chain at the peer is shorter than it was: was the peer restored from a backup?";
        return difference(Kind::Broken, head_seq + 1, chain.from_seq, detail.to_owned());
    };
    let from_seq = followed.seq + 1;
    if let Some(broken) = &followed.broken {
        return difference(Kind::Broken, from_seq, head_seq, broken.clone());
    }
    if followed.seq == head_seq && followed.hash != *head_hash {
        return difference(Kind::Broken, from_seq, head_seq, "the peer names another document as its last".to_owned());
    }
    if followed.seq < head_seq {
        let to_seq = chain.next_seq.map_or(head_seq, |next| next - 1);
        let name = &chain.name;
        let detail = format!("documents {from_seq} to {to_seq} of hash chain '{name}' are missing here");
        return difference(Kind::HashChain, from_seq, to_seq, detail);
    }
    None
}
