use chrono::NaiveDate;

use super::profile::{Profile, Trigger};
use super::render_error::RenderError;
use super::source::Ticket;
use crate::json::Value;

/// The folder and the name under which the receipt's `.dat` is published on that day.
///
/// # Errors
/// `MISSING_FIELD`, `WRONG_TYPE`, `BAD_DATE`, `FIELD_OVERFLOW` (a fixed width) and `BAD_NAME`.
pub fn folder_and_name(
    profile: &Profile,
    receipt: &Value,
    published_on: NaiveDate,
) -> Result<(String, String), RenderError> {
    let ticket = Ticket::without_lines(receipt)?;
    Ok((profile.folder.render(&ticket, published_on)?, profile.file_name.render(&ticket, published_on)?))
}

/// The name of the empty file that follows a `.dat` of this name, if the profile wants one.
pub fn trigger_name(profile: &Profile, dat_name: &str) -> Option<String> {
    match profile.trigger.as_ref()? {
        Trigger::Ok => Some(format!("{dat_name}.ok")),
        // Only the template's own extension is one: a point inside a receipt's number is not.
        Trigger::Extension(extension) => {
            let own = profile.file_name.extension();
            let stem = own.and_then(|own| dat_name.strip_suffix(own)).filter(|stem| !stem.is_empty());
            Some(format!("{}{extension}", stem.unwrap_or(dat_name)))
        }
    }
}
