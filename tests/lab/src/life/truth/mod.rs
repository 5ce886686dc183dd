//! The true figures: what the roll-ups of a node have to say once everything that happened is in
//! them. Worked out from events alone, in integers, and not by any line of the product.
//!
//! | file | has |
//! | --- | --- |
//! | `ledger` | what has become of each ticket, given what has happened so far |
//! | `figures` | the tables, as sums that can be added up |
//! | `sum` | from tickets to figures |
//! | `compare` | a node's tables beside the figures |
//! | `waits` | how long files waited, by the node's own receipts |

mod compare;
mod figures;
mod ledger;
mod sum;
mod waits;

pub use compare::{Difference, differences, report};
pub use figures::{Amounts, Bucket, Figures, Hour, ItemDay, ItemSeen, TaxDay, TerminalDay};
pub use ledger::{Booked, State, Truth};
pub use waits::waits;
