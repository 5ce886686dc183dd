//! The types of fields and the options that each takes.

/// What a field shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FieldKind {
    Text,
    Integer,
    Price,
    Quantity,
    Date,
    Time,
    Constant,
    Counter,
    Filler,
}

pub(super) const KINDS: [(&str, FieldKind); 9] = [
    ("text", FieldKind::Text),
    ("integer", FieldKind::Integer),
    ("price", FieldKind::Price),
    ("quantity", FieldKind::Quantity),
    ("date", FieldKind::Date),
    ("time", FieldKind::Time),
    ("constant", FieldKind::Constant),
    ("counter", FieldKind::Counter),
    ("filler", FieldKind::Filler),
];

/// Every option that some type takes.
pub(super) const KEYS: [&str; 15] = [
    "name",
    "source",
    "type",
    "length",
    "align",
    "pad",
    "format",
    "decimals",
    "sign",
    "sign_positive",
    "sign_negative",
    "overflow",
    "missing",
    "case",
    "value",
];

impl FieldKind {
    pub(super) fn name(self) -> &'static str {
        KINDS.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// Whether a field of this type has that option.
    pub(super) fn takes(self, key: &str) -> bool {
        let shown = !matches!(self, Self::Constant | Self::Counter | Self::Filler);
        match key {
            "name" | "type" | "length" | "pad" => true,
            "align" => self != Self::Filler,
            "source" | "missing" => shown,
            "overflow" => shown || self == Self::Counter,
            "case" => self == Self::Text,
            "format" => matches!(self, Self::Date | Self::Time),
            "decimals" => matches!(self, Self::Price | Self::Quantity),
            "sign" | "sign_positive" | "sign_negative" => matches!(self, Self::Price | Self::Quantity | Self::Integer),
            "value" => self == Self::Constant,
            _ => false,
        }
    }
}
