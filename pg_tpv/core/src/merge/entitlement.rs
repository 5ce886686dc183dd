//! What a node may say: whether an operation is believed, given who wrote it and where.
//!
//! A store decides nothing in a table that is central's, with one exception. Before it joined it was
//! alone, and had to have a name, departments, terminals and a layout. Those rows it keeps: the
//! operations on rows of its own, up to its last number when it joined.

use std::collections::BTreeMap;

use super::{EXISTS, Entity, Patch};

/// Who decides about the rows of a tracked table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decider {
    /// Every node.
    Anybody,
    /// Central.
    Central,
    /// Central, and a store about its own rows until it joins.
    CentralButOwn,
}

/// Who decides about the rows of a table, given what `sync.tracked_table` says of it: who writes it,
/// and whether it has a column that says whose a row is.
pub fn who_decides(writer_is_central: bool, has_own_rows: bool) -> Decider {
    match (writer_is_central, has_own_rows) {
        (false, _) => Decider::Anybody,
        (true, false) => Decider::Central,
        (true, true) => Decider::CentralButOwn,
    }
}

impl Decider {
    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Self::Anybody => "any node",
            Self::Central => "central",
            Self::CentralButOwn => "central, and a store its own rows until it joins",
        }
    }

    /// Whether a session of a node may write such a row now. A store that has joined no chain
    /// decides for itself.
    pub fn lets_write(self, is_joined_store: bool) -> bool {
        self == Self::Anybody || !is_joined_store
    }

    /// Whether an operation that arrives is believed.
    pub fn believes(self, claim: Claim) -> Verdict {
        let before = match claim.joined {
            Joined::At(last) => claim.seq <= last,
            Joined::NotYet | Joined::Elsewhere => true,
        };
        match self {
            Self::Anybody => Verdict::Believed,
            _ if claim.is_centrals => Verdict::Believed,
            Self::CentralButOwn if claim.is_own_row && before => Verdict::Believed,
            _ if before && claim.joined != Joined::Elsewhere => Verdict::OfBefore,
            _ => Verdict::NotEntitled,
        }
    }
}

/// What is asked about an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Whether central wrote it.
    pub is_centrals: bool,
    /// Whether its writer says it of a row of its own ([`is_own_row`]).
    pub is_own_row: bool,
    /// Its number.
    pub seq: i64,
    /// When its writer joined.
    pub joined: Joined,
}

/// What is known here of when a store joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joined {
    /// Its last operation of before has this number.
    At(i64),
    /// It is joining.
    NotYet,
    /// Central knows: the store is no peer of this node. Central has looked at the number.
    Elsewhere,
}

/// Whether an operation is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Believed,
    /// It is not. Its writer was alone when it wrote it, and keeps what it wrote on record.
    OfBefore,
    /// It is not, and nothing that is in order writes it.
    NotEntitled,
}

/// Whether an operation of `author` that writes `patch` is about a row of its own. `column` has the
/// number of the node whose row it is; [`EXISTS`] stands for whoever made the row.
pub fn is_own_row(column: &str, author: i32, patch: &Patch, here: &Entity) -> bool {
    if column == EXISTS {
        let made = here.heads(EXISTS);
        return if made.is_empty() {
            patch.contains_key(EXISTS)
        } else {
            made.iter().all(|head| head.version.node_id == author)
        };
    }
    let mut named = here.heads(column).iter().map(|head| &head.value).chain(patch.get(column)).peekable();
    let is_author = |value: &crate::json::Value| value.as_number().and_then(|it| it.parse().ok()) == Some(author);
    named.peek().is_some() && named.all(is_author)
}

/// An entity without the heads of `author` that are not believed, and those heads, by register.
/// What was written of a row of its own stays, up to `joined`.
pub fn set_aside(
    entity: &Entity,
    author: i32,
    own_column: Option<&str>,
    joined: Joined,
) -> (Entity, BTreeMap<String, Vec<super::Head>>) {
    let decider = who_decides(true, own_column.is_some());
    let is_own_row = own_column.is_some_and(|column| is_own_row(column, author, &Patch::new(), entity));
    let stays = |head: &super::Head| {
        let claim = Claim { is_centrals: head.version.node_id != author, is_own_row, seq: head.version.seq, joined };
        decider.believes(claim) == Verdict::Believed
    };
    let (mut kept, mut aside) = (Entity::default(), BTreeMap::new());
    for (register, heads) in &entity.0 {
        let (stay, go): (Vec<_>, Vec<_>) = heads.iter().cloned().partition(stays);
        if !stay.is_empty() {
            kept.0.insert(register.clone(), stay);
        }
        if !go.is_empty() {
            aside.insert(register.clone(), go);
        }
    }
    (kept, aside)
}
