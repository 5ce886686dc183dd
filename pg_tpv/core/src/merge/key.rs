use super::MergeFault;

/// Where a uuid has its hyphens.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// Checks the key of an entity: a uuid as PostgreSQL writes it, in lower case with hyphens. Heads
/// and journal are found by the text. The same key in other letters would be a second entity with
/// the same row.
///
/// # Errors
/// It is written otherwise, or is no uuid.
pub fn check_key(key: &str) -> Result<(), MergeFault> {
    let is_right = |(place, byte)| match byte {
        b'-' => HYPHENS.contains(&place),
        b'0'..=b'9' | b'a'..=b'f' => !HYPHENS.contains(&place),
        _ => false,
    };
    if key.len() == 36 && key.bytes().enumerate().all(is_right) { Ok(()) } else { Err(MergeFault::Key) }
}
