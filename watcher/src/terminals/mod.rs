//! What is known of the terminals, apart from the work that is done for them.
//!
//! | file | does |
//! | --- | --- |
//! | `terminal` | is one terminal as the others know it |
//! | `map` | finds a terminal by its code |
//! | `actions` | keeps what operators decided about a terminal's `.dat` files, until the disk shows it |

pub mod actions;
pub mod map;
pub mod terminal;
