//! The kinds of differences.

/// What a difference is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Operations are missing here.
    Operations,
    /// Documents of a hash chain are missing here.
    HashChain,
    /// A hash chain does not link, or is shorter than it was: a person has to look.
    Broken,
    /// This node has forgotten operations of its own, which the peer has: it was restored from a
    /// backup.
    Restored,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Operations, Self::HashChain, Self::Broken, Self::Restored];

    /// As in `sync.drift`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Operations => "operations",
            Self::HashChain => "hash_chain",
            Self::Broken => "broken",
            Self::Restored => "restored",
        }
    }

    /// The kind of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}
