use thiserror::Error;

/// Why a receipt has no `.dat` under a profile.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{detail}")]
pub struct RenderError {
    /// The case.
    pub kind: RenderErrorKind,
    /// JSON pointer into the receipt: `/items/0/price`.
    pub pointer: String,
    /// One sentence for people; it never repeats a value of the receipt.
    pub detail: String,
}

/// The cases of [`RenderError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenderErrorKind {
    /// The value does not fit the field's bytes.
    FieldOverflow,
    /// The number has more decimals than the field, and rounding is not the rule.
    QuantityScale,
    /// The number is negative and the profile says nothing of signs.
    SignUndefined,
    /// The receipt lacks what the field shows.
    MissingField,
    /// The value is not of a kind that the field can show.
    WrongType,
    /// The text is not a date, or has no time where one is asked for.
    BadDate,
    /// The name would not be a safe single component of a path.
    BadName,
}

impl RenderErrorKind {
    /// The stable code: `FIELD_OVERFLOW`.
    pub fn code(self) -> &'static str {
        match self {
            Self::FieldOverflow => "FIELD_OVERFLOW",
            Self::QuantityScale => "QUANTITY_SCALE",
            Self::SignUndefined => "SIGN_UNDEFINED",
            Self::MissingField => "MISSING_FIELD",
            Self::WrongType => "WRONG_TYPE",
            Self::BadDate => "BAD_DATE",
            Self::BadName => "BAD_NAME",
        }
    }

    /// The SQLSTATE it is raised with.
    pub fn sqlstate(self) -> &'static str {
        match self {
            Self::FieldOverflow | Self::QuantityScale => "22001",
            Self::SignUndefined | Self::WrongType | Self::BadName => "22023",
            Self::MissingField => "22004",
            Self::BadDate => "22007",
        }
    }
}

impl RenderError {
    /// A refusal whose place is not known yet.
    pub(super) fn new(kind: RenderErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, pointer: String::new(), detail: detail.into() }
    }

    /// The same, at `pointer`.
    pub(super) fn at(self, pointer: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), ..self }
    }

    /// The stable code: `FIELD_OVERFLOW`.
    pub fn code(&self) -> &'static str {
        self.kind.code()
    }

    /// The SQLSTATE it is raised with.
    pub fn sqlstate(&self) -> &'static str {
        self.kind.sqlstate()
    }
}
