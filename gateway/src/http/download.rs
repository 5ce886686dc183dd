//! A file as an answer. No browser shows it, whatever is in it: it is only ever saved.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use warp::http::{HeaderValue, StatusCode, header};

use super::answer::{Answer, tag_of};
use super::negotiate::Form;

#[derive(Debug)]
pub struct Download {
    /// What to call it when it is saved.
    pub name: String,
    pub bytes: Vec<u8>,
}

impl Download {
    pub fn into_answer(self) -> Answer {
        let (tag, disposition) = (tag_of(&self.bytes), self.disposition());
        let mut answer = Answer::new(StatusCode::OK, Form::Bytes.media_type(), self.bytes);
        for (name, value) in [(header::ETAG, format!("\"{tag}\"")), (header::CONTENT_DISPOSITION, disposition)] {
            if let Ok(value) = HeaderValue::try_from(value) {
                answer.headers.insert(name, value);
            }
        }
        answer
    }

    /// RFC 6266: the name in ASCII for all, and the exact one for those that read it.
    fn disposition(&self) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' };
        let ascii: String = self.name.chars().map(plain).collect();
        let exact = utf8_percent_encode(&self.name, NON_ALPHANUMERIC);
        format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{exact}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_quotes() {
        let file = Download { name: "a\"; x=\r\n\u{e1}/../.json".to_owned(), bytes: vec![0, 255] };
        let answer = file.into_answer();
        let said = answer.headers["content-disposition"].to_str().unwrap();
        assert_eq!(said.matches('"').count(), 2, "{said}");
        assert!(said.starts_with("attachment; filename=\"a") && said.contains("%C3%A1"), "{said}");
        assert_eq!(answer.headers["content-type"], "application/octet-stream");
        assert_eq!(&answer.body[..], [0, 255]);
    }
}
