//! `tpv.dat_…`: the fixed-width `.dat` of a receipt, and the check of the profile that lays it out.

use std::cell::RefCell;
use std::rc::Rc;

use pgrx::datum::Date;
use pgrx::prelude::*;
use tpv_core::dat::{self, Profile};
use tpv_core::problem::Problem;

use crate::postgres::{JsonbText, Refusal, calendar_day};

/// The bytes of the receipt's `.dat`, in the profile's encoding.
///
/// The receipt is taken as it is. Members `localTimestamp` (the store's wall clock) and
/// `businessDate` go before `timestamp` where a profile asks for a date; without them the time that
/// the terminal printed is shown.
///
/// # Errors
/// `22023` for a profile that cannot be used, its faults in the detail. For a receipt that the
/// profile cannot show: `22001` (does not fit, or has more decimals), `22004` (lacks a value),
/// `22007` (no date), `22023` (a negative number without a sign rule, a value of the wrong type, an
/// unsafe name).
#[pg_extern(immutable, strict, parallel_safe)]
pub fn dat_render(profile: JsonbText, receipt: JsonbText) -> Vec<u8> {
    render(profile, &receipt).unwrap_or_else(|refusal| refusal.raise())
}

/// Folder and name under which the receipt's `.dat` is published on that day:
/// `20260701/scon0401234.dat`.
///
/// # Errors
/// As [`dat_render`], and `22008` for a day outside of the calendar.
#[pg_extern(immutable, strict, parallel_safe)]
pub fn dat_path(profile: JsonbText, receipt: JsonbText, published_on: Date) -> String {
    path(profile, &receipt, published_on).unwrap_or_else(|refusal| refusal.raise())
}

/// All that is wrong with a profile, one row per fault; no row when it is sound.
///
/// The detail of what is merely unwise begins with `warning: ` (codes `FILE_NAME_COLLIDES`,
/// `PAD_READS_AS_DIGIT`): a profile that has only such rows can be used.
#[pg_extern(immutable, strict, parallel_safe)]
pub fn dat_profile_check(
    profile: JsonbText,
) -> TableIterator<'static, (name!(pointer, String), name!(code, String), name!(detail, String))> {
    let problems = match profile.read() {
        Ok(tree) => dat::check(&tree),
        Err(error) => vec![Problem::new("TOO_DEEP", error.pointer, error.kind.to_string())],
    };
    TableIterator::new(problems.into_iter().map(|problem| {
        let detail = if dat::is_warning(&problem) { format!("warning: {}", problem.detail) } else { problem.detail };
        (problem.pointer, problem.code.to_owned(), detail)
    }))
}

fn render(profile: JsonbText, receipt: &JsonbText) -> Result<Vec<u8>, Refusal> {
    Ok(dat::render(&*parsed(profile)?, &receipt.read_as("the receipt")?)?.bytes)
}

fn path(profile: JsonbText, receipt: &JsonbText, published_on: Date) -> Result<String, Refusal> {
    let day = calendar_day(published_on)?;
    let (folder, name) = dat::folder_and_name(&*parsed(profile)?, &receipt.read_as("the receipt")?, day)?;
    Ok(format!("{folder}/{name}"))
}

thread_local! {
    /// The profile that was used last in this session, by its text: a query over receipts repeats
    /// one.
    static LAST: RefCell<Option<(JsonbText, Rc<Profile>)>> = const { RefCell::new(None) };
}

/// The profile that a `jsonb` describes.
///
/// # Errors
/// `22023` with all its faults in the detail.
pub fn parsed(profile: JsonbText) -> Result<Rc<Profile>, Refusal> {
    let last = LAST.with_borrow(|last| last.as_ref().filter(|(text, _)| *text == profile).map(|(_, p)| Rc::clone(p)));
    if let Some(last) = last {
        return Ok(last);
    }
    let tree = profile.read_as("the .dat profile")?;
    let read = Profile::from_json(&tree).map_err(|faults| {
        Refusal::faulty("the .dat profile cannot be used", &faults).hint("List its faults with tpv.dat_profile_check.")
    })?;
    let read = Rc::new(read);
    LAST.set(Some((profile, Rc::clone(&read))));
    Ok(read)
}

extension_sql!(
    r#"
comment on function dat_render(jsonb, jsonb) is
    'The bytes of a receipt''s .dat under a profile. Raises 22023 for a bad profile, 22001 for a value that does not '
    'fit, 22004 for one that is missing, 22007 for a bad date.';
comment on function dat_path(jsonb, jsonb, date) is
    'Folder and name, with a slash between, under which a receipt''s .dat is published on that day.';
comment on function dat_profile_check(jsonb) is
    'What is wrong with a .dat profile, one row per fault. A detail that begins with "warning: " is merely unwise: '
    'a profile with only such rows can be used.';
"#,
    name = "dat_comments",
    requires = [dat_render, dat_path, dat_profile_check]
);
