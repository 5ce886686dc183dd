//! What a terminal declares about its files. The defaults are the strictest; a terminal declares
//! only what it must.

use chrono_tz::Tz;
use unicode_normalization::UnicodeNormalization;

use super::Stamp;
use super::id::IdMap;
use crate::barcode::BarcodeRule;
use crate::encoding::Encoding;
use crate::json::{SettingsReader, Value};
use crate::problem::{Place, Problem};

/// What a terminal declares.
#[derive(Clone, Debug, PartialEq)]
pub struct Declaration {
    /// `encoding`: the code page of its files, when they are not UTF-8.
    pub encoding: Option<Encoding>,
    /// `decimal_comma`: numbers may be text with a decimal comma, `"12,50"`.
    pub decimal_comma: bool,
    /// `price_decimals`: how many decimals its unit prices have, 2 to 4.
    pub price_decimals: u32,
    /// `numeric_barcode`: barcodes may be JSON numbers.
    pub numeric_barcode: bool,
    /// `timezone`: the zone of its clock, when it is not its store's.
    pub timezone: Option<Tz>,
    /// The zone of its store, in which the canonical form has its time. Nobody declares it: it is
    /// the store's to say.
    pub store_zone: Option<Tz>,
    /// `ignore_keys`: members that are left out of the canonical form, wherever they stand, sorted
    /// and in NFC.
    pub ignore_keys: Vec<String>,
    /// `id_map`: what stands in a file's name for blanks and slashes of its numbers.
    pub id_map: IdMap,
    /// `terminal`: the `terminalId` that its receipts must have.
    pub terminal: Option<String>,
    /// `department`: the `departmentCode` that its receipts must have.
    pub department: Option<String>,
    /// `barcode_rules`: what its scale labels mean.
    pub barcode_rules: Vec<BarcodeRule>,
    /// `total_tolerance_cents`: cents by which a printed total may be off beyond the rounding of
    /// weighed lines.
    pub total_tolerance_cents: u32,
}

impl Default for Declaration {
    fn default() -> Self {
        Self {
            encoding: None,
            decimal_comma: false,
            price_decimals: 2,
            numeric_barcode: false,
            timezone: None,
            store_zone: None,
            ignore_keys: Vec::new(),
            id_map: IdMap::default(),
            terminal: None,
            department: None,
            barcode_rules: Vec::new(),
            total_tolerance_cents: 0,
        }
    }
}

impl Declaration {
    /// Reads a declaration; a key that is not given, or `null`, has its default.
    ///
    /// # Errors
    /// Every fault, unknown keys among them, as `TERMINAL_CONFIG` with its pointer.
    pub fn from_json(declaration: &Value) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut d = SettingsReader::new(declaration, Place::Root, "TERMINAL_CONFIG", &mut problems);
        let pages = "this must be utf-8, windows-1252, iso-8859-15, cp850 or cp858";
        let terminal = Self {
            encoding: d.parsed("encoding", pages, Encoding::from_label),
            decimal_comma: d.yes("decimal_comma"),
            price_decimals: d.whole("price_decimals", 2..=4).unwrap_or(2),
            numeric_barcode: d.yes("numeric_barcode"),
            timezone: d.parsed("timezone", "this must be a zone such as Europe/Madrid", |name| name.parse().ok()),
            store_zone: None,
            ignore_keys: d.texts("ignore_keys", CANNOT_BE_IGNORED, ignorable),
            id_map: d.object("id_map", IdMap::read).unwrap_or_default(),
            terminal: d.text("terminal").map(str::to_owned),
            department: d.text("department").map(str::to_owned),
            barcode_rules: d.each("barcode_rules", BarcodeRule::read),
            total_tolerance_cents: d.whole("total_tolerance_cents", 0..=100_000).unwrap_or(0),
        };
        d.finish();
        if problems.is_empty() { Ok(terminal) } else { Err(problems) }
    }

    /// Whether a member of this name is left out of the canonical form.
    pub(super) fn ignores(&self, key: &str) -> bool {
        self.ignore_keys.iter().any(|ignored| ignored == key || (!key.is_ascii() && key.nfc().eq(ignored.chars())))
    }

    /// A printed time in its one form: the store's wall clock with its offset, where the zones are
    /// known.
    pub(super) fn in_one_form(&self, printed: Stamp) -> Stamp {
        let store = self.store_zone.or(self.timezone);
        store.map_or(printed, |store| printed.in_zones(self.timezone.unwrap_or(store), store))
    }
}

/// The members that make a receipt. Nobody can have them ignored, nor what differs from them only
/// in case or by a NUL.
const KNOWN: [&str; 12] = [
    "receiptId",
    "terminalId",
    "departmentCode",
    "series",
    "items",
    "total",
    "timestamp",
    "barcode",
    "description",
    "price",
    "quantity",
    "taxRate",
];

const CANNOT_BE_IGNORED: &str = "this must be the name of a member that is none of those that make a receipt";

fn ignorable(key: &str) -> Option<String> {
    let letters: String = key.nfc().filter(|c| *c != '\0').collect();
    let known = KNOWN.iter().any(|known| known.eq_ignore_ascii_case(&letters));
    (!known && !letters.is_empty()).then(|| key.nfc().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn read(text: &str) -> Result<Declaration, Vec<(&'static str, String)>> {
        let faults = |problems: Vec<Problem>| problems.into_iter().map(|p| (p.code, p.pointer)).collect();
        Declaration::from_json(&json::read(text, 8).unwrap()).map_err(faults)
    }

    #[test]
    fn nothing_declared_is_the_strict_default() {
        assert_eq!(read("{}"), Ok(Declaration::default()));
        assert_eq!(read(r#"{"encoding": null, "barcode_rules": []}"#), Ok(Declaration::default()));
    }

    #[test]
    fn every_key_is_read() {
        let terminal = read(
            r#"{"encoding": "CP1252", "decimal_comma": true, "price_decimals": 4, "numeric_barcode": true,
                "timezone": "Atlantic/Canary", "ignore_keys": ["sentAt", "attempt"], "id_map": {"/": "-"}, "terminal": "T04", "department": "04", "total_tolerance_cents": 5,
                "barcode_rules": [{"prefix": "21", "length": 13, "kind": "ticket"}]}"#,
        )
        .unwrap();
        assert_eq!(terminal.encoding, Some(Encoding::Windows1252));
        assert_eq!((terminal.price_decimals, terminal.total_tolerance_cents), (4, 5));
        assert!(terminal.decimal_comma && terminal.numeric_barcode);
        assert_eq!(terminal.timezone, Some(Tz::Atlantic__Canary));
        assert_eq!(terminal.ignore_keys, ["attempt", "sentAt"]);
        assert_eq!((terminal.id_map.blank, terminal.id_map.slash.as_deref()), (None, Some("-")));
        assert_eq!((terminal.terminal.as_deref(), terminal.department.as_deref()), (Some("T04"), Some("04")));
        assert_eq!(terminal.barcode_rules.len(), 1);
    }

    #[test]
    fn every_fault_of_a_declaration_is_told_with_its_place() {
        let faults = read(
            r#"{"encoding": "ebcdic", "decimal_comma": "yes", "price_decimals": 5, "timezone": "Madrid", "terminal": "",
                "total_tolerance_cents": -1, "barcode_rules": [{"prefix": "21", "length": 13, "kind": "gift"}], "color": 1,
                "ignore_keys": ["attempt", "Total", "price", "total\u0000", "", 1],
                "id_map": {" ": "a/b", "/": 1, "?": "-"}, "store_zone": "Europe/Madrid"}"#,
        )
        .unwrap_err();
        let pointers: Vec<_> = faults.iter().map(|(_, pointer)| pointer.as_str()).collect();
        assert_eq!(
            pointers,
            [
                "/encoding",
                "/decimal_comma",
                "/price_decimals",
                "/timezone",
                "/ignore_keys/1",
                "/ignore_keys/2",
                "/ignore_keys/3",
                "/ignore_keys/4",
                "/ignore_keys/5",
                "/id_map/ ",
                "/id_map/~1",
                "/id_map/?",
                "/terminal",
                "/barcode_rules/0/kind",
                "/total_tolerance_cents",
                "/color",
                "/store_zone"
            ]
        );
        assert!(faults.iter().all(|(code, _)| *code == "TERMINAL_CONFIG"));
        assert_eq!(read("[]"), Err(vec![("TERMINAL_CONFIG", String::new())]));
    }
}
