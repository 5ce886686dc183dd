//! The fixed-width `.dat` file: a profile (data, checked once) and a receipt give bytes and a name.
//!
//! The layout is JSON that a person writes. [`Profile::from_json`] turns it into types that cannot
//! be wrong any more, or lists every fault. [`render`] and [`folder_and_name`] are pure, and refuse
//! a receipt rather than write a wrong digit.

mod check;
mod collision;
mod date;
mod field;
mod kind;
mod number;
mod options;
mod path;
mod profile;
mod render;
mod render_error;
mod slot;
mod source;
mod template;
#[cfg(test)]
mod tests;
mod text;

pub use check::{check, is_warning};
pub use path::{folder_and_name, trigger_name};
pub use profile::Profile;
pub use render::render;
pub use render_error::{RenderError, RenderErrorKind};
