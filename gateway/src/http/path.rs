//! Paths: a pattern of the route table against the segments of a request.

use percent_encoding::percent_decode_str;

/// The segments of a path, percent-decoded. `None` for one that no pattern can mean: no UTF-8, a
/// control character, or a slash inside a segment.
pub fn segments(path: &str) -> Option<Vec<String>> {
    let path = path.strip_prefix('/')?;
    if path.is_empty() {
        return Some(Vec::new());
    }
    path.split('/')
        .map(|segment| {
            let text = percent_decode_str(segment).decode_utf8().ok()?;
            (!text.chars().any(|c| c.is_control() || c == '/')).then(|| text.into_owned())
        })
        .collect()
}

/// Whether a pattern such as `/v1/receipts/{node_id}/{receipt_id}` means these segments, and what
/// its parameters are then, in their order.
pub fn matches(pattern: &str, segments: &[String]) -> Option<Vec<String>> {
    let mut parameters = Vec::new();
    let mut given = segments.iter();
    for part in pattern.trim_start_matches('/').split('/') {
        let segment = given.next()?;
        if part.starts_with('{') {
            if segment.is_empty() {
                return None;
            }
            parameters.push(segment.clone());
        } else if part != segment {
            return None;
        }
    }
    given.next().is_none().then_some(parameters)
}

/// The names in braces, in their order.
pub fn parameters(pattern: &str) -> impl Iterator<Item = &str> {
    pattern.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_segment_is_decoded_once() {
        let segments = segments("/v1/scan/8%20%2541").unwrap();
        assert_eq!(matches("/v1/scan/{code}", &segments), Some(vec!["8 %41".to_owned()]));
    }

    #[test]
    fn an_encoded_slash_is_no_border() {
        assert_eq!(segments("/v1/scan/a%2Fb"), None);
        assert_eq!(segments("/v1/scan/%00"), None);
        assert_eq!(segments("/v1/%ff"), None);
    }

    #[test]
    fn a_parameter_is_never_empty_and_nothing_is_left_over() {
        for path in ["/v1/scan/", "/v1/scan", "/v1/scan/a/", "/v1/scan/a/b", "//v1/scan/a"] {
            assert_eq!(matches("/v1/scan/{code}", &segments(path).unwrap()), None, "{path}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_comes_out_again(text in "[^/\\p{Cc}]{1,20}") {
            let encoded = percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC);
            let segments = segments(&format!("/v1/scan/{encoded}")).unwrap();
            prop_assert_eq!(matches("/v1/scan/{code}", &segments), Some(vec![text]));
        }
    }
}
