//! The names of hash chains.
//!
//! | name | whose documents |
//! | --- | --- |
//! | `T04` | the terminal's |
//! | empty | the node's own |
//! | `>2` | those that the node addresses to node 2, so that the receiver sees holes |
//! | `T04~2`, `~2`, `>2~2` | the second life of each: it begins anew after a restore |
//!
//! Codes of terminals have neither `>` nor `~`.

use std::fmt;

/// The name of a hash chain of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainName<'n> {
    /// Whose documents they are.
    pub owner: Owner<'n>,
    /// 1 at first, 2 after the chain began anew.
    pub life: u32,
}

/// Whose documents a hash chain has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner<'n> {
    /// The node itself.
    Node,
    /// A terminal, by its code.
    Terminal(&'n str),
    /// Whom they are addressed to.
    Addressee(i32),
}

impl<'n> ChainName<'n> {
    /// The node's own chain.
    pub const OWN: Self = Self { owner: Owner::Node, life: 1 };

    /// The chain of a terminal.
    pub fn of_terminal(code: &'n str) -> Self {
        Self { owner: Owner::Terminal(code), life: 1 }
    }

    /// The chain of documents that are addressed to a node.
    pub fn addressed_to(node_id: i32) -> Self {
        Self { owner: Owner::Addressee(node_id), life: 1 }
    }

    /// Reads a name. None for what is no name, or one of a newer version; each name is written in
    /// one way only.
    pub fn parse(name: &'n str) -> Option<Self> {
        let (owner, life) = match name.split_once('~') {
            Some((owner, life)) => (owner, plain(life).filter(|life| *life > 1)?),
            None => (name, 1),
        };
        let owner = match owner.strip_prefix('>') {
            Some(node) => Owner::Addressee(plain(node)?),
            None if owner.is_empty() => Owner::Node,
            None if owner.contains(['>', '\0']) => return None,
            None => Owner::Terminal(owner),
        };
        Some(Self { owner, life })
    }

    /// The terminal whose documents they are.
    pub fn terminal(&self) -> Option<&'n str> {
        if let Owner::Terminal(code) = self.owner { Some(code) } else { None }
    }

    /// The node that they are addressed to.
    pub fn addressee(&self) -> Option<i32> {
        if let Owner::Addressee(node_id) = self.owner { Some(node_id) } else { None }
    }
}

impl fmt::Display for ChainName<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.owner {
            Owner::Node => {}
            Owner::Terminal(code) => out.write_str(code)?,
            Owner::Addressee(node_id) => write!(out, ">{node_id}")?,
        }
        if self.life > 1 { write!(out, "~{}", self.life) } else { Ok(()) }
    }
}

/// A hash chain as a peer calls it, in a heartbeat or a request: its own by its name alone, those
/// of other nodes, which it passes on, with the number of that node before it: `1>2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedBy<'n> {
    /// The node that writes the chain.
    pub writer: i32,
    /// Its name there.
    pub name: &'n str,
}

impl<'n> NamedBy<'n> {
    /// Reads how `peer` calls a chain. Only addressed documents are passed on, so a name that is
    /// none of those is of a chain of its own.
    pub fn parse(called: &'n str, peer: i32) -> Self {
        let passed_on = called.find('>').filter(|at| *at > 0).and_then(|at| {
            let (writer, name) = called.split_at(at);
            ChainName::parse(name)?;
            Some(Self { writer: plain(writer)?, name })
        });
        passed_on.unwrap_or(Self { writer: peer, name: called })
    }

    /// How `peer` calls it.
    pub fn called_by(&self, peer: i32) -> String {
        if self.writer == peer { self.name.to_owned() } else { format!("{}{}", self.writer, self.name) }
    }

    /// Whether its documents come to `here` from that peer. A store sends all that it writes;
    /// central sends to a store what is addressed to it.
    pub fn is_sent_to(&self, here: i32, peer: i32, peer_is_central: bool) -> bool {
        let addressee = ChainName::parse(self.name).and_then(|name| name.addressee());
        self.writer != here && if peer_is_central { addressee == Some(here) } else { self.writer == peer }
    }
}

/// A positive number without sign or leading zeros.
fn plain<T: std::str::FromStr + PartialOrd + Default>(digits: &str) -> Option<T> {
    if digits.starts_with(['0', '+']) {
        return None;
    }
    digits.parse().ok().filter(|number| *number > T::default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_says_terminal_life_and_addressee() {
        for (text, terminal, addressee, life) in [
            ("", None, None, 1),
            ("~2", None, None, 2),
            ("T04", Some("T04"), None, 1),
            ("T04~2", Some("T04"), None, 2),
            ("2", Some("2"), None, 1),
            (">2", None, Some(2), 1),
            (">2~13", None, Some(2), 13),
        ] {
            let name = ChainName::parse(text).unwrap();
            assert_eq!((name.terminal(), name.addressee(), name.life), (terminal, addressee, life), "{text}");
            assert_eq!(name.to_string(), text);
        }
        assert_eq!(ChainName::parse("T04"), Some(ChainName::of_terminal("T04")));
        assert_eq!(ChainName::parse(""), Some(ChainName::OWN));
        assert_eq!(ChainName::parse(">2"), Some(ChainName::addressed_to(2)));
    }

    #[test]
    fn what_would_be_a_second_way_to_write_a_name_is_none() {
        for text in [
            "T04~1",
            "T04~0",
            "T04~02",
            "T04~+2",
            "T04~",
            "T04~x",
            "T04~2~3",
            ">",
            ">0",
            ">02",
            ">+2",
            ">-2",
            ">x",
            ">>2",
            "1>2",
            "T>2",
            ">99999999999",
            "T04~99999999999",
            "T\0",
        ] {
            assert_eq!(ChainName::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_peer_calls_its_own_chains_by_their_names_and_others_by_their_writers() {
        let by = |called| NamedBy::parse(called, 100);
        assert_eq!(by("T04"), NamedBy { writer: 100, name: "T04" });
        assert_eq!(by(">2"), NamedBy { writer: 100, name: ">2" });
        assert_eq!(by("1>2~2"), NamedBy { writer: 1, name: ">2~2" });
        // No node has these numbers.
        assert_eq!(by("01>2"), NamedBy { writer: 100, name: "01>2" });
        assert_eq!(by("1>"), NamedBy { writer: 100, name: "1>" });
    }

    #[test]
    fn a_store_is_sent_what_is_addressed_to_it_and_central_all_that_a_store_writes() {
        let sent = |called, here, peer, from_central| NamedBy::parse(called, peer).is_sent_to(here, peer, from_central);
        assert!(["", "T04", "T04~2", ">100", ">2", "of a newer version>"].iter().all(|name| sent(name, 100, 1, false)));
        assert!([">2", ">2~2", "1>2"].iter().all(|name| sent(name, 2, 100, true)));
        assert!(["", "~2", "T04", ">3", "1>3", "2>2", ">100"].iter().all(|name| !sent(name, 2, 100, true)));
        // A store passes nothing on.
        assert!(!sent("2>100", 100, 1, false));
    }

    /// Codes as `org.terminal` allows them.
    fn name() -> impl Strategy<Value = String> {
        (
            prop_oneof![
                Just(String::new()),
                "[A-Za-z0-9][A-Za-z0-9_-]{0,31}",
                (1..i32::MAX).prop_map(|n| format!(">{n}"))
            ],
            prop_oneof![Just(None), (2..u32::MAX).prop_map(Some)],
        )
            .prop_map(|(owner, life)| life.map_or(owner.clone(), |life| format!("{owner}~{life}")))
    }

    proptest! {
        #[test]
        fn every_name_is_read_as_it_is_written(text in name(), writer in 1..200_i32, peer in 1..200_i32) {
            let name = ChainName::parse(&text).unwrap();
            prop_assert_eq!(name.to_string(), text.as_str());
            if writer == peer || name.addressee().is_some() {
                let called = NamedBy { writer, name: &text }.called_by(peer);
                prop_assert_eq!(NamedBy::parse(&called, peer), NamedBy { writer, name: &text });
            }
        }

        #[test]
        fn any_text_is_a_name_in_one_way_or_none(text in ".{0,8}|[T0-9>~]{0,6}") {
            if let Some(name) = ChainName::parse(&text) {
                prop_assert_eq!(name.to_string(), text);
            }
        }
    }
}
