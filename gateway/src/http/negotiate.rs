//! What the client is ready to read (RFC 9110, 12.5.1). Each route answers in one form. Nothing is
//! compressed, so that no token ever is, and no length tells of one.

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Json,
    /// A file, byte by byte.
    Bytes,
}

impl Form {
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Bytes => "application/octet-stream",
        }
    }

    fn is_named(self, kind: &str) -> bool {
        // Whoever takes problems only can read what is wrong, and nothing else is said of them.
        kind == self.media_type() || self == Self::Json && kind == "application/problem+json"
    }
}

/// Whether this form is among what the Accept header takes.
pub fn takes(accept: Option<&str>, form: Form) -> bool {
    let Some(accept) = accept.filter(|accept| !accept.trim().is_empty()) else { return true };
    // The most precise range decides: (precision, quality above zero).
    accept
        .split(',')
        .filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next()?.to_ascii_lowercase();
            let precision = match kind.as_str() {
                kind if form.is_named(kind) => 3,
                "application/*" => 2,
                "*/*" => 1,
                _ => return None,
            };
            let quality = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
            Some((precision, quality.is_none_or(|quality| quality.trim().parse::<f32>().is_ok_and(|q| q > 0.0))))
        })
        .max()
        .is_some_and(|(_, wanted)| wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_has_one_form() {
        let takes_json = |accept| takes(accept, Form::Json);
        assert!(takes(Some("application/octet-stream, application/json"), Form::Bytes));
        assert!(takes(Some("*/*"), Form::Bytes) && !takes(Some("application/json"), Form::Bytes));
        for accept in ["application/json", "*/*", "text/html, application/*;q=0.1", "APPLICATION/JSON; q=1", ""] {
            assert!(takes_json(Some(accept)), "{accept}");
        }
        assert!(takes_json(None));
        for accept in ["text/html", "application/json;q=0", "*/*, application/json;q=0.0", "nonsense"] {
            assert!(!takes_json(Some(accept)), "{accept}");
        }
    }
}
