//! The name of a life, and of those before it.

use std::fmt;

/// How many lives before its own a server names. All four fit into `application_name`, of which
/// PostgreSQL keeps 63 characters. Who starts more often without reaching its peer comes from
/// nobody knows where.
const MOST_BEFORE: usize = 3;

/// How many characters a name has: 48 bits in hexadecimal.
const DIGITS: usize = 12;

/// What a text with names begins with.
const MARK: &str = "tpv";

/// One life of a server: from a start of PostgreSQL to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Life(u64);

impl Life {
    /// A new one, of random bytes.
    pub fn new(random: [u8; 6]) -> Self {
        Self(random.iter().fold(0, |bits, byte| bits << 8 | u64::from(*byte)))
    }

    /// Reads what is written by `Display`, and nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let is_digit = |it: u8| it.is_ascii_digit() || (b'a'..=b'f').contains(&it);
        let is_name = text.len() == DIGITS && text.bytes().all(is_digit);
        is_name.then(|| u64::from_str_radix(text, 16).ok()).flatten().map(Self)
    }
}

impl fmt::Display for Life {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{:0DIGITS$x}", self.0)
    }
}

/// A life and those before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descent {
    /// The life.
    pub life: Life,
    /// Those before it, the last one first. None is left out between them.
    pub before: Vec<Life>,
}

impl Descent {
    /// The life that follows; the first one follows none.
    pub fn next(before: Option<&Self>, life: Life) -> Self {
        let past = before.into_iter().flat_map(|it| std::iter::once(it.life).chain(it.before.iter().copied()));
        Self { life, before: past.take(MOST_BEFORE).collect() }
    }

    /// Reads what is written by `Display`. None for any other name of an application.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        if words.next() != Some(MARK) {
            return None;
        }
        let mut lives = words.map(Life::parse).collect::<Option<Vec<_>>>()?.into_iter();
        let (life, before) = (lives.next()?, lives.collect::<Vec<_>>());
        (before.len() <= MOST_BEFORE).then_some(Self { life, before })
    }
}

impl fmt::Display for Descent {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{MARK} {}", self.life)?;
        self.before.iter().try_for_each(|life| write!(to, " {life}"))
    }
}
