//! PostgreSQL as the rest of this crate uses it: statements, subtransactions, errors, `jsonb`.
//!
//! | file | has |
//! | --- | --- |
//! | `sql` | statements of our own, planned once in a session, and values for them |
//! | `subtransaction` | work that is undone when its data are at fault |
//! | `refusal` | an error with its SQLSTATE, detail and hint |
//! | `jsonb` | `jsonb` as text |
//! | `bulk` | rows into a table without a statement |
//! | `background` | transactions of a background worker |
//! | `memory` | gives memory back after a large row |
//! | `primary_key` | is the row there already? |

pub mod background;
pub mod bulk;
mod jsonb;
pub mod memory;
pub mod primary_key;
mod refusal;
pub mod sql;
mod subtransaction;

pub use jsonb::JsonbText;
pub use refusal::Refusal;
pub use sql::calendar_day;
pub use subtransaction::{DataFault, attempt, attempt_whatever, sqlstate_of, within};
