//! Where a request comes from, as the connection and its head tell.

use std::net::{IpAddr, Ipv6Addr};

use uuid::Uuid;
use warp::http::HeaderMap;

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// None for a Unix socket.
    pub address: Option<IpAddr>,
    pub tls: bool,
}

/// What the connection knows of a request.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    pub id: Uuid,
    pub peer: Peer,
    /// The request is one of HTTP/1.1, which has a Host.
    pub needs_host: bool,
    /// The target is a path. It is none in `GET a` and in CONNECT.
    pub has_path: bool,
}

/// Where a request comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// An IP address, or `socket`.
    pub address: String,
    /// What limits count by: whoever has one IPv6 address has all those of its /64 too.
    pub counted_as: String,
    /// The client's side of the way is encrypted, so that cookies may be asked to be, too.
    pub secure: bool,
    /// By us, and not by a proxy.
    pub tls: bool,
}

impl Source {
    /// Behind a proxy the address is the one that the proxy has seen: the last, since a client can
    /// write any others before it.
    pub fn of(peer: Peer, headers: &HeaderMap, behind_proxy: bool) -> Self {
        let (mut address, mut secure) = (peer.address, peer.tls);
        if behind_proxy {
            let text = |name: &str| headers.get_all(name).iter().next_back().and_then(|value| value.to_str().ok());
            let last = text("x-forwarded-for").and_then(|list| list.rsplit(',').next()).map(str::trim);
            address = last.and_then(read).or(address);
            secure = text("x-forwarded-proto").map_or(secure, |scheme| scheme.eq_ignore_ascii_case("https"));
        }
        Self {
            address: address.map_or("socket".to_owned(), |address| address.to_string()),
            counted_as: address.map_or("socket".to_owned(), counted_as),
            secure,
            tls: peer.tls,
        }
    }
}

/// An address as proxies write it: some with the port, in brackets, quoted, or with a zone.
fn read(text: &str) -> Option<IpAddr> {
    let text = text.trim_matches('"');
    let whole = match text.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once(']')?.0,
        // One colon is before a port; more are those of IPv6.
        None => text.split_once(':').filter(|(_, port)| !port.contains(':')).map_or(text, |(address, _)| address),
    };
    whole.split_once('%').map_or(whole, |(address, _)| address).parse().ok()
}

fn counted_as(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(tls: bool, behind_proxy: bool, lines: &[(&'static str, &str)]) -> Source {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        Source::of(Peer { address: Some(IpAddr::from([127, 0, 0, 1])), tls }, &headers, behind_proxy)
    }

    #[test]
    fn behind_a_proxy_the_last_address_counts_however_it_is_written() {
        for (written, read) in [
            ("192.0.2.7", "192.0.2.7"),
            ("198.51.100.1, 192.0.2.7", "192.0.2.7"),
            ("192.0.2.7:1234", "192.0.2.7"),
            ("\"192.0.2.7:1234\"", "192.0.2.7"),
            ("2001:db8::7", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("[2001:db8::7]:80", "2001:db8::7"),
            ("fe80::7%eth0", "fe80::7"),
            ("unknown", "127.0.0.1"),
            ("", "127.0.0.1"),
            (":::::", "127.0.0.1"),
            ("[", "127.0.0.1"),
        ] {
            assert_eq!(source(false, true, &[("x-forwarded-for", written)]).address, read, "{written}");
            assert_eq!(source(false, false, &[("x-forwarded-for", written)]).address, "127.0.0.1");
        }
        let counted = source(false, true, &[("x-forwarded-for", "2001:db8:0:1:2:3:4:5")]).counted_as;
        assert_eq!(counted, "2001:db8:0:1::");
    }

    #[test]
    fn the_clients_side_is_encrypted_when_the_proxy_says_so_else_when_ours_is() {
        let secure = |tls, behind, lines| source(tls, behind, lines).secure;
        assert!(secure(true, false, &[]) && secure(true, true, &[]));
        assert!(secure(false, true, &[("x-forwarded-proto", "HTTPS")]));
        assert!(!secure(true, true, &[("x-forwarded-proto", "http")]));
        assert!(!secure(false, false, &[("x-forwarded-proto", "https")]));
    }
}
