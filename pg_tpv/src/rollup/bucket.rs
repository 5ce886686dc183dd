//! What is summed up together.

use chrono::NaiveDate;

use crate::postgres::sql;

/// A business day of a department of a store.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bucket {
    pub node_id: i32,
    pub date: NaiveDate,
    pub department: String,
}

impl Bucket {
    pub fn args(&self) -> [sql::Arg<'_>; 3] {
        [self.node_id.into(), sql::date(self.date).into(), self.department.as_str().into()]
    }
}
