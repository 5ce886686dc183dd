//! What is known of the terminals, apart from the work that is done for them.
//!
//! | file | does |
//! | --- | --- |
//! | `terminal` | is one terminal as the others know it |

pub mod terminal;
