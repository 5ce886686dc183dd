//! From the bytes of a terminal's file to a receipt, or to the reason why it is none; and from the
//! documents about a receipt to its state.
//!
//! `parse` is a pure function of the bytes, of what the terminal declares and of the limits. It
//! decides about one file alone: what needs other receipts, the store's clock or a `.dat` profile
//! is decided elsewhere.
//!
//! | file | decides |
//! | --- | --- |
//! | `parse` | the way from bytes to a verdict, and the faults of the file as a whole |
//! | `canonical` | NFC, plain numbers, sorted keys, no ignored ones: what is stored and hashed |
//! | `source` | whether a text is a file or a body that was stored |
//! | `header` | the members of the receipt, which are required, and `EXTRA_FIELDS` |
//! | `line` | the members of a line, and every flag about a barcode or a price |
//! | `member` | what holds for members of either |
//! | `amount` | which numbers are money, quantities and rates; `FLOAT_ARTEFACT` |
//! | `total` | the product of a line, and whether the printed total agrees |
//! | `id`, `stamp` | what an identifier and a timestamp may look like; the one form of an instant |
//! | `stored` | nothing: it reads quickly what was stored |
//! | `finding` | which codes quarantine and which hold |
//! | `declaration` | what a terminal may declare about its files |
//! | `body` | the bodies of other documents about a receipt |
//! | `state` | what counts, given all documents about a receipt |

mod amount;
mod body;
mod canonical;
mod declaration;
mod finding;
mod header;
mod id;
mod line;
mod member;
mod parse;
mod source;
mod stamp;
mod state;
mod stored;
mod total;

use rust_decimal::Decimal;

pub use crate::json::Limits;
use crate::{json::Value, problem::Problem};
pub use body::{Hold, Intake, reason};
pub use declaration::Declaration;
pub use finding::Outcome;
pub use id::{IdMap, is_id, is_name};
pub use parse::parse;
pub use stamp::Stamp;
pub use state::{ReceiptState, State, fold};

/// What was decided about a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Whether it is a receipt, and whether a person must look first.
    pub outcome: Outcome,
    /// The receipt; none when quarantined.
    pub receipt: Option<Receipt>,
    /// Its time as it was printed, before it had its one form; none when quarantined.
    pub printed: Option<Stamp>,
    /// The canonical form as a tree; none when quarantined.
    pub canonical: Option<Value>,
    /// The canonical form as it is stored; none when quarantined.
    pub body: Option<String>,
    /// SHA-256 of `body`.
    pub content_hash: Option<[u8; 32]>,
    /// What is odd and does not stop it; sorted, each once, none when quarantined.
    pub flags: Vec<&'static str>,
    /// Why it is held or quarantined, the most important first, at most 20.
    pub problems: Vec<Problem>,
}

impl Verdict {
    /// Whether a stored receipt has this content, by its hash. Should the canonical form ever
    /// change, a receipt that was stored in an older form is compared with the hash that this one
    /// has in that form: here, and nowhere else.
    pub fn says(&self, stored: &[u8; 32]) -> bool {
        self.content_hash.as_ref() == Some(stored)
    }

    /// The verdict on a file that is no usable receipt.
    pub fn quarantined(problems: Vec<Problem>) -> Self {
        Self {
            outcome: Outcome::Quarantined,
            receipt: None,
            printed: None,
            canonical: None,
            body: None,
            content_hash: None,
            flags: Vec::new(),
            problems,
        }
    }
}

/// A receipt as a terminal printed it. Texts are NFC and otherwise untouched: they may hold
/// controls, also NUL.
#[derive(Clone, Debug, PartialEq)]
pub struct Receipt {
    /// `terminalId`.
    pub terminal_id: String,
    /// `departmentCode`.
    pub department_code: String,
    /// `receiptId`, as printed.
    pub receipt_id: String,
    /// `series`, empty when there is none.
    pub series: String,
    /// `timestamp` as it is stored: the store's wall clock and its offset. What the terminal wrote
    /// is in its file.
    pub timestamp_text: String,
    /// The same, read.
    pub timestamp: Stamp,
    /// The lines in their order; at least one.
    pub items: Vec<Line>,
    /// The printed total, which is what the customer saw.
    pub total: Decimal,
    /// The sum of the lines.
    pub lines_total: Decimal,
    /// `total - lines_total`.
    pub total_difference: Decimal,
}

/// One line of a receipt.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// As it was given.
    pub barcode: String,
    /// Its canonical form, when it is a GTIN with a right check digit.
    pub gtin14: Option<String>,
    /// In full.
    pub description: String,
    /// The unit price, tax included.
    pub price: Decimal,
    /// Pieces, or kilograms and the like; negative for what is taken back, never zero.
    pub quantity: Decimal,
    /// Percent, 0 to 100.
    pub tax_rate: Option<Decimal>,
    /// `price × quantity`, rounded half away from zero to cents.
    pub total: Decimal,
}

impl Receipt {
    /// Reads a stored body again. It was judged when it came, so what its terminal declares does
    /// not matter any more.
    ///
    /// # Errors
    /// The problems, when `body` is not a receipt.
    pub fn from_body(body: &str) -> Result<Self, Vec<Problem>> {
        let declaration = Declaration { price_decimals: 4, ..Declaration::default() };
        stored::read(body, &declaration).map_or_else(|| Self::by_judgement(body), Ok)
    }

    fn by_judgement(body: &str) -> Result<Self, Vec<Problem>> {
        let declaration = Declaration { price_decimals: 4, ..Declaration::default() };
        let limits = Limits { max_bytes: usize::MAX, max_depth: usize::MAX, max_lines: usize::MAX };
        parse::read_body(body, &declaration, &limits)
    }

    /// Whether every line is taken back.
    pub fn wholly_negative(&self) -> bool {
        self.items.iter().all(|line| line.quantity.is_sign_negative())
    }

    /// Whether this receipt undoes `other`: the same lines in any order with opposite quantities,
    /// and the opposite total.
    pub fn is_twin_of(&self, other: &Self) -> bool {
        fn lines<'r>(receipt: &'r Receipt, sign: Decimal) -> Vec<(&'r str, Decimal, Decimal)> {
            let line = |line: &'r Line| (line.barcode.as_str(), line.price, line.quantity * sign);
            let mut lines: Vec<_> = receipt.items.iter().map(line).collect();
            lines.sort_unstable();
            lines
        }
        self.total == -other.total && lines(self, Decimal::ONE) == lines(other, Decimal::NEGATIVE_ONE)
    }
}
