//! What terminals write: baskets of today under new numbers, and everything that can be wrong with
//! a file.

use std::collections::VecDeque;

use chrono::{DateTime, SecondsFormat, Utc};

use super::registration::department_of;
use super::samples::BASKETS;

/// What should come of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// One receipt and one `.dat`.
    Accepted,
    /// Nothing: it is there already.
    Duplicate,
    /// A receipt without a `.dat`, with this reason.
    Held(&'static str),
    /// A file in quarantine, with this reason.
    Quarantined(&'static str),
}

/// One file of one terminal.
#[derive(Clone, Debug)]
pub struct Input {
    /// `T01` to `T20`.
    pub terminal: String,
    /// Name of the file; unique among all inputs of a generator.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Number of the receipt inside.
    pub number: String,
    /// What should come of it.
    pub expect: Expect,
    /// Lines on the ticket.
    pub lines: usize,
}

impl Input {
    /// The name of its `.dat` in the legacy profile.
    pub fn dat_name(&self) -> String {
        format!("scon{}{}.dat", department_of(&self.terminal).unwrap_or_default(), self.number)
    }
}

/// All ways in which a file can be odd.
pub const ODDITIES: [Oddity; 20] = [
    Oddity::Repeat,
    Oddity::RepeatReordered,
    Oddity::SameNumberOtherContent,
    Oddity::Truncated,
    Oddity::Empty,
    Oddity::Trailing,
    Oddity::ByteOrderMark,
    Oddity::CodePage,
    Oddity::KeyTwice,
    Oddity::PriceAsText,
    Oddity::PriceScale,
    Oddity::FloatArtefact,
    Oddity::TotalOff,
    Oddity::NoItems,
    Oddity::ZeroQuantity,
    Oddity::LongDescription,
    Oddity::ControlCharacters,
    Oddity::Emoji,
    Oddity::BadNumber,
    Oddity::WrongDepartment,
];

/// One way in which a file can be odd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// An earlier file of the terminal under another name.
    Repeat,
    /// The same receipt, written differently.
    RepeatReordered,
    /// The number of an earlier receipt with another basket.
    SameNumberOtherContent,
    /// The writer died in the middle.
    Truncated,
    /// Zero bytes.
    Empty,
    /// Something after the object.
    Trailing,
    /// A UTF-8 byte order mark before it.
    ByteOrderMark,
    /// `Ó` as one byte of Windows-1252.
    CodePage,
    /// `total` twice.
    KeyTwice,
    /// A price in quotes.
    PriceAsText,
    /// A price of three decimals.
    PriceScale,
    /// 0.30000000000000004.
    FloatArtefact,
    /// A total that is not that of the lines.
    TotalOff,
    /// An empty list.
    NoItems,
    /// A line of nothing.
    ZeroQuantity,
    /// 118 characters with curly quotes.
    LongDescription,
    /// A line break inside a description.
    ControlCharacters,
    /// A fish of U+1F41F.
    Emoji,
    /// A number that would climb out of the folder.
    BadNumber,
    /// Another terminal's department.
    WrongDepartment,
}

/// Deals out inputs, the same ones for the same seed (but for the time of day).
#[derive(Debug)]
pub struct Receipts {
    seed: u64,
    dealt: usize,
    next: u64,
    recent: VecDeque<Input>,
}

impl Receipts {
    /// Starts numbering and dealing at a place that depends on the seed.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            dealt: (seed as usize).wrapping_mul(131),
            // Room for a hundred thousand, so that two generators never give one number to two
            // receipts.
            next: (1 + seed % 1000) * 100_000,
            recent: VecDeque::new(),
        }
    }

    /// A good receipt of this terminal, now.
    pub fn good(&mut self, terminal: &str) -> Input {
        let (items, total, lines) = self.basket();
        let number = self.number();
        let department = department_of(terminal).unwrap_or("01");
        let bytes = written(&number, terminal, department, &items, &total, now());
        let input = self.input(terminal, &number, bytes.into_bytes(), Expect::Accepted, lines);
        self.recent.push_back(input.clone());
        if self.recent.len() > 200 {
            self.recent.pop_front();
        }
        input
    }

    /// An odd one. Repeats fall back to a good one while there is nothing to repeat.
    pub fn odd(&mut self, oddity: Oddity, terminal: &str) -> Input {
        use Expect::{Accepted, Held, Quarantined};
        let department = department_of(terminal).unwrap_or("01");
        let line = |description: &str, price: &str, quantity: &str| {
            format!(
                r#"[{{"barcode":"8400098844845","description":"{description}","price":{price},"quantity":{quantity}}}]"#
            )
        };
        let plain = |number: &str, items: &str, total: &str| written(number, terminal, department, items, total, now());
        let number = self.number();
        let make = |bytes: Vec<u8>, expect| self.input(terminal, &number, bytes, expect, 1);
        let salmon = line("SALMÓN AHUMADO", "12.90", "1");
        match oddity {
            Oddity::Repeat | Oddity::RepeatReordered | Oddity::SameNumberOtherContent => {
                self.again(oddity, terminal).unwrap_or_else(|| self.good(terminal))
            }
            Oddity::Truncated => {
                let mut bytes = plain(&number, &salmon, "12.90").into_bytes();
                bytes.truncate(90);
                make(bytes, Quarantined("TRUNCATED"))
            }
            Oddity::Empty => make(Vec::new(), Quarantined("EMPTY_FILE")),
            Oddity::Trailing => make((plain(&number, &salmon, "12.90") + "}").into(), Quarantined("TRAILING_DATA")),
            Oddity::ByteOrderMark => make(("\u{feff}".to_owned() + &plain(&number, &salmon, "12.90")).into(), Accepted),
            Oddity::CodePage => {
                let text = plain(&number, &salmon, "12.90");
                make(
                    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect(),
                    Quarantined("ENCODING"),
                )
            }
            Oddity::KeyTwice => {
                let text = plain(&number, &salmon, "12.90").replace(r#""total":"#, r#""total":1.00,"total":"#);
                make(text.into(), Quarantined("DUP_KEY"))
            }
            Oddity::PriceAsText => {
                make(plain(&number, &line("BOGAVANTE", "\"12,50\"", "1"), "12.50").into(), Quarantined("TYPE"))
            }
            Oddity::PriceScale => {
                make(plain(&number, &line("PERCEBES", "1.005", "1"), "1.01").into(), Quarantined("PRICE_SCALE"))
            }
            Oddity::FloatArtefact => {
                make(plain(&number, &line("LIMÓN", "0.30000000000000004", "1"), "0.30").into(), Accepted)
            }
            Oddity::TotalOff => make(plain(&number, &salmon, "11.90").into(), Held("TOTAL_MISMATCH")),
            Oddity::NoItems => make(plain(&number, "[]", "0.00").into(), Quarantined("NO_ITEMS")),
            Oddity::ZeroQuantity => {
                make(plain(&number, &line("RODABALLO", "21.50", "0"), "0.00").into(), Quarantined("ZERO_QUANTITY"))
            }
            Oddity::LongDescription => {
                let name = format!("“{}” …", "MERLUZA DE PINCHO ".repeat(7).trim_end());
                make(plain(&number, &line(&name, "18.40", "0.455"), "8.37").into(), Accepted)
            }
            Oddity::ControlCharacters => {
                make(plain(&number, &line("GAMBA\\r\\nROJA", "9.95", "1"), "9.95").into(), Accepted)
            }
            Oddity::Emoji => make(plain(&number, &line("LUBINA 🐟", "14.00", "1"), "14.00").into(), Accepted),
            Oddity::BadNumber => make(plain("../../x", &salmon, "12.90").into(), Quarantined("BAD_ID")),
            Oddity::WrongDepartment => {
                let other = if department == "01" { "02" } else { "01" };
                make(written(&number, terminal, other, &salmon, "12.90", now()).into(), Held("WRONG_DEPARTMENT"))
            }
        }
    }

    fn again(&mut self, oddity: Oddity, terminal: &str) -> Option<Input> {
        let first = self.recent.iter().find(|input| input.terminal == terminal)?.clone();
        let text = String::from_utf8_lossy(&first.bytes).into_owned();
        let (text, expect) = match oddity {
            Oddity::Repeat => (text, Expect::Duplicate),
            Oddity::RepeatReordered => {
                let (head, tail) = text.strip_suffix('}')?.rsplit_once(",\"timestamp\"")?;
                (format!("{{ \"timestamp\"{tail},\n  {}\n}}", head.strip_prefix('{')?), Expect::Duplicate)
            }
            _ => {
                let changed = text.replacen("\"description\":\"", "\"description\":\"OTRO ", 1);
                (changed, Expect::Held("DUP_CONFLICT"))
            }
        };
        // Each is used once: a second conflict of one number would only repeat the first.
        self.recent.retain(|input| input.name != first.name);
        Some(self.input(terminal, &first.number, text.into_bytes(), expect, first.lines))
    }

    fn basket(&mut self) -> (String, String, usize) {
        let basket = &BASKETS[self.dealt % BASKETS.len()];
        self.dealt += 1;
        (basket.items.to_owned(), basket.total.to_owned(), basket.lines())
    }

    fn number(&mut self) -> String {
        self.next += 1;
        self.next.to_string()
    }

    fn input(&self, terminal: &str, number: &str, bytes: Vec<u8>, expect: Expect, lines: usize) -> Input {
        // The counter makes the name unique, the seed keeps two generators of one store apart.
        let name = format!("{number}-{}-{}.json", self.seed, self.dealt_names());
        Input { terminal: terminal.to_owned(), name, bytes, number: number.to_owned(), expect, lines }
    }

    fn dealt_names(&self) -> u64 {
        use std::sync::atomic::{AtomicU64, Ordering};
        static NAMES: AtomicU64 = AtomicU64::new(0);
        NAMES.fetch_add(1, Ordering::Relaxed)
    }
}

fn now() -> DateTime<Utc> {
    Utc::now()
}

fn written(number: &str, terminal: &str, department: &str, items: &str, total: &str, at: DateTime<Utc>) -> String {
    let at = at.to_rfc3339_opts(SecondsFormat::Secs, true);
    format!(
        r#"{{"receiptId":"{number}","terminalId":"{terminal}","departmentCode":"{department}","items":{items},"total":{total},"timestamp":"{at}"}}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_of_good_receipts_never_repeat() {
        let mut receipts = Receipts::new(7);
        let all: Vec<_> = (0..5000).map(|i| receipts.good(&crate::store::terminal(i))).collect();
        let names: std::collections::HashSet<_> = all.iter().map(|input| &input.name).collect();
        let numbers: std::collections::HashSet<_> = all.iter().map(|input| &input.number).collect();
        assert_eq!((names.len(), numbers.len()), (5000, 5000));
    }

    #[test]
    fn good_receipts_are_json_with_the_terminals_own_department() {
        let mut receipts = Receipts::new(1);
        let input = receipts.good("T07");
        let value: serde_json::Value = serde_json::from_slice(&input.bytes).unwrap();
        assert_eq!(value["departmentCode"], "03");
        assert_eq!(value["receiptId"], input.number.as_str());
    }

    #[test]
    fn a_reordered_repeat_says_the_same() {
        let mut receipts = Receipts::new(1);
        let first = receipts.good("T07");
        let again = receipts.odd(Oddity::RepeatReordered, "T07");
        let parse = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
        assert_ne!(first.bytes, again.bytes);
        assert_eq!(parse(&first.bytes), parse(&again.bytes));
    }
}
