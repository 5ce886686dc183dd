//! The life of a chain, out of a seed: its stores, what they sell, every file that a terminal drops
//! and every decision of a person, and the true figures of all that.
//!
//! No disk, no server and no clock: the same seed and plan tell the same life, byte by byte. What is
//! true is worked out from the events alone, in integers, without a line of the product.
//!
//! | file | has |
//! | --- | --- |
//! | `plan` | how large a life is, and how often what goes wrong in it |
//! | `words`, `goods` | Spanish names of places and goods |
//! | `barcode`, `zone`, `money` | check digits, the wall clock of Spain, cents |
//! | `catalog` | products, codes, prices, taxes and their rates by day |
//! | `place` | stores, departments, terminals |
//! | `chain` | `Life` itself: how many tickets each terminal prints on each day |
//! | `trade`, `basket`, `fate` | the tickets of a terminal's day: what is bought, and what becomes of it |
//! | `ticket`, `file` | a ticket, and the bytes that a terminal writes |
//! | `event` | everything in order of time |
//! | `truth` | the figures, from events |
//! | `play` | tells a life to real nodes |

mod barcode;
mod basket;
mod catalog;
mod chain;
mod event;
mod fate;
mod file;
mod goods;
mod money;
mod place;
mod plan;
pub mod play;
#[cfg(test)]
mod tests;
mod ticket;
mod trade;
pub mod truth;
mod words;
mod zone;

pub use catalog::{Catalog, Code, Product, Tax};
pub use chain::Life;
pub use event::{Event, File, What};
pub use money::{cents_text, line_cents, milli_text, rate_text};
pub use place::{Department, Prints, Stamps, Store, Terminal};
pub use plan::{Chances, Plan};
pub use ticket::{Decision, Fate, Line, Ticket, TicketKey};
pub use zone::Zone;
