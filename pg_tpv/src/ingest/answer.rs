//! What the caller is told about each file.

use tpv_core::intake::Dat;
use tpv_core::problem::Problem;
use tpv_core::receipt::Hold;
use uuid::Uuid;

use crate::postgres::sql;

/// One row of the answer.
#[derive(Debug, Default)]
pub struct Answer {
    pub outcome: &'static str,
    pub receipt_id: Option<Uuid>,
    pub dat: Option<Dat>,
    pub first_outcome: Option<String>,
    pub flags: Vec<String>,
    pub reason: Option<Hold>,
}

/// The columns of `tpv.ingest_files`.
pub type Columns = (
    i32,
    String,
    Option<pgrx::Uuid>,
    Option<String>,
    Option<String>,
    Option<Vec<u8>>,
    Option<String>,
    Option<String>,
    Vec<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

impl Answer {
    /// The answer about a file that is no receipt.
    pub fn quarantined(problem: &Problem) -> Self {
        Self { outcome: "quarantined", reason: Some(problem.into()), ..Self::default() }
    }

    /// As a row.
    pub fn row(self, position: i32) -> Columns {
        let (folder, name, bytes, trigger) = match self.dat {
            Some(dat) => (Some(dat.folder), Some(dat.name), Some(dat.bytes), dat.trigger_name),
            None => (None, None, None, None),
        };
        let (code, pointer, detail) = match self.reason {
            Some(reason) => (Some(reason.code), Some(reason.pointer), Some(reason.detail)),
            None => (None, None, None),
        };
        let (receipt, outcome) = (self.receipt_id.map(sql::uuid), self.outcome.to_owned());
        (
            position,
            outcome,
            receipt,
            folder,
            name,
            bytes,
            trigger,
            self.first_outcome,
            self.flags,
            code,
            pointer,
            detail,
        )
    }
}
