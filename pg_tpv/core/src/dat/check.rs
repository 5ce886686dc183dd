//! A profile from its JSON: every fault and every warning at once.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization;

use super::collision::collisions;
use super::field::{self, Section};
use super::options::Options;
use super::profile::{Profile, Record, Trigger};
use super::template::Template;
use super::text::{Scribe, Transliteration, is_control};
use crate::encoding::Encoding;
use crate::json::Value;
use crate::problem::Problem;

/// Above what any reader of fixed width takes, and low enough that 2,000 lines stay a file.
const MAX_FIELDS: usize = 200;
const MAX_RECORD: usize = 10_000;

const KEYS: [&str; 12] = [
    "fields",
    "header",
    "line",
    "total",
    "encoding",
    "transliterate",
    "line_end",
    "trailing_line_end",
    "eof_1a",
    "file_name",
    "folder",
    "trigger_file",
];

const ENCODINGS: &str = "windows-1252, iso-8859-15, cp850, cp858, utf-8";

/// Codes of [`check`] that do not stop a profile from being used.
const WARNINGS: [&str; 2] = ["FILE_NAME_COLLIDES", "PAD_READS_AS_DIGIT"];

/// All that is wrong with a profile, and what is merely unwise; [`is_warning`] tells them apart.
pub fn check(json: &Value) -> Vec<Problem> {
    read(json).1
}

/// Whether a problem that [`check`] found is only a warning.
pub fn is_warning(problem: &Problem) -> bool {
    WARNINGS.contains(&problem.code)
}

impl Profile {
    /// Reads a profile, or lists every fault that [`check`] finds; warnings do not stand in the
    /// way.
    ///
    /// # Errors
    /// All faults at once, each with its JSON pointer and the accepted values.
    pub fn from_json(json: &Value) -> Result<Self, Vec<Problem>> {
        let (profile, problems) = read(json);
        let faults: Vec<_> = problems.into_iter().filter(|problem| !is_warning(problem)).collect();
        match profile {
            Some(profile) if faults.is_empty() => Ok(profile),
            _ => Err(faults),
        }
    }
}

/// The profile, as far as it could be made, and all its problems; with a fault among them it must
/// not be used.
fn read(json: &Value) -> (Option<Profile>, Vec<Problem>) {
    let mut problems = Vec::new();
    let profile = profile(json, &mut problems);
    (profile, problems)
}

fn profile(json: &Value, problems: &mut Vec<Problem>) -> Option<Profile> {
    let mut options = Options::open(json, String::new(), "a profile", problems)?;
    options.only(&KEYS);
    let encoding = encoding(&mut options);
    let transliteration = transliteration(&mut options);
    let line_end = line_end(&mut options);
    let trailing_line_end = options.flag("trailing_line_end", false);
    let eof_1a = options.flag("eof_1a", false);

    let scribe = Scribe { encoding, transliteration: &transliteration };
    let header = options.get("header").map(|value| record(&mut options, value, "header", Section::Header, scribe));
    let line = line(&mut options, scribe);
    let total = options.get("total").map(|value| record(&mut options, value, "total", Section::Total, scribe));

    let file_name = template(&mut options, "file_name", Template::file_name);
    let folder = template(&mut options, "folder", Template::folder);
    if let (Some(file_name), Some(folder)) = (&file_name, &folder) {
        for detail in collisions(file_name, folder) {
            options.fault("FILE_NAME_COLLIDES", "file_name", detail);
        }
    }
    let trigger = trigger(&mut options, file_name.as_ref());
    Some(Profile {
        line_end,
        trailing_line_end,
        eof_1a,
        header: header.flatten(),
        line: line?,
        total: total.flatten(),
        file_name: file_name?,
        folder: folder?,
        trigger,
        transliteration,
        encoding,
    })
}

fn encoding(options: &mut Options<'_, '_>) -> Encoding {
    let label = match options.get("encoding") {
        None => return Encoding::Windows1252,
        Some(Value::String(label)) => label,
        Some(_) => {
            options.fault("WRONG_TYPE", "encoding", format!("this is one of {ENCODINGS}"));
            return Encoding::Windows1252;
        }
    };
    Encoding::from_label(label).unwrap_or_else(|| {
        options.fault("BAD_VALUE", "encoding", format!("this is one of {ENCODINGS}"));
        Encoding::Windows1252
    })
}

fn transliteration(options: &mut Options<'_, '_>) -> Transliteration {
    let mut own = BTreeMap::new();
    let typographic = match options.get("transliterate") {
        None => true,
        Some(Value::Bool(on)) => *on,
        Some(value @ Value::Object(_)) => {
            let pointer = options.at("transliterate");
            if let Some(mut pairs) = Options::open(value, pointer, "this", options.problems) {
                own = own_pairs(&mut pairs, value);
            }
            true
        }
        Some(_) => {
            let detail = "this is true, false, or an object from one character to the text that is written for it";
            options.fault("WRONG_TYPE", "transliterate", detail);
            true
        }
    };
    Transliteration { typographic, own }
}

fn own_pairs(options: &mut Options<'_, '_>, value: &Value) -> BTreeMap<char, String> {
    let mut pairs = BTreeMap::new();
    let Value::Object(entries) = value else { return pairs };
    for (key, text) in entries {
        let mut composed = key.nfc();
        let (Some(c), None) = (composed.next(), composed.next()) else {
            options.fault("BAD_VALUE", key, "the key is one character");
            continue;
        };
        if is_control(c) {
            options.fault("BAD_VALUE", key, "a control character is always written as a space");
            continue;
        }
        match text {
            Value::String(text) if !text.chars().any(is_control) => {
                if pairs.insert(c, text.nfc().collect()).is_some() {
                    options.fault("DUP_KEY", key, "this character stands twice");
                }
            }
            _ => options.fault("BAD_VALUE", key, "the value is text without control characters"),
        }
    }
    pairs
}

fn line_end(options: &mut Options<'_, '_>) -> &'static [u8] {
    let choices: [(&str, &'static [u8]); 8] = [
        ("crlf", b"\r\n"),
        ("lf", b"\n"),
        ("cr", b"\r"),
        ("none", b""),
        ("\r\n", b"\r\n"),
        ("\n", b"\n"),
        ("\r", b"\r"),
        ("", b""),
    ];
    let chosen = match options.get("line_end") {
        None => return b"\r\n",
        Some(Value::String(text)) => choices.iter().find(|(name, _)| name == text),
        Some(_) => None,
    };
    chosen.map_or_else(
        || {
            options.fault("BAD_VALUE", "line_end", "this is one of crlf, lf, cr, none, or the characters themselves");
            b"\r\n".as_slice()
        },
        |(_, bytes)| bytes,
    )
}

fn line(options: &mut Options<'_, '_>, scribe: Scribe<'_>) -> Option<Record> {
    match (options.get("fields"), options.get("line")) {
        (Some(list), None) => {
            let pointer = options.at("fields");
            fields(list, pointer, Section::Line, scribe, options.problems)
        }
        (None, Some(value)) => record(options, value, "line", Section::Line, scribe),
        (Some(_), Some(_)) => {
            options.fault(
                "CONFLICT",
                "fields",
                "a profile has `fields` or `line`, which is the longer form of the same",
            );
            None
        }
        (None, None) => {
            options.fault("MISSING_KEY", "fields", "a profile has `fields`, or a `line` with `fields`");
            None
        }
    }
}

fn record(options: &mut Options<'_, '_>, value: &Value, key: &str, at: Section, scribe: Scribe<'_>) -> Option<Record> {
    let pointer = options.at(key);
    let mut options = Options::open(value, pointer, "a record", options.problems)?;
    options.only(&["fields"]);
    let Some(list) = options.get("fields") else {
        options.fault("MISSING_KEY", "fields", "a record has `fields`");
        return None;
    };
    let pointer = options.at("fields");
    fields(list, pointer, at, scribe, options.problems)
}

fn fields(
    list: &Value,
    pointer: String,
    at: Section,
    scribe: Scribe<'_>,
    problems: &mut Vec<Problem>,
) -> Option<Record> {
    let Value::Array(list) = list else {
        problems.push(Problem::new("WRONG_TYPE", pointer, "`fields` is an array of fields"));
        return None;
    };
    if !(1..=MAX_FIELDS).contains(&list.len()) {
        problems.push(Problem::new("BAD_VALUE", pointer, format!("a record has 1 to {MAX_FIELDS} fields")));
        return None;
    }
    let read: Vec<_> = list
        .iter()
        .enumerate()
        .map(|(index, value)| field::read(value, format!("{pointer}/{index}"), at, scribe, problems))
        .collect();
    let fields = read.into_iter().collect::<Option<Vec<_>>>()?;
    if fields.iter().map(|field| field.slot.length).sum::<usize>() > MAX_RECORD {
        problems.push(Problem::new("TOO_LONG", pointer, format!("a record has at most {MAX_RECORD} bytes")));
    }
    Some(Record { fields })
}

fn template(
    options: &mut Options<'_, '_>,
    key: &str,
    parse: fn(Option<&str>) -> Result<Template, String>,
) -> Option<Template> {
    let text = match options.get(key) {
        Some(_) => Some(options.text(key)?),
        None => None,
    };
    match parse(text) {
        Ok(template) => Some(template),
        Err(detail) => {
            options.fault("BAD_TEMPLATE", key, detail);
            None
        }
    }
}

fn trigger(options: &mut Options<'_, '_>, file_name: Option<&Template>) -> Option<Trigger> {
    let detail = "this is true (the name and `.ok`), false, or an extension of 1 to 16 letters, digits, `_` and `-`, \
                  such as `.trg`, which differs from that of the file";
    match options.get("trigger_file")? {
        Value::Bool(on) => on.then_some(Trigger::Ok),
        Value::String(text) => {
            let extension = text.strip_prefix('.').unwrap_or(text);
            let sound = (1..=16).contains(&extension.len())
                && extension.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
            let extension = format!(".{extension}");
            let taken = file_name.and_then(Template::extension).is_some_and(|own| own.eq_ignore_ascii_case(&extension));
            if !sound || taken {
                options.fault("BAD_VALUE", "trigger_file", detail);
                return None;
            }
            Some(Trigger::Extension(extension))
        }
        _ => {
            options.fault("WRONG_TYPE", "trigger_file", detail);
            None
        }
    }
}
