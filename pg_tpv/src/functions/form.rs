//! `tpv.form_faults`: what is wrong with the form of a request.

use pgrx::prelude::*;
use tpv_core::form::Form;
use tpv_core::json::Value;

use crate::postgres::{JsonbText, Refusal};

/// All that is wrong with the form of a request, as an array of `{pointer, code, detail}`. `members`
/// says what it may have: `receipt_id uuid!; why why!; file_name file`.
///
/// # Errors
/// `22023` for members that cannot be read.
#[pg_extern(immutable, parallel_safe)]
pub fn form_faults(request: Option<JsonbText>, members: &str) -> JsonbText {
    checked(request, members).unwrap_or_else(|refusal| refusal.raise())
}

fn checked(request: Option<JsonbText>, members: &str) -> Result<JsonbText, Refusal> {
    let form = Form::read(members).map_err(|part| {
        Refusal::new(PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE, format!("no member of a request: {part}"))
    })?;
    let request = request.map_or(Ok(Value::Null), |request| request.read_as("the request"))?;
    let text = |text: &str| Value::String(text.to_owned());
    let faults = form.faults(&request).into_iter().map(|(pointer, fault)| {
        Value::Object(vec![
            ("pointer".to_owned(), Value::String(pointer)),
            ("code".to_owned(), text(fault.code())),
            ("detail".to_owned(), text(fault.detail())),
        ])
    });
    Ok(JsonbText::from(Value::Array(faults.collect())))
}

extension_sql!(
    r#"
comment on function form_faults(jsonb, text) is
    'All that is wrong with the form of a request: members that it lacks, that nobody knows, that are no such thing as they should be. The members are said in one line: receipt_id uuid!; why why!; file_name file.';
"#,
    name = "form_comments",
    requires = [form_faults]
);
