use thiserror::Error;

use crate::json::JsonError;
use crate::problem::Place;

/// Why an operation or a rule cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MergeFault {
    /// The text is not JSON.
    #[error("the {part} of an operation or a policy is not JSON")]
    Json {
        /// `patch`, `base` or `rule`.
        part: &'static str,
        /// What is wrong with it.
        source: JsonError,
    },
    /// The key is not written as a uuid is.
    #[error("the key of a row is a uuid in lower case, with hyphens")]
    Key,
    /// The patch is JSON, but no patch.
    #[error("in the patch of an operation: {detail}")]
    Patch {
        /// JSON pointer into the patch.
        pointer: String,
        /// What is expected.
        detail: &'static str,
    },
    /// The base is JSON, but no base.
    #[error("in the base of an operation: {detail}")]
    Base {
        /// JSON pointer into the base.
        pointer: String,
        /// What is expected.
        detail: &'static str,
    },
    /// The rule of a policy is none of those that there are.
    #[error("in the rule of a policy: {detail}")]
    Rule {
        /// JSON pointer into the rule; empty for the whole.
        pointer: String,
        /// What is expected, with the accepted values.
        detail: String,
    },
}

impl MergeFault {
    /// The stable code: `OPERATION_BASE`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Json { part: "rule", .. } | Self::Rule { .. } => "POLICY_RULE",
            Self::Json { .. } => "OPERATION_JSON",
            Self::Key => "OPERATION_KEY",
            Self::Patch { .. } => "OPERATION_PATCH",
            Self::Base { .. } => "OPERATION_BASE",
        }
    }

    /// The SQLSTATE it is raised with.
    pub fn sqlstate(&self) -> &'static str {
        match self {
            Self::Json { .. } => "22032",
            Self::Key | Self::Patch { .. } | Self::Base { .. } | Self::Rule { .. } => "22023",
        }
    }

    pub(super) fn patch(place: &Place<'_>, detail: &'static str) -> Self {
        Self::Patch { pointer: place.pointer(), detail }
    }

    pub(super) fn base(place: &Place<'_>, detail: &'static str) -> Self {
        Self::Base { pointer: place.pointer(), detail }
    }

    pub(super) fn rule(place: &Place<'_>, detail: impl Into<String>) -> Self {
        Self::Rule { pointer: place.pointer(), detail: detail.into() }
    }
}
