//! The way from the bytes of a file to a verdict.

use sha2::{Digest, Sha256};

use super::canonical::normalise;
use super::declaration::Declaration;
use super::finding::{Findings, Outcome};
use super::line::decode_barcodes;
use super::source::Source;
use super::{Limits, Receipt, Stamp, Verdict, header, total};
use crate::encoding::decode;
use crate::json::{self, JsonError, JsonErrorKind, Value};
use crate::problem::{Place, Problem};

/// Judges one file. It never fails and never panics, whatever the bytes, and takes time in
/// proportion to their number.
pub fn parse(raw: &[u8], declaration: &Declaration, limits: &Limits) -> Verdict {
    match read_tree(raw, declaration, limits) {
        Ok(tree) => judge(tree, declaration, limits),
        Err(problem) => Verdict::quarantined(vec![problem]),
    }
}

fn read_tree(raw: &[u8], declaration: &Declaration, limits: &Limits) -> Result<Value, Problem> {
    if raw.is_empty() {
        return Err(empty_file());
    }
    if raw.len() > limits.max_bytes {
        return Err(Problem::new("TOO_LARGE", "", format!("a file has at most {} bytes", limits.max_bytes)));
    }
    let text = decode(raw, declaration.encoding)?;
    if text.trim().is_empty() {
        return Err(empty_file());
    }
    json::read(&text, limits.max_depth).map_err(problem_of)
}

fn empty_file() -> Problem {
    Problem::new("EMPTY_FILE", "", "the file is empty")
}

fn problem_of(error: JsonError) -> Problem {
    let code = match error.kind {
        JsonErrorKind::Truncated => "TRUNCATED",
        JsonErrorKind::Syntax | JsonErrorKind::LoneSurrogate => "BAD_JSON",
        JsonErrorKind::TrailingData => "TRAILING_DATA",
        JsonErrorKind::DupKey => "DUP_KEY",
        JsonErrorKind::Depth => "TOO_DEEP",
    };
    let detail = error.to_string();
    Problem::new(code, error.pointer, detail)
}

/// What a body that was stored says; its canonical form is the body itself.
pub(super) fn read_body(body: &str, declaration: &Declaration, limits: &Limits) -> Result<Receipt, Vec<Problem>> {
    let mut tree = read_tree(body.as_bytes(), declaration, limits).map_err(|problem| vec![problem])?;
    let mut findings = Findings::default();
    let receipt = read_receipt(&mut tree, Source::Body(declaration), limits, &mut findings);
    match (findings.conclude(), receipt) {
        ((Outcome::Accepted | Outcome::Held, ..), Some((receipt, _))) => Ok(receipt),
        ((_, _, problems), _) => Err(problems),
    }
}

fn read_receipt(
    tree: &mut Value,
    source: Source<'_>,
    limits: &Limits,
    findings: &mut Findings,
) -> Option<(Receipt, Stamp)> {
    let declaration = source.declaration();
    normalise(tree, &Place::Root, declaration, findings);
    let mut read = header::read(tree, source, limits, findings);
    if let Some((receipt, _)) = read.as_mut().filter(|_| !findings.quarantines()) {
        decode_barcodes(receipt, declaration, findings);
        total::check(receipt, declaration, findings);
    }
    read
}

fn judge(mut tree: Value, declaration: &Declaration, limits: &Limits) -> Verdict {
    let mut findings = Findings::default();
    let read = read_receipt(&mut tree, Source::File(declaration), limits, &mut findings);
    let (outcome, flags, problems) = findings.conclude();
    let Some((receipt, printed)) = read.filter(|_| outcome != Outcome::Quarantined) else {
        return Verdict::quarantined(problems);
    };
    let body = tree.to_canonical();
    let content_hash = Some(Sha256::digest(body.as_bytes()).into());
    Verdict {
        outcome,
        receipt: Some(receipt),
        printed: Some(printed),
        canonical: Some(tree),
        body: Some(body),
        content_hash,
        flags,
        problems,
    }
}
