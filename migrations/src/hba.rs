//! `tpv-migrate bootstrap-hba`: prints the lines for `pg_hba.conf`. Nothing is written anywhere.

use std::net::IpAddr;

use anyhow::{Context, bail};

use crate::console::{Console, SUCCESS};

const LINES: &str = include_str!("pg_hba.conf");

/// Where the server of a peer logs in from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// The same machine.
    Socket,
    /// An address, a network or a name, as `pg_hba.conf` takes it.
    Address(String),
}

impl Peer {
    /// Reads `socket`, `10.0.7.2`, `10.0.7.0/24`, `s07.example`.
    pub fn from_text(text: &str) -> anyhow::Result<Self> {
        if text == "socket" {
            return Ok(Self::Socket);
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Address(format!("{address}/{}", if address.is_ipv4() { 32 } else { 128 })));
        }
        // In pg_hba.conf these words stand for many machines.
        if matches!(text, "" | "all" | "samehost" | "samenet")
            || !text.chars().all(|it| it.is_ascii_alphanumeric() || ".:/-".contains(it))
        {
            bail!("--peer takes an address, a network such as 10.0.7.0/24, a host name, or the word socket");
        }
        Ok(Self::Address(text.to_owned()))
    }

    fn line(&self, database: &str) -> String {
        let (connection, address) = match self {
            Self::Socket => ("local", ""),
            Self::Address(address) => ("hostssl", address.as_str()),
        };
        format!("{connection:7}  {database:11}  +tpv_peer       {address:13}  scram-sha-256")
    }
}

pub fn print(database: &str, peers: &[Peer], console: &mut Console<'_>) -> anyhow::Result<u8> {
    console.out.write_all(lines(database, peers).as_bytes()).context("the lines could not be written")?;
    Ok(SUCCESS)
}

/// The name was checked: it needs no quotes.
fn lines(database: &str, peers: &[Peer]) -> String {
    let peers: Vec<String> = peers.iter().map(|peer| peer.line(database)).collect();
    LINES.replace("<peers>\n", &peers.iter().map(|line| format!("{line}\n")).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines that count, as words.
    fn words(peers: &[&str]) -> Vec<String> {
        let peers: Vec<Peer> = peers.iter().map(|peer| Peer::from_text(peer).unwrap()).collect();
        let text = lines("tpv", &peers);
        let counts = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        counts.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    }

    #[test]
    fn a_peer_is_let_in_between_what_is_refused() {
        let lines = words(&["10.0.7.2", "fd00::7", "10.1.0.0/16", "s07.example", "socket"]);
        assert_eq!(lines[..2], ["local replication +tpv_peer reject", "host replication +tpv_peer all reject"]);
        assert_eq!(
            lines[2..7],
            [
                "hostssl tpv +tpv_peer 10.0.7.2/32 scram-sha-256",
                "hostssl tpv +tpv_peer fd00::7/128 scram-sha-256",
                "hostssl tpv +tpv_peer 10.1.0.0/16 scram-sha-256",
                "hostssl tpv +tpv_peer s07.example scram-sha-256",
                "local tpv +tpv_peer scram-sha-256",
            ]
        );
        assert!(lines[7..].iter().all(|line| line.ends_with(" reject")), "{lines:?}");
    }

    #[test]
    fn without_a_peer_nobody_is_let_in() {
        assert!(words(&[]).iter().all(|line| line.ends_with(" reject")));
    }

    #[test]
    fn what_would_let_everybody_in_is_no_peer() {
        for bad in ["", "all", "samenet", "samehost", "a b", "x\ny", "\"x\"", "x # y"] {
            assert!(Peer::from_text(bad).is_err(), "{bad}");
        }
    }
}
