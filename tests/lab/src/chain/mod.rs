//! The chain of stores: the plans by which they join, the lines between them, and a joined chain
//! for one test.

mod joined;
mod line;
mod plan;

pub use joined::Chain;
pub use line::{Line, Way};
pub use plan::{Plan, bring_back, compare, conninfo, register_central};
